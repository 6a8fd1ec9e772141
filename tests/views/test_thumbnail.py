"""Thumbnails: the outline lies on the mask's edge, the tumour stands as radiologists expect."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from rdfc_core.case import Tumour, Volume
from rdfc_core.views.outline import HALO, OUTLINE
from rdfc_core.views.thumbnail import Thumbnail, thumbnail


def pixels_of(png: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    return np.asarray(image.convert("RGB")).astype(int)


def outline_of(png: bytes) -> np.ndarray:
    return (pixels_of(png) == OUTLINE).all(axis=2)


def disc(shape, centre, radius, spacing=(1.0, 1.0)):
    rows, columns = np.indices(shape)
    distance = np.hypot((rows - centre[0]) * spacing[0], (columns - centre[1]) * spacing[1])
    return distance <= radius


def test_outline_is_a_circle_of_the_discs_radius_around_its_middle():
    mask = disc((300, 300), (150, 150), 50)
    image = Volume.of(np.random.default_rng(0).normal(size=mask.shape))
    png = thumbnail(Tumour(image, mask), 128)
    rows, columns = np.nonzero(outline_of(png))
    # The disc is 101 samples wide and the picture 1 + 2 · 0.3 times that, on 128 pixels.
    scale = 128 / (101 * 1.6)
    distances = np.hypot(rows - 63.5, columns - 63.5)
    assert distances.min() > 50.5 * scale - 2
    assert distances.max() < 50.5 * scale + 0.5
    angles = np.arctan2(rows - 63.5, columns - 63.5)
    assert np.diff(np.sort(angles)).max() < 0.06  # closed: no gap of two pixels


def test_outline_has_a_dark_rim_outside():
    mask = disc((100, 100), (50, 50), 20)
    pixels = pixels_of(thumbnail(Tumour(Volume.of(np.full(mask.shape, 9.0)), mask), 128))
    line = (pixels == OUTLINE).all(axis=2)
    top = int(np.flatnonzero(line[:, 64])[0])
    assert tuple(pixels[top - 1, 64]) == HALO
    assert set(pixels[top - 2, 64]) <= {127, 128}  # without contrast: an even grey


def test_proportions_follow_the_physical_spacing():
    spacing = (3.0, 1.0)
    mask = disc((60, 200), (30, 100), 30, spacing)
    png = thumbnail(Tumour(Volume.of(np.zeros(mask.shape), spacing), mask), 96)
    rows, columns = np.nonzero(outline_of(png))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert height == pytest.approx(width, abs=2)
    assert max(pixels_of(png).shape[:2]) == 96


def test_nothing_beyond_the_image_is_made_up():
    mask = np.zeros((40, 200), bool)
    mask[5:35, 60:140] = True
    png = thumbnail(Tumour(Volume.of(np.zeros(mask.shape)), mask), 128)
    # 80 wide plus 30 % on both sides, and all 40 rows that there are.
    assert pixels_of(png).shape[:2] == (40, 128)


def test_mask_cut_off_by_the_images_edge_is_open_there():
    mask = np.zeros((50, 50), bool)
    mask[20:30, :15] = True
    line = outline_of(thumbnail(Tumour(Volume.of(np.zeros(mask.shape)), mask), 128))
    left = np.flatnonzero(line[:, 0])
    assert len(left) == 2  # the two sides run into the edge; no line along it


def test_mask_of_one_sample_is_seen():
    mask = np.zeros((400, 400), bool)
    mask[200, 200] = True
    assert outline_of(thumbnail(Tumour(Volume.of(np.zeros(mask.shape)), mask))).any()


def test_one_hot_sample_does_not_darken_the_rest():
    mask = disc((80, 80), (40, 40), 20)
    image = np.random.default_rng(1).normal(100, 10, size=mask.shape)
    image[40, 40] = 1e6
    pixels = pixels_of(thumbnail(Tumour(Volume.of(image), mask)))
    assert 100 < np.median(pixels) < 155


def body() -> tuple[np.ndarray, np.ndarray]:
    """(Z, Y, X) with a mask largest in plane 3 and a bright spot at the patient's left front."""
    array = np.zeros((6, 40, 48))
    mask = np.zeros(array.shape, bool)
    mask[1, 18:22, 20:24] = True
    mask[3, 15:27, 17:29] = True
    mask[4, 16:24, 18:26] = True
    array[3, 12:14, 30:33] = 100.0  # small y is the front, large x the left
    return array, mask


def test_slice_with_the_largest_mask_is_shown_with_the_patients_left_on_the_right():
    array, mask = body()
    pixels = pixels_of(thumbnail(Tumour(Volume.of(array, (5.0, 1.0, 1.0)), mask), 100))
    bright = np.argwhere((pixels > 200).all(axis=2))
    height, width = pixels.shape[:2]
    assert len(bright) > 0  # only plane 3 holds the spot
    assert bright[:, 0].max() < height / 2
    assert bright[:, 1].min() > width / 2


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
@pytest.mark.parametrize("flipped", [(), (1,), (0, 2), (0, 1, 2)])
def test_picture_does_not_depend_on_how_the_file_stores_the_axes(axes, flipped):
    array, mask = body()
    plain = Volume.of(array, (5.0, 1.0, 1.5))
    direction = plain.direction.copy()
    for axis in flipped:
        array, mask = np.flip(array, axis), np.flip(mask, axis)
        direction[:, axis] *= -1
    stored = Volume(
        array.transpose(axes),
        tuple(plain.spacing_mm[a] for a in axes),
        plain.origin_mm,
        direction[:, list(axes)],
    )
    assert thumbnail(Tumour(stored, mask.transpose(axes))) == thumbnail(Tumour(plain, body()[1]))


def test_sizes_too_small_to_see_anything_are_refused():
    mask = disc((20, 20), (10, 10), 4)
    with pytest.raises(ValueError, match="at least 16 pixels, not 8"):
        thumbnail(Tumour(Volume.of(np.zeros(mask.shape)), mask), 8)


def test_extraction_keeps_the_same_png_as_bytes():
    mask = disc((20, 20), (10, 10), 4)
    tumour = Tumour(Volume.of(np.zeros(mask.shape)), mask)
    maker = Thumbnail(64)
    assert maker.prepare(tumour).array.tobytes() == thumbnail(tumour, 64)
    assert maker.recipe() != Thumbnail(32).recipe()
