"""Views of several images: names of features, channels, and what they share with views of one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from rdfc_core.case import Needs, Tumour
from rdfc_core.errors import StudyError
from rdfc_core.evaluation.view_roles import handcrafted
from rdfc_core.interfaces import Features
from rdfc_core.testing import check_view
from rdfc_core.testing.tumours import example_tumours
from rdfc_core.views.feature_view import FeatureView
from rdfc_core.views.image_view import ImageView
from rdfc_core.views.options import FeatureViewConfig, ImageViewConfig
from tests.support.small_parts import SmallCnn, SmallCnnConfig, SmallVolumeCnn
from tests.support.small_preparers import OutlineConfig, OutlineFeatures

NAMES = ("t1", "flair")


def features(**options: Any) -> FeatureView:
    return FeatureView(FeatureViewConfig(width=8, **options), OutlineFeatures(OutlineConfig()))


def picture(**options: Any) -> ImageView:
    options = {"size": (16, 16), "slices": 3, **options}
    return ImageView(ImageViewConfig(**options), SmallCnn(SmallCnnConfig()))


@pytest.mark.parametrize("ndim", [2, 3])
def test_both_views_keep_their_promises_on_several_images(ndim):
    check_view(features(images=NAMES), ndim)
    check_view(picture(images=NAMES, mask_channel=True), ndim)


def test_features_are_those_of_each_image_under_its_name():
    (tumour,) = example_tumours(2, 1, Needs(NAMES))
    found = features(images=NAMES).prepare(tumour)
    alone = [features().prepare(tumour.images[name]) for name in NAMES]
    np.testing.assert_array_equal(found.array, np.concatenate([one.array for one in alone]))
    assert found.names == tuple(
        f"{n}.{f}" for n, one in zip(NAMES, alone, strict=True) for f in one.names
    )


def test_a_view_of_one_named_image_is_stored_as_one_without_a_name():
    assert features(image="t1").recipe() == features().recipe()
    assert picture(image="t1").recipe() == picture().recipe()
    assert features(images=NAMES).recipe() != features().recipe()
    assert picture(images=NAMES).recipe() != picture().recipe()
    assert features(image="t1").needs == Needs(("t1",))
    assert picture(images=NAMES).needs == Needs(NAMES, grid="shared")


@pytest.mark.parametrize(("ndim", "planes"), [(2, 1), (3, 3)])
def test_channels_are_those_of_each_image_and_then_the_outline(ndim, planes):
    (tumour,) = example_tumours(ndim, 1, Needs(NAMES))
    view = picture(images=NAMES, mask_channel=True)
    found = view.prepare(tumour).array
    assert len(found) == 3 * planes == view.preparer().channels(ndim)
    for place, name in enumerate(NAMES):
        alone = picture(mask_channel=True).prepare(tumour.images[name]).array
        np.testing.assert_array_equal(found[planes * place : planes * (place + 1)], alone[:planes])
        np.testing.assert_array_equal(found[-planes:], alone[planes:])


def test_a_network_of_volumes_has_a_channel_for_each_image():
    (tumour,) = example_tumours(3, 1, Needs(NAMES))
    config = ImageViewConfig(size=(8, 16, 16), images=NAMES)
    view = ImageView(config, SmallVolumeCnn(SmallCnnConfig()))
    prepared = view.prepare(tumour)
    assert len(prepared.array) == 2
    view.fit([prepared])
    assert view.tower()(view.collate([prepared])).shape == (1, view.tower().out_features)


def test_intensities_are_varied_and_the_outline_is_not():
    batch = torch.rand(4, 3, 16, 16)
    moved, varied = (
        picture(images=NAMES, mask_channel=True, contrast=contrast).augment(
            batch, torch.Generator().manual_seed(0)
        )
        for contrast in (0.0, 1.0)
    )
    torch.testing.assert_close(varied[:, 2], moved[:, 2])
    for channel in (0, 1):
        assert (varied[:, channel] - moved[:, channel]).abs().max() > 0.05


def test_each_image_may_have_a_window_of_its_own():
    (tumour,) = example_tumours(3, 1, Needs(NAMES))
    windows = {"t1": (-100, 100), "flair": None}
    found = picture(images=NAMES, window=windows, mask_channel=True).prepare(tumour).array
    alone = [
        picture(window=windows[name], mask_channel=True).prepare(tumour.images[name]).array
        for name in NAMES
    ]
    np.testing.assert_array_equal(found, np.concatenate([alone[0][:3], alone[1]]))
    of_both = picture(images=NAMES, window=(-100, 100)).prepare(tumour).array
    np.testing.assert_array_equal(of_both[:3], alone[0][:3])
    assert (of_both[3:] != alone[1][:3]).any()


def test_windows_are_part_of_what_is_stored_and_one_is_stored_as_before():
    one = picture(images=NAMES, window=(0, 1)).recipe()
    assert one["window"] == [0.0, 1.0]
    each = {"flair": (0, 1), "t1": (0, 1)}
    assert picture(images=NAMES, window=each).recipe()["window"] == {
        "t1": [0.0, 1.0],
        "flair": [0.0, 1.0],
    }
    assert picture(image="t1", window={"t1": (0, 1)}).recipe() == picture(window=(0, 1)).recipe()
    assert picture(image="t1", window={"t1": None}).recipe() == picture().recipe()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images": NAMES, "window": {"t1": (0, 1)}}, "window has t1 and the view sees t1, flair"),
        ({"images": NAMES, "window": {"t1": (0, 1), "flair": None, "pet": None}}, "t1, flair, pet"),
        ({"image": "t1", "window": {"flair": (0, 1)}}, "window has flair and the view sees t1: "),
        ({"window": {"t1": (0, 1)}}, "sees one image without a name: give one window, or"),
        ({"images": NAMES, "window": {"t1": (0, 1), "flair": (2, 1)}}, "window of 'flair' is"),
        ({"window": (1, 1)}, r"window is \[low, high\] with low below high"),
    ],
)
def test_windows_are_of_the_images_that_the_view_sees(options, message):
    with pytest.raises(ValidationError, match=message):
        ImageViewConfig(**options)


@pytest.mark.parametrize("kind", [FeatureViewConfig, ImageViewConfig])
def test_one_image_or_several_are_named(kind):
    with pytest.raises(ValidationError, match="name one image, or several images, not both"):
        kind(image="t1", images=NAMES)
    with pytest.raises(ValidationError, match="name each of the images once"):
        kind(images=("t1", "t1"))


class Ratio(OutlineFeatures):
    """One feature of two images and a column."""

    needs = Needs(NAMES, ("age",))

    def names(self, ndim: int) -> tuple[str, ...]:
        return ("ratio", "age")

    def extract(self, tumour: Tumour) -> Features:
        first, second = (one.image.array[one.mask].mean() for one in tumour.images.values())
        return Features(np.array([first / second, float(tumour.columns["age"])]))


def test_an_extractor_may_ask_for_images_and_columns_itself():
    view = FeatureView(FeatureViewConfig(), Ratio(OutlineConfig()))
    assert view.needs == Ratio.needs
    (tumour,) = example_tumours(2, 1, view.needs)
    tumour = replace(tumour, columns={"age": "63"})
    assert view.prepare(tumour).array[1] == 63
    with pytest.raises(StudyError, match="says itself which images it measures"):
        FeatureView(FeatureViewConfig(image="t1"), Ratio(OutlineConfig()))


class Age(OutlineFeatures):
    """A column as a feature; it looks at no image."""

    needs = Needs((), ("age",))

    def names(self, ndim: int) -> tuple[str, ...]:
        return ("age",)

    def extract(self, tumour: Tumour) -> Features:
        text = tumour.columns["age"]
        missing = {} if text else {"age": "the list does not say it"}
        return Features(np.array([float(text or "nan")]), missing)


def test_an_extractor_of_columns_is_a_clinical_view():
    check_view(FeatureView(FeatureViewConfig(width=8), Age(OutlineConfig())))
    views = {
        "clinical": FeatureView(FeatureViewConfig(), Age(OutlineConfig())),
        "radiomics": features(),
    }
    assert handcrafted(views) == "radiomics"  # conventional radiomics is of images
    assert handcrafted({"clinical": views["clinical"]}) is None
