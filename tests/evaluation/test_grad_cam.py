"""Grad-CAM against a computation by hand, and the layer and cases it is shown for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from rdfc_core.evaluation.grad_cam import grad_cam, probed, spatial_layer, telling_cases
from rdfc_core.interfaces import ImageEncoder
from rdfc_core.models.linear_model import LinearModel
from rdfc_core.views.image_view import ImageTower
from tests.support.small_parts import SmallCnn, SmallCnnConfig, SmallVolumeCnn


class Rows(ImageEncoder):
    """A network without any map: every layer gives rows."""

    def build(self, channels: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(6), nn.ReLU())


class Shrinking(ImageEncoder):
    """Maps of 8, 4 and 2 cells a side."""

    def build(self, channels: int) -> nn.Module:
        def half(inputs: int) -> nn.Module:
            return nn.Sequential(nn.Conv2d(inputs, 4, 3, stride=2, padding=1), nn.ReLU())

        pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        network = nn.Sequential()
        for name, module in zip(
            ("large", "middle", "small", "head"),
            (half(channels), half(4), half(4), pooled),
            strict=True,
        ):
            network.add_module(name, module)
        return network


class Linear(nn.Module):
    """Maps, their mean, and a linear layer: what Grad-CAM was derived for."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Sequential(nn.Conv2d(2, 5, 3, padding=1), nn.ReLU())
        self.last = nn.Linear(5, 3)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.last(self.maps(pictures).mean(dim=(2, 3)))


def tower_of(encoder: ImageEncoder, channels: int, size: tuple[int, ...]) -> ImageTower:
    torch.manual_seed(0)
    return ImageTower(encoder.build(channels), encoder, channels, size).eval()


def test_map_of_a_network_with_a_linear_last_layer_is_the_one_computed_by_hand():
    torch.manual_seed(1)
    network = Linear().eval()
    pictures = torch.rand(4, 2, 6, 6)
    targets = [0, 2, 1, 2]
    heat = grad_cam(network, network.maps, pictures, targets)
    with torch.no_grad():
        maps = network.maps(pictures)
        # d score / d map = weight / cells in every cell, so its mean over cells is that, too.
        weights = network.last.weight[targets] / 36
        expected = torch.einsum("nk,nkhw->nhw", weights, maps).relu().numpy()
    most = expected.max(axis=(1, 2), keepdims=True)
    expected = np.divide(expected, most, out=np.zeros_like(expected), where=most > 0)
    np.testing.assert_allclose(heat, expected, atol=1e-5)
    assert expected.max() == 1


def test_nothing_is_hot_where_nothing_speaks_for_the_class():
    network = Linear().eval()
    with torch.no_grad():
        network.last.weight[1] = -1.0  # every map speaks against it
    heat = grad_cam(network, network.maps, torch.rand(2, 2, 6, 6), [1, 1])
    np.testing.assert_array_equal(heat, 0)


def test_small_map_is_enlarged_to_the_picture():
    tower = tower_of(Shrinking(), 1, (16, 16))
    probe = LinearModel(np.eye(3, 4), np.zeros(3), ("image",))
    network = probed(tower, "image", probe, {"image": 4}).eval()
    layer = spatial_layer(tower, torch.rand(1, 1, 16, 16))
    heat = grad_cam(network, layer.module, torch.rand(3, 1, 16, 16), [0, 1, 2])
    assert heat.shape == (3, 16, 16)
    assert heat.min() >= 0
    assert heat.max() <= 1


@pytest.mark.parametrize(
    ("side", "name", "cells"),
    [(32, "small", (4, 4)), (16, "middle", (4, 4)), (8, "large", (4, 4)), (4, "large", (2, 2))],
)
def test_layer_is_the_last_whose_map_still_tells_places_apart(side, name, cells):
    tower = tower_of(Shrinking(), 1, (side, side))
    layer = spatial_layer(tower, torch.rand(1, 1, side, side))
    assert (layer.name, layer.cells) == (name, cells)


def test_network_without_maps_has_no_layer_to_show_and_keeps_no_hook():
    tower = tower_of(Rows(), 1, (8, 8))
    assert spatial_layer(tower, torch.rand(1, 1, 8, 8)) is None
    assert all(not module._forward_hooks for module in tower.modules())


def test_volumes_have_maps_in_three_dimensions():
    tower = tower_of(SmallVolumeCnn(SmallCnnConfig()), 1, (4, 8, 8))
    layer = spatial_layer(tower, torch.rand(1, 1, 4, 8, 8))
    assert layer.cells == (4, 8, 8)
    network = probed(
        tower, "image", LinearModel(np.eye(2, 8), np.zeros(2), ("image",)), {"image": 8}
    )
    assert grad_cam(network, layer.module, torch.rand(2, 1, 4, 8, 8), [0, 1]).shape == (2, 4, 8, 8)


def test_probed_scores_are_the_probe_s_but_for_what_no_picture_changes():
    tower = tower_of(SmallCnn(SmallCnnConfig(width=6)), 1, (8, 8))
    rng = np.random.default_rng(0)
    pictures = torch.rand(5, 1, 8, 8)
    with torch.no_grad():
        image = functional.normalize(tower(pictures)).numpy()
    other = rng.normal(size=(1, 3)).astype(np.float32).repeat(5, axis=0)  # the same for all cases
    probe = LinearModel(rng.normal(size=(2, 9)), rng.normal(size=2), ("radiomics", "image"))
    network = probed(tower, "image", probe, {"radiomics": 3, "image": 6})
    with torch.no_grad():
        scores = network(pictures).numpy()
    said = np.log(probe.predict({"radiomics": other, "image": image}))
    left = (scores[:, 1] - scores[:, 0]) - (said[:, 1] - said[:, 0])
    np.testing.assert_allclose(left, left[0], atol=1e-5)


def test_cases_are_the_surest_right_and_wrong_ones_of_each_class():
    truth = np.array([0, 0, 0, 0, 1, 1])
    first = np.array([0.6, 0.9, 0.8, 0.3, 0.7, 0.2])
    said = np.stack([first, 1 - first], axis=1)
    assert telling_cases(truth, said) == [1, 2, 3, 5, 4]
