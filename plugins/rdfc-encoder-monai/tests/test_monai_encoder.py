from __future__ import annotations

import re

import pytest
import torch
from monai.networks import nets
from pydantic import ValidationError
from safetensors.torch import save_file

from rdfc_core.errors import StudyError
from rdfc_core.testing import check_image_encoder, check_plugin
from rdfc_encoder_monai.config import MonaiConfig
from rdfc_encoder_monai.encoder import MonaiEncoder

SMALL = {"model": "resnet10", "width": 0.25}


def encoder(**options) -> MonaiEncoder:
    return MonaiEncoder(MonaiConfig(**options))


def test_the_plugin_keeps_what_every_plugin_promises():
    check_plugin("rdfc-encoder-monai")


def test_it_keeps_what_every_encoder_promises():
    check_image_encoder(encoder(**SMALL), size=(8, 32, 32))


@pytest.mark.parametrize(
    ("options", "size", "features"),
    [
        (SMALL, (5, 20, 24), 128),
        ({"model": "densenet121"}, (32, 32, 48), 1024),
        ({"model": "swin-unetr", "feature_size": 12}, (32, 32, 64), 192),
    ],
)
def test_a_network_gives_a_row_a_volume_and_groups_hold_every_layer(options, size, features):
    made = encoder(**options)
    network = made.blank(2).eval()
    with torch.no_grad():
        assert network(torch.rand(1, 2, *size)).shape == (1, features)
    groups = made.layer_groups(network)
    assert next(iter(groups)) == "stem"
    assert len(groups) == 5
    grouped = {id(p) for parts in groups.values() for part in parts for p in part.parameters()}
    named = {id(p): name for name, p in network.named_parameters()}
    assert {name for key, name in named.items() if key not in grouped} <= {
        "features.norm5.weight",
        "features.norm5.bias",
    }


@pytest.mark.parametrize(
    ("model", "size", "fitting"),
    [
        ("swin-unetr", (30, 48, 64), [32, 64, 64]),
        ("densenet121", (8, 48, 48), [32, 48, 48]),
    ],
)
def test_a_size_that_cannot_be_taken_is_refused_with_the_smallest_that_can(model, size, fitting):
    network = encoder(model=model, feature_size=12).blank(1)
    with pytest.raises(StudyError, match=re.escape(str(fitting))):
        network(torch.zeros(1, 1, *size))
    with torch.no_grad():
        network.eval()(torch.zeros(1, 1, *fitting))


def test_few_planes_are_not_halved_at_once():
    network = encoder(**SMALL, stem_pool=False).blank(1)
    stem = network.get_submodule("conv1")
    assert stem(torch.zeros(1, 1, 6, 32, 32)).shape[2:] == (6, 16, 16)


# Weights


@pytest.fixture(scope="module")
def medicalnet() -> dict[str, torch.Tensor]:
    """Names and shapes of MedicalNet's resnet_10.pth: its own code, saved by DataParallel."""
    torch.manual_seed(0)
    network = nets.resnet10(
        spatial_dims=3, n_input_channels=1, conv1_t_stride=2, bias_downsample=False, num_classes=2
    )
    return {f"module.{name}": one for name, one in network.state_dict().items()}


def starting(path, **options):
    return encoder(model="resnet10", stem_stride=(2, 2, 2), weights=path, **options)


def test_weights_of_medicalnet_are_taken_without_their_classifier(medicalnet, tmp_path):
    path = tmp_path / "resnet_10.pth"
    torch.save({"state_dict": medicalnet}, path)
    network = starting(path).build(1)
    for name, one in network.state_dict().items():
        assert torch.equal(one, medicalnet[f"module.{name}"]), name
    fresh = starting(path).blank(1).state_dict()
    assert not torch.equal(fresh["conv1.weight"], medicalnet["module.conv1.weight"])


def test_a_first_layer_for_one_channel_serves_several(medicalnet, tmp_path):
    path = tmp_path / "resnet_10.pth"
    torch.save(medicalnet, path)
    one, two = starting(path).build(1).eval(), starting(path).build(2).eval()
    volume = torch.rand(1, 1, 16, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(one(volume), two(volume.repeat(1, 2, 1, 1, 1)))


def test_other_names_are_renamed_and_what_does_not_fit_is_told(medicalnet, tmp_path, caplog):
    state = {
        f"encode_image.i3.{n.removeprefix('module.')}": one.clone() for n, one in medicalnet.items()
    }
    state["text.embedding"] = torch.zeros(3)
    path = tmp_path / "merlin.safetensors"
    save_file(state, path)
    with pytest.raises(StudyError, match=r"missing .*; .* unknown \(encode_image.*give rename"):
        starting(path).build(1)
    rename = {r"^encode_image\.i3\.": "", r"^text\..*": ""}
    network = starting(path, rename=rename).build(1)
    assert torch.equal(network.state_dict()["conv1.weight"], medicalnet["module.conv1.weight"])
    del state["encode_image.i3.layer4.0.conv1.weight"]
    save_file(state, path)
    with pytest.raises(StudyError, match=r"1 missing \(layer4.0.conv1.weight\)"):
        starting(path, rename=rename).build(1)
    starting(path, rename=rename, partial=True).build(1)
    assert "not all fits MONAI's resnet10: 1 missing (layer4.0.conv1.weight)" in caplog.text


def test_a_segmentation_network_lends_its_encoder(tmp_path):
    whole = nets.SwinUNETR(in_channels=1, out_channels=3, feature_size=12)
    path = tmp_path / "swin.pt"
    torch.save(whole.state_dict(), path)
    network = encoder(model="swin-unetr", feature_size=12, weights=path).build(1)
    own = whole.state_dict()
    assert all(torch.equal(one, own[name]) for name, one in network.state_dict().items())


def test_weights_of_another_network_and_files_that_hold_code_are_refused(medicalnet, tmp_path):
    path = tmp_path / "resnet_10.pth"
    torch.save(medicalnet, path)
    with pytest.raises(StudyError, match="do not fit MONAI's resnet18"):
        encoder(model="resnet18", weights=path).build(1)
    torch.save({"a": re.compile("x")}, tmp_path / "code.pt")
    with pytest.raises(StudyError, match="cannot be read as plain tensors"):
        starting(tmp_path / "code.pt").build(1)
    with pytest.raises(StudyError, match="are not a file"):
        starting(tmp_path / "none.pt").build(1)


@pytest.mark.parametrize(
    ("options", "say"),
    [
        ({"model": "resnet11"}, "resnet10"),
        ({"rename": {"(": ""}}, "is no regular expression"),
        ({"stem_stride": (0, 2, 2)}, "strides are from 1 to 4"),
    ],
)
def test_options_that_cannot_be_are_refused(options, say):
    with pytest.raises(ValidationError, match=say):
        MonaiConfig(**options)
