"""Colour statistics: against OpenCV's and matplotlib's colours, and on colours that one can see."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage

from rdfc_core.case import Tumour, Volume
from rdfc_core.errors import DataError, StudyError
from rdfc_core.testing import check_feature_extractor
from rdfc_features_native.colour import NAMES, NO_HUE, NO_RIM, ColourExtractor, rim_of
from rdfc_features_native.colour_config import ColourConfig


def extractor(**options):
    return ColourExtractor(ColourConfig(**options))


def tumour(colour, mask=None, spacing_mm=(1.0, 1.0)):
    colour = np.asarray(colour)
    grey = np.rint(colour @ [0.299, 0.587, 0.114]).astype(colour.dtype)
    if mask is None:
        mask = np.zeros(grey.shape, bool)
        mask[8:20, 10:26] = True
    volume = Volume(grey, spacing_mm, (0.0, 0.0), np.eye(2)[:, ::-1], colour=colour)
    return Tumour(volume, mask)


def noise(seed=0, dtype=np.uint8, most=256):
    return np.random.default_rng(seed).integers(0, most, (30, 34, 3)).astype(dtype)


def measured(case, **options):
    found = extractor(**options).extract(case)
    return dict(zip(NAMES, found.values, strict=True)), found.missing


def test_the_extractor_keeps_the_promises_of_its_kind():
    check_feature_extractor(extractor(), (2,))


def test_there_are_22_features_of_pictures_and_none_of_volumes():
    assert len(set(NAMES)) == len(extractor().names(2)) == 22
    with pytest.raises(StudyError, match="colour pictures, and the cases are volumes"):
        extractor().names(3)


def test_channels_are_measured_as_numpy_does():
    case = tumour(noise())
    found, missing = measured(case)
    assert not missing
    for place, channel in enumerate(("red", "green", "blue")):
        inside = case.image.colour[..., place][case.mask].astype(float)
        assert found[f"{channel}_colour_Mean"] == pytest.approx(inside.mean())
        assert found[f"{channel}_colour_StandardDeviation"] == pytest.approx(inside.std())
        assert found[f"{channel}_colour_10Percentile"] == np.percentile(inside, 10)
        assert found[f"{channel}_colour_90Percentile"] == np.percentile(inside, 90)


def test_saturation_is_that_of_opencv():
    case = tumour(noise(1))
    hsv = cv2.cvtColor((case.image.colour / 255).astype(np.float32), cv2.COLOR_RGB2HSV)
    inside = hsv[..., 1][case.mask]
    found, _ = measured(case)
    assert found["saturation_colour_Mean"] == pytest.approx(inside.mean(), rel=1e-5)
    assert found["saturation_colour_StandardDeviation"] == pytest.approx(inside.std(), rel=1e-5)


@pytest.mark.parametrize(
    ("colour", "degrees"),
    [((255, 0, 0), 0), ((255, 255, 0), 60), ((0, 255, 0), 120), ((0, 0, 255), 240),
     ((200, 100, 150), None), ((90, 130, 20), None)],
)  # fmt: skip
def test_the_hue_of_one_colour_is_its_angle(colour, degrees):
    flat = np.full((30, 34, 3), colour, np.uint8)
    found, _ = measured(tumour(flat))
    angle = np.degrees(np.arctan2(found["hue_colour_MeanSine"], found["hue_colour_MeanCosine"]))
    by_opencv = cv2.cvtColor((flat[:1, :1] / 255).astype(np.float32), cv2.COLOR_RGB2HSV)[0, 0, 0]
    # The hexcone's hue is that of the circle at its corners, and up to 1.12 degrees off between.
    assert angle % 360 == pytest.approx(by_opencv if degrees is None else degrees, abs=1.2)
    assert found["hue_colour_Spread"] == pytest.approx(0, abs=1e-12)


def test_opposite_hues_in_equal_parts_have_the_largest_spread():
    both = np.full((30, 34, 3), (200, 100, 100), np.uint8)
    both[:14] = (100, 200, 200)  # the outline is of rows 8 to 19
    found, _ = measured(tumour(both))
    assert found["hue_colour_Spread"] == pytest.approx(1)


def test_contrasts_are_inside_less_the_rim():
    colour = np.full((30, 34, 3), (10, 20, 30), np.uint8)
    colour[8:20, 10:26] = (110, 70, 40)
    colour[:2] = 255  # beyond the rim
    found, _ = measured(tumour(colour))
    differences = [found[f"{name}_colour_RimContrast"] for name in ("red", "green", "blue")]
    assert differences == [100, 50, 10]
    assert found["saturation_colour_RimContrast"] == pytest.approx(70 / 110 - 20 / 30)
    inside, around = (complex(r - (g + b) / 2, 0.75**0.5 * (g - b))
                      for r, g, b in ((110, 70, 40), (10, 20, 30)))  # fmt: skip
    assert found["chroma_colour_RimContrast"] == pytest.approx(abs(inside - around))


def test_the_rim_is_a_dilation_less_the_outline_in_mm():
    y, x = np.mgrid[:80, :80]
    disc = (y - 40) ** 2 + (x - 40) ** 2 <= 20**2
    case = tumour(np.zeros((80, 80, 3), np.uint8), disc)
    rim = rim_of(case, 0.3)
    radius = np.sqrt(disc.sum() / np.pi)
    steps = np.hypot(*np.mgrid[-8:9, -8:9]) <= 0.3 * radius
    np.testing.assert_array_equal(rim, ndimage.binary_dilation(disc, steps) & ~disc)
    flat = rim_of(tumour(np.zeros((80, 80, 3), np.uint8), disc, (2.0, 1.0)), 0.3)
    rows, columns = flat.any(axis=1).sum() - 41, flat.any(axis=0).sum() - 41
    assert columns == pytest.approx(2 * rows, abs=2)


def test_a_grey_picture_has_no_hue_and_says_so():
    grey = Tumour(Volume.of(noise()[..., 0]), tumour(noise()).mask)
    found, missing = measured(grey)
    assert {name for name, why in missing.items() if why == NO_HUE} == {
        name for name in NAMES if name.startswith("hue")
    }
    assert found["red_colour_Mean"] == found["blue_colour_Mean"]
    assert found["saturation_colour_Mean"] == found["chroma_colour_RimContrast"] == 0


def test_an_outline_that_fills_the_image_has_no_rim_and_says_so():
    found, missing = measured(tumour(noise(), np.ones((30, 34), bool)))
    assert set(missing.values()) == {NO_RIM}
    assert np.isfinite(found["hue_colour_Spread"])
    assert np.isnan(found["red_colour_RimContrast"])


def test_deep_colours_differ_in_their_unit_alone():
    shallow, _ = measured(tumour(noise()))
    deep, _ = measured(tumour(noise().astype(np.uint16) * 257))
    for name, value in shallow.items():
        of_unit = name.startswith(("hue", "saturation"))
        assert deep[name] == pytest.approx(value if of_unit else 257 * value)


def test_what_cannot_be_measured_is_refused_by_check_as_well():
    case = tumour(noise())
    odd = Tumour(case.image, np.ones((3, 3), bool))
    for call in (extractor().extract, extractor().check):
        with pytest.raises(DataError, match="Resample the mask onto the image's grid"):
            call(odd)
    assert extractor().recipe() == {"extractor": "colour", "version": 1, "rim": 0.3}
