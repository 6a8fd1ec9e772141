"""Core's projectors: widths and layers as asked for, and names of weights that runs have saved."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rdfc_core.config.resolve import resolve_part
from rdfc_core.models.projector_options import MLPConfig
from rdfc_core.models.projectors import LinearProjector, MLPProjector
from rdfc_core.plugin.component import NoOptions, Part
from rdfc_core.plugin.registry import installed
from tests.support.small_parts import GreyTower


def mlp(**options) -> nn.Module:
    return MLPProjector(MLPConfig(**options)).build(6, 4)


def kinds(network: nn.Module) -> list[str]:
    return [type(one).__name__ for one in network]


def test_layers_are_those_of_the_sources():
    simclr = mlp(layers=2, normalisation="none")
    assert kinds(simclr) == ["Linear", "ReLU", "Linear"]
    assert [tuple(one.shape) for one in simclr.parameters()] == [(6, 6), (6,), (4, 6), (4,)]
    vicreg = mlp(layers=3, hidden=9)
    assert kinds(vicreg) == ["Linear", "BatchNorm1d", "ReLU"] * 2 + ["Linear"]
    assert [one.bias is None for one in vicreg if isinstance(one, nn.Linear)] == [True, True, False]
    assert vicreg[3].in_features == vicreg[3].out_features == 9
    assert kinds(mlp(layers=2, normalisation="layer")) == ["Linear", "LayerNorm", "ReLU", "Linear"]
    assert kinds(mlp(layers=1)) == ["Linear"]


def test_the_linear_one_is_the_bare_layer():
    torch.manual_seed(0)
    network = LinearProjector(NoOptions()).build(6, 4)
    torch.manual_seed(0)
    expected = nn.Linear(6, 4)
    assert list(network.state_dict()) == ["weight", "bias"]
    assert all(torch.equal(network.state_dict()[k], v) for k, v in expected.state_dict().items())


def built(name: str, **options) -> nn.Module:
    """A pretext of two small views, from the study's words on."""
    part = resolve_part("pretext", Part(name=name, options=options), installed(), "pretext")
    pretext = part.build(installed())
    torch.manual_seed(0)
    towers = {"a": GreyTower(16), "b": GreyTower(16)}
    towers["a"].picture_shape = (1, 4, 4)
    pretext.build(towers, 8, torch.Generator().manual_seed(0))
    return pretext


@pytest.mark.parametrize("name", ["correspondence", "moco"])
def test_by_default_weights_have_their_values_and_names_of_before(name):
    pretext = built(name, width=4)
    names = [key for key in pretext.state_dict() if key.startswith("projections.")]
    assert names == [f"projections.{view}.{key}" for view in "ab" for key in ("weight", "bias")]
    torch.manual_seed(0)
    GreyTower(16), GreyTower(16)
    expected = nn.Linear(16, 4)
    assert torch.equal(pretext.state_dict()["projections.a.weight"], expected.weight)


def test_simclr_keeps_its_own_two_layers():
    names = [key for key in built("simclr", view="a").state_dict() if key.startswith("projection.")]
    assert names == [f"projection.{place}.{key}" for place in (0, 2) for key in ("weight", "bias")]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("correspondence", {}),
        ("correspondence-simclr", {}),
        ("correspondence-reconstruction", {}),
        ("moco", {}),
        ("simclr", {"view": "a"}),
    ],
)
def test_every_task_with_a_projection_takes_another(name, options):
    pretext = built(name, width=4, projector="mlp:layers=3,hidden=9", **options)
    heads = pretext.projections.values() if "view" not in options else [pretext.projection]
    for head in heads:
        assert kinds(head) == ["Linear", "BatchNorm1d", "ReLU"] * 2 + ["Linear"]
    features = {view: torch.randn(5, 16) for view in pretext.encoders()}
    for rows in pretext.eval().embed(features).values():
        assert rows.shape == (5, 4)
        torch.testing.assert_close(rows.norm(dim=1), torch.ones(5))
