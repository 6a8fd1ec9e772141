"""Handcrafted features of each colour: names, values, what the store finds, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rdfc_core.case import Needs, Tumour, Volume
from rdfc_core.errors import DataError, StudyError
from rdfc_core.testing import check_view
from rdfc_core.views.feature_view import FeatureView
from rdfc_core.views.options import FeatureViewConfig
from tests.support.small_preparers import OutlineConfig, OutlineFeatures

RGB = np.random.default_rng(0).integers(0, 256, (13, 17, 3)).astype(np.uint8)
COLOURS = ("red", "green", "blue")


def tumour(colour: np.ndarray | None = RGB) -> Tumour:
    grey = np.rint(RGB @ [0.299, 0.587, 0.114]).astype(np.uint8)
    volume = Volume(grey, (1.0, 1.0), (0.0, 0.0), np.eye(2)[:, ::-1].copy(), colour=colour)
    mask = np.zeros((13, 17), bool)
    mask[3:8, 4:14] = True
    return Tumour(volume, mask)


def view(extractor: Any = None, **options: Any) -> FeatureView:
    own = OutlineFeatures(OutlineConfig()) if extractor is None else extractor
    return FeatureView(FeatureViewConfig(width=8, **{"channels": "rgb", **options}), own)


def test_each_colour_is_measured_as_a_grey_picture_of_it_would_be():
    found = view().prepare(tumour())
    own = OutlineFeatures(OutlineConfig()).names(2)
    values = dict(zip(found.names, found.array, strict=True))
    for place, colour in enumerate(COLOURS):
        plane = Tumour(Volume.of(RGB[..., place].copy()), tumour().mask)
        alone = view(channels="grey").prepare(plane)
        for name, value in zip(own, alone.array, strict=True):
            called = name if "_shape_" in name else f"{colour}.{name}"
            assert values[called] == value
    # The outline is one for all colours.
    assert len(found.names) == 3 * len(own) - 2 * sum("_shape_" in name for name in own)
    assert view().preparer().names(2) == found.names


def test_what_is_missing_is_missing_of_its_colour():
    few = tumour()
    few.mask[:] = False
    few.mask[3, 4:7] = True
    found = view().prepare(few)
    assert set(found.missing) == {f"{c}.original_firstorder_Entropy" for c in COLOURS}


def test_a_grey_picture_has_three_equal_colours():
    found = view().prepare(tumour(None))
    values = dict(zip(found.names, found.array, strict=True))
    grey = view(channels="grey").prepare(tumour(None))
    for name, value in zip(grey.names, grey.array, strict=True):
        names = [name] if "_shape_" in name else [f"{colour}.{name}" for colour in COLOURS]
        assert [values[one] for one in names] == [value] * len(names)


def test_stored_features_of_grey_values_are_found_and_those_of_colours_are_others():
    grey = view(channels="grey").recipe()
    assert set(grey) == {"view", "extractor"}
    assert view().recipe() == {**grey, "channels": "rgb"}


def test_colours_of_several_images_stand_behind_their_names():
    both = Tumour(tumour().image, tumour().mask, images={"a": tumour(), "b": tumour(None)})
    found = view(images=("a", "b")).prepare(both)
    assert found.names == view(images=("a", "b")).preparer().names(2)
    assert "a.red.original_firstorder_Mean" in found.names
    assert "b.original_shape_Fill" in found.names
    assert "b.green.original_shape_Fill" not in found.names


def test_the_view_of_colours_keeps_its_promises():
    check_view(view(), 2)


def test_a_colour_that_cannot_be_measured_is_named():
    flat = RGB.copy()
    flat[..., 1] = 255
    with pytest.raises(DataError, match="channel 'green': all its voxels have one grey value"):
        view(OutlineFeatures(OutlineConfig(needs_contrast=True))).prepare(tumour(flat))


def test_colours_are_of_pictures_alone():
    deep = Tumour(Volume.of(np.zeros((4, 9, 9))), np.ones((4, 9, 9), bool))
    with pytest.raises(DataError, match="it is a volume, and channels: rgb is of colour pictures"):
        view().prepare(deep)
    with pytest.raises(StudyError, match="The cases are volumes, and channels: rgb is of colour"):
        view().preparer().names(3)


class OfColours(OutlineFeatures):
    in_colour = True


class OfTwoImages(OutlineFeatures):
    needs = Needs(("a", "b"))


@pytest.mark.parametrize("kind", [OfColours, OfTwoImages])
def test_an_extractor_that_says_itself_what_it_looks_at_is_not_shown_one_colour(kind):
    with pytest.raises(StudyError, match=r"says itself what it looks at.*Leave channels out"):
        view(kind(OutlineConfig()))
    assert view(kind(OutlineConfig()), channels="grey").preparer().in_colour == (kind is OfColours)
