"""The image view: the size of its pictures, and what reaches the network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from rdfc_core import DataError, PluginError, StudyError
from rdfc_core.case import Tumour, Volume
from rdfc_core.interfaces import Prepared
from rdfc_core.views.feature_tower import FeatureTower
from rdfc_core.views.image_view import ImageView
from rdfc_core.views.options import FeatureViewConfig, ImageViewConfig
from tests.support.small_parts import (
    SmallCnn,
    SmallCnnConfig,
    SmallVolumeCnn,
)


def image_view(encoder: Any = None, **options: Any) -> ImageView:
    config = ImageViewConfig(encoder="small-cnn", **options)
    return ImageView(config, encoder or SmallCnn(SmallCnnConfig()))


def picture_of(height: int, width: int, channels: int = 1) -> Prepared:
    rng = np.random.default_rng(height * width)
    return Prepared(rng.random((channels, height, width)).astype(np.float16))


def test_the_recipe_of_pictures_names_what_shapes_them_and_nothing_else():
    plain = image_view().recipe()
    same = [{"size": (16, 16)}, {"size": "average"}, {"flip": ()}, {"crop_scale": (0.9, 1.0)}]
    same += [{"elastic": 0.02}, {"blur": 1.0}, {"gamma": 0.3}, {"contrast": 0.3}]
    same += [{"brightness": 0.1}, {"speckle": 0.1}, {"noise": 0.1}]
    for options in same:
        assert image_view(**options).recipe() == plain
    other = [
        {"window": (0, 1)},
        {"slices": 3},
        {"margin": 0.5},
        {"aspect": "keep"},
        {"mask_channel": True},
    ]
    for options in other:
        assert image_view(**options).recipe() != plain
    deep = image_view(SmallVolumeCnn(SmallCnnConfig()), size=(4, 8, 8))
    assert deep.recipe() != plain
    tall = image_view(aspect="keep", size=(64, 32)).recipe()
    assert tall != image_view(aspect="keep", size=(64, 64)).recipe()
    assert tall == image_view(aspect="keep", size=(32, 16)).recipe()


def test_the_tower_tells_which_pictures_it_takes():
    flat, deep = (
        image_view(size=(12, 20)),
        image_view(SmallVolumeCnn(SmallCnnConfig()), size=(4, 8, 8)),
    )
    flat.fit([picture_of(10, 10, channels=3)])
    deep.fit([Prepared(np.zeros((2, 5, 9, 9), np.float16))])
    assert flat.tower().picture_shape == (3, 12, 20)
    assert deep.tower().picture_shape == (2, 4, 8, 8)
    assert FeatureTower(5, FeatureViewConfig()).picture_shape == ()


def test_pictures_are_brought_to_the_configured_size():
    view = image_view(size=(12, 20))
    view.fit([picture_of(10, 10), picture_of(30, 50)])
    batch = view.collate([picture_of(10, 10), picture_of(12, 20), picture_of(30, 50)])
    assert batch.shape == (3, 1, 12, 20)
    assert batch.dtype == torch.float32
    np.testing.assert_array_equal(batch[1], picture_of(12, 20).array)  # as it was
    assert view.tower()(batch).shape == (3, 8)


def test_the_average_size_is_that_of_the_fitted_cases():
    view = image_view(size="average")
    view.fit([picture_of(10, 21), picture_of(20, 30), picture_of(33, 30)])
    assert view.collate([picture_of(5, 5)]).shape == (1, 1, 21, 27)  # means 21 and 27


def test_cases_of_other_channels_are_refused():
    view = image_view()
    view.fit([picture_of(8, 8)])
    with pytest.raises(DataError, match="different numbers of channels: 10 against 1"):
        view.collate([picture_of(8, 8, channels=10)])


@pytest.mark.parametrize(
    ("fitted_channels", "options", "accepted"),
    [
        (1, {}, [2]),
        (10, {}, [3]),
        (1, {"slices": 1}, [2, 3]),
        (2, {"mask_channel": True}, [2]),
        (20, {"mask_channel": True}, [3]),
    ],
)
def test_a_fitted_view_knows_whether_pictures_or_volumes_have_its_channels(
    fitted_channels, options, accepted
):
    view = image_view(**options)
    view.fit([picture_of(8, 8, channels=fitted_channels)])
    assert [ndim for ndim in (2, 3) if view.accepts(ndim)] == accepted


def test_a_view_with_depth_accepts_no_picture():
    view = image_view(SmallVolumeCnn(SmallCnnConfig()), size=(4, 8, 8))
    view.fit([Prepared(np.zeros((1, 5, 9, 9), np.float16))])
    assert [ndim for ndim in (2, 3) if view.accepts(ndim)] == [3]


def test_pictures_reach_the_network_centred():
    seen = []

    class Watches(SmallCnn):
        def build(self, channels: int) -> nn.Module:
            network = super().build(channels)
            network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
            return network

    view = image_view(Watches(SmallCnnConfig()), size=(8, 8))
    view.fit([picture_of(8, 8)])
    tower = view.tower()
    tower(torch.tensor([0.0, 0.25, 1.0]).reshape(3, 1, 1, 1).expand(3, 1, 8, 8))
    assert seen[-1][:, 0, 0, 0].tolist() == [-1, -0.5, 1]


def test_pictures_reach_the_network_by_the_mean_and_deviation_of_the_encoder():
    seen = []

    class Own(SmallCnn):
        def normalisation(self, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
            return (0.25, 0.5), (0.5, 2.0)

        def build(self, channels: int) -> nn.Module:
            network = super().build(channels)
            network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
            return network

    view = image_view(Own(SmallCnnConfig()), size=(8, 8))
    view.fit([picture_of(8, 8, channels=2)])
    tower = view.tower()
    tower(torch.ones(3, 2, 8, 8))
    assert seen[-1][:, :, 0, 0].tolist() == [[1.5, 0.25]] * 3
    # A model that was saved before encoders carried it is loaded as ever.
    assert all(name.startswith("network.") for name in tower.state_dict())


@pytest.mark.parametrize(
    "given", [None, ((0.5,), (0.0,)), ((0.5, 0.5), (1.0, 1.0)), ((float("nan"),), (1.0,))]
)
def test_a_mean_and_a_deviation_above_0_is_asked_for_each_channel(given):
    class Own(SmallCnn):
        def normalisation(self, channels: int) -> Any:
            return given

    view = image_view(Own(SmallCnnConfig()), size=(8, 8))
    view.fit([picture_of(8, 8)])
    with pytest.raises(PluginError, match="give 1 means and 1 deviations above 0"):
        view.tower()


def test_a_volume_encoder_sees_depth():
    view = image_view(SmallVolumeCnn(SmallCnnConfig()), size=(4, 8, 8))
    array = np.random.default_rng(0).random((7, 12, 10))
    tumour = Tumour(Volume.of(array), np.ones((7, 12, 10), bool))
    prepared = view.prepare(tumour)
    assert prepared.array.shape == (1, 7, 12, 10)
    view.fit([prepared])
    batch = view.collate([prepared, prepared])
    assert batch.shape == (2, 1, 4, 8, 8)
    assert view.augment(batch, torch.Generator().manual_seed(0)).shape == batch.shape
    assert view.tower()(batch).shape == (2, 8)


def test_a_size_of_the_wrong_number_of_axes_is_refused():
    with pytest.raises(StudyError, match="takes 3D pictures and size"):
        image_view(SmallVolumeCnn(SmallCnnConfig()), size=(8, 8))
    with pytest.raises(StudyError, match="takes 2D pictures and size"):
        image_view(size=(4, 8, 8))


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (lambda channels: nn.Conv2d(channels, 4, 3), r"\(2, 4, 6, 6\)"),
        (lambda channels: nn.Flatten(0), r"\(128,\)"),
        (lambda channels: nn.LSTM(8, 4), None),
    ],
)
def test_an_encoder_that_does_not_pool_is_refused(network, shape):
    class Unpooled(SmallCnn):
        def build(self, channels: int) -> nn.Module:
            return network(channels)

    view = image_view(Unpooled(SmallCnnConfig()), size=(8, 8))
    view.fit([picture_of(8, 8)])
    with pytest.raises((PluginError, ValueError), match=shape):
        view.tower()


def test_a_trial_run_leaves_the_network_as_it_was_built():
    view = image_view(size=(8, 8))
    view.fit([picture_of(8, 8)])
    tower = view.tower()
    assert tower.training
    norm = next(m for m in tower.modules() if isinstance(m, nn.BatchNorm2d))
    assert int(norm.num_batches_tracked) == 0
    assert list(tower.layer_groups()) == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    "options",
    [
        {"size": (0, 8)},
        {"size": (8,)},
        {"window": (1, 1)},
        {"crop_scale": (0, 1)},
        {"crop_scale": (0.9, 0.5)},
        {"flip": ("diagonal",)},
        {"slices": 0},
        {"margin": -1},
    ],
)
def test_options_out_of_bounds_are_refused(options):
    with pytest.raises(ValidationError):
        ImageViewConfig(encoder="small-cnn", **options)
