"""From a tumour to the picture a network sees: each answer is drawn by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import torch
from numpy.typing import NDArray
from torchvision.transforms.v2.functional import resized_crop

from rdfc_core import DataError
from rdfc_core.case import Case, Tumour, Volume
from rdfc_core.views.augmentation import augment_pictures, resize
from rdfc_core.views.crop import picture, spread_slices
from rdfc_core.views.image_view import ImageView
from rdfc_core.views.options import ImageViewConfig
from tests.support.small_parts import SmallCnn, SmallCnnConfig


def tumour_of(
    image: NDArray[Any], box: Sequence[slice], spacing_mm: tuple[float, ...] | None = None
) -> Tumour:
    mask = np.zeros(image.shape, bool)
    mask[tuple(box)] = True
    return Tumour(Volume.of(image, spacing_mm), mask)


def shown(tumour: Tumour, dims: int = 2, ratio: float | None = None, **options: Any) -> Any:
    return picture(tumour, ImageViewConfig(encoder="any", **options), dims, ratio)


@pytest.fixture
def ramp() -> NDArray[np.uint8]:
    """30 rows, 40 columns; row r, column c holds 5 r + c."""
    return np.add.outer(5 * np.arange(30), np.arange(40)).astype(np.uint8)


def test_a_picture_is_the_masks_box_in_0_to_1(ramp):
    found = shown(tumour_of(ramp, (slice(4, 10), slice(20, 31))))
    assert found.shape == (1, 6, 11)
    assert found.dtype == np.float16
    np.testing.assert_allclose(found[0], ramp[4:10, 20:31] / 255, atol=1e-3)


def test_the_margin_is_a_share_of_the_box_and_repeats_the_images_edge(ramp):
    found = shown(tumour_of(ramp, (slice(2, 12), slice(20, 40))), margin=0.5)
    assert found.shape == (1, 20, 40)  # 5 rows above and below, 10 columns left and right
    np.testing.assert_allclose(found[0, 5:15, 10:30], ramp[2:12, 20:40] / 255, atol=1e-3)
    assert (found[0, 0] == found[0, 3]).all()  # rows -3 … 0 are row 0
    assert (found[0, :, 29] == found[0, :, 39]).all()  # columns 39 … 49 are column 39


def test_the_outline_ends_with_the_image_and_is_not_continued_beyond_its_border(ramp):
    found = shown(tumour_of(ramp, (slice(0, 10), slice(30, 40))), margin=0.5, mask_channel=True)
    assert found.shape == (2, 20, 20)
    outline = np.zeros((20, 20))
    outline[5:15, 5:15] = 1  # five rows above and five columns to the right are no image
    np.testing.assert_array_equal(found[1], outline)


def test_the_mask_follows_the_picture_as_a_channel(ramp):
    tumour = tumour_of(ramp, (slice(4, 10), slice(20, 30)))
    tumour.mask[4, 20] = False
    found = shown(tumour, mask_channel=True, margin=0.1)
    assert found.shape == (2, 8, 12)
    expected = np.pad(tumour.mask[4:10, 20:30], 1)
    np.testing.assert_array_equal(found[1], expected)


def test_the_window_maps_its_ends_to_0_and_1_and_clips():
    image = np.array([[-500.0, -200.0], [50.0, 999.0]], np.float32)
    found = shown(tumour_of(image, (slice(0, 2), slice(0, 2))), window=(-200, 300))
    np.testing.assert_allclose(found[0], [[0, 0], [0.5, 1]])


def test_eight_bit_pictures_keep_their_scale_and_others_take_their_percentiles():
    grey = np.full((10, 10), 51, np.uint8)
    np.testing.assert_allclose(shown(tumour_of(grey, (slice(0, 10),) * 2)), 0.2, atol=1e-4)
    wide = np.arange(100, dtype=np.int16).reshape(10, 10) * 100
    found = shown(tumour_of(wide, (slice(0, 10),) * 2))[0]
    low, high = np.percentile(wide, (1, 99))
    np.testing.assert_allclose(found, ((wide - low) / (high - low)).clip(0, 1), atol=1e-3)
    assert shown(tumour_of(wide * 0, (slice(0, 10),) * 2)).max() == 0  # constant, not NaN


@pytest.mark.parametrize(
    ("start", "stop", "count", "expected"),
    [
        (0, 10, 10, range(10)),
        (5, 8, 3, [5, 6, 7]),
        (0, 19, 10, range(0, 19, 2)),
        (3, 103, 2, [3, 102]),
        (0, 5, 1, [0]),
        (0, 4, 10, [0, 0, 1, 1, 1, 2, 2, 2, 3, 3]),  # twice each, and the middle ones once more
        (7, 8, 3, [7, 7, 7]),
        (0, 3, 4, [0, 1, 1, 2]),
        (0, 3, 5, [0, 0, 1, 1, 2]),
        (2, 4, 5, [2, 2, 2, 3, 3]),
    ],
)
def test_slices_are_spread_evenly_or_repeated_from_the_middle(start, stop, count, expected):
    assert spread_slices(start, stop, count).tolist() == list(expected)


@pytest.mark.parametrize("available", range(1, 25))
def test_spread_slices_are_ordered_within_the_tumour_and_differ_by_one_repeat(available):
    for count in range(1, 25):
        found = spread_slices(4, 4 + available, count)
        assert len(found) == count
        assert (np.diff(found) >= 0).all()
        assert found.min() >= 4
        assert found.max() < 4 + available
        if count >= available:
            times = np.bincount(found - 4, minlength=available)
            assert times.min() >= 1
            assert np.ptp(times) <= 1


@pytest.fixture
def scan() -> NDArray[np.int16]:
    """12 slices of 20 × 24; slice z, row r, column c holds 100 z + 2 r + c."""
    z, r, c = np.mgrid[:12, :20, :24]
    return (100 * z + 2 * r + c).astype(np.int16)


def test_slices_of_a_volume_are_channels(scan):
    tumour = tumour_of(scan, (slice(3, 8), slice(5, 9), slice(10, 20)), (3.0, 1.0, 1.0))
    found = shown(tumour, window=(0, 1200), slices=3)
    assert found.shape == (3, 4, 10)
    np.testing.assert_allclose(found, scan[3:8:2, 5:9, 10:20] / 1200, atol=1e-3)
    with_mask = shown(tumour, window=(0, 1200), slices=3, mask_channel=True)
    assert with_mask.shape == (6, 4, 10)
    assert (with_mask[3:] == 1).all()


def test_a_volume_keeps_its_depth_for_a_volume_encoder(scan):
    tumour = tumour_of(scan, (slice(3, 8), slice(5, 9), slice(10, 20)))
    found = shown(tumour, dims=3, window=(0, 1200), mask_channel=True)
    assert found.shape == (2, 5, 4, 10)
    np.testing.assert_allclose(found[0], scan[3:8, 5:9, 10:20] / 1200, atol=1e-3)


def test_a_picture_for_a_volume_encoder_is_refused(ramp):
    with pytest.raises(DataError, match="2D picture and the encoder takes volumes"):
        shown(tumour_of(ramp, (slice(0, 4), slice(0, 4))), dims=3)


def write(path: Path, array: NDArray[Any], direction: Sequence[float]) -> None:
    image = sitk.GetImageFromArray(array)
    image.SetDirection(direction)
    sitk.WriteImage(image, str(path))


@pytest.mark.parametrize(
    ("axes", "turned", "direction"),
    [
        # Column i of the direction is where SimpleITK's axis i points; it runs through the array's
        # axes backwards. x is c, y is r, z is z.
        ((1, 2, 0), (), (0, 1, 0, 0, 0, 1, 1, 0, 0)),
        ((2, 1, 0), (), (0, 0, 1, 0, 1, 0, 1, 0, 0)),
        ((2, 1, 0), (0,), (0, 0, 1, 0, 1, 0, -1, 0, 0)),  # KiTS19: slices from head to foot
        ((0, 1, 2), (1, 2), (-1, 0, 0, 0, -1, 0, 0, 0, 1)),  # as NIfTI's own axes run
    ],
)
def test_a_file_gives_the_same_picture_however_it_stores_its_axes(
    scan, tmp_path, reader, axes, turned, direction
):
    mask = np.zeros(scan.shape, np.uint8)
    mask[3:8, 5:9, 10:20] = 1
    for name, array in (("image", scan), ("mask", mask)):
        stored = np.transpose(np.flip(array, turned), axes).copy()
        write(tmp_path / f"{name}.nii.gz", stored, direction)
    paths = tmp_path / "image.nii.gz", tmp_path / "mask.nii.gz"
    tumour = Case("a", "a", *paths, reader=reader).load()
    assert tumour.image.slice_axis == axes.index(0)
    for dims in (2, 3):
        plain = tumour_of(scan, (slice(3, 8), slice(5, 9), slice(10, 20)))
        found = shown(tumour, dims, window=(0, 1200), slices=4)
        np.testing.assert_array_equal(found, shown(plain, dims, window=(0, 1200), slices=4))


def disc(spacing_mm: tuple[float, float], radius_mm: float = 12.0) -> Tumour:
    """A disc, sampled on a grid that may be finer along one axis."""
    rows, columns = (round(60 / s) for s in spacing_mm)
    y, x = np.mgrid[:rows, :columns]
    away = np.hypot((y + 0.5) * spacing_mm[0] - 30, (x + 0.5) * spacing_mm[1] - 30)
    inside = away <= radius_mm
    return Tumour(Volume.of((inside * 255).astype(np.uint8), spacing_mm), inside)


def extent(batch: torch.Tensor) -> tuple[int, int]:
    inside = batch[0] > 0.5
    return int(inside.any(1).sum()), int(inside.any(0).sum())


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0), (0.5, 1.0), (1.0, 0.25)])
def test_a_circle_stays_a_circle_where_proportions_are_kept(spacing_mm):
    found = shown(disc(spacing_mm), aspect="keep", ratio=1.0, margin=0.2)
    height, width = extent(resize(torch.from_numpy(found), (64, 64)))
    assert abs(height - width) <= 2
    assert height > 40


def test_a_flat_tumour_stays_flat_where_proportions_are_kept_and_not_where_stretched():
    flat = tumour_of(np.full((60, 60), 255, np.uint8), (slice(25, 30), slice(10, 50)))
    flat.image.array[~flat.mask] = 0
    kept = resize(torch.from_numpy(shown(flat, aspect="keep", ratio=1.0)), (64, 64))
    assert extent(kept) == (8, 64)  # 5 : 40
    stretched = resize(torch.from_numpy(shown(flat)), (64, 64))
    assert extent(stretched) == (64, 64)
    tall = resize(torch.from_numpy(shown(flat, aspect="keep", ratio=2.0)), (128, 64))
    assert extent(tall) == (8, 64)


def test_the_average_size_of_kept_proportions_is_square():
    config = ImageViewConfig(encoder="small-cnn", aspect="keep", size="average")
    view = ImageView(config, SmallCnn(SmallCnnConfig()))
    prepared = [view.prepare(disc((0.5, 1.0))), view.prepare(disc((0.5, 1.0), 8.0))]
    view.fit(prepared)
    batch = view.collate(prepared)
    assert batch.shape[-1] == batch.shape[-2]
    height, width = extent(batch[0])
    assert abs(height - width) <= 2


def test_resizing_does_not_alias():
    stripes = torch.zeros(1, 64, 64)
    stripes[:, ::2] = 1  # every second row: the mean is a half everywhere
    found = resize(stripes, (16, 16))
    assert float((found - 0.5).abs().max()) < 0.1


def test_resizing_a_volume_keeps_constant_values():
    assert torch.equal(resize(torch.ones(2, 5, 6, 7), (3, 9, 4)), torch.ones(2, 3, 9, 4))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("shape", [(6, 1, 32, 24), (4, 2, 5, 16, 20)])
def test_augmentation_follows_its_generator_and_is_each_cases_own(shape):
    batch = torch.rand(shape[1:], generator=seeded(9)).expand(shape).clone()
    first = augment_pictures(batch, (0.3, 0.9), ("horizontal",), seeded(1))
    assert first.shape == batch.shape
    assert torch.equal(first, augment_pictures(batch, (0.3, 0.9), ("horizontal",), seeded(1)))
    assert not torch.equal(first, augment_pictures(batch, (0.3, 0.9), ("horizontal",), seeded(2)))
    for place in range(1, len(batch)):  # the cases were the same picture
        assert not torch.equal(first[0], first[place])
    assert float(first.min()) >= 0
    assert float(first.max()) <= 1


def test_augmentation_does_not_touch_the_global_generator():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    batch = torch.rand(2, 1, 8, 8, generator=seeded(0))
    augment_pictures(batch, (0.4, 1.0), ("vertical",), seeded(0))
    assert torch.equal(torch.rand(1), expected)


def test_the_whole_picture_without_flips_is_the_picture():
    square = torch.rand(3, 1, 20, 20, generator=seeded(0))
    # A crop of the whole area may still be wider than high: only a square of full scale is kept.
    varied = augment_pictures(square, (1.0, 1.0), (), seeded(0))
    assert varied.shape == square.shape
    flat = torch.full((2, 1, 9, 9), 0.4)
    torch.testing.assert_close(augment_pictures(flat, (0.2, 1.0), ("vertical",), seeded(0)), flat)


def test_a_crop_is_that_of_torchvision_also_at_its_edge():
    shape, ends = (5, 2, 30, 44), ("horizontal", "vertical")
    ramps = torch.stack(torch.meshgrid(torch.arange(30.0), torch.arange(44.0), indexing="ij"))
    noise = torch.rand(shape, generator=seeded(4))
    boxes = augment_pictures(ramps.expand(shape).clone(), (0.1, 0.9), ends, seeded(5))
    varied = augment_pictures(noise, (0.1, 0.9), ends, seeded(5))
    for box, plain, cropped in zip(boxes, noise, varied, strict=True):
        (top, left), (bottom, right) = (
            [int(axis.round()) for axis in find(box.flatten(1), dim=1)]
            for find in (torch.amin, torch.amax)
        )
        size = bottom - top + 1, right - left + 1
        expected = resized_crop(plain, top, left, *size, [30, 44], antialias=True)
        turned = [axis for axis in (1, 2) if box[axis - 1].flatten()[0] > box[axis - 1].mean()]
        torch.testing.assert_close(cropped, expected.flip(turned), rtol=0, atol=2e-5)


def test_each_flip_happens_to_half_of_the_cases():
    ramp = torch.linspace(0, 1, 40).reshape(1, 1, 1, 40).expand(400, 1, 40, 40)
    varied = augment_pictures(ramp, (0.5, 1.0), ("horizontal",), seeded(0))
    flipped = (varied[:, 0, 20, 0] > varied[:, 0, 20, -1]).float().mean()
    assert 0.4 < float(flipped) < 0.6
    upright = augment_pictures(ramp.transpose(2, 3), (0.5, 1.0), ("horizontal",), seeded(0))
    assert (upright[:, 0, 0, 20] < upright[:, 0, -1, 20]).all()


def test_crops_cover_the_share_of_the_picture_that_was_asked_for():
    coordinates = torch.linspace(0, 1, 64).reshape(1, 1, 1, 64).expand(300, 1, 64, 64)
    varied = augment_pictures(coordinates, (0.25, 0.25), (), seeded(0))
    width = (varied[:, 0, 0, -1] - varied[:, 0, 0, 0]) * 63 + 1  # of the crop, in pixels
    upright = augment_pictures(coordinates.transpose(2, 3), (0.25, 0.25), (), seeded(0))
    height = (upright[:, 0, -1, 0] - upright[:, 0, 0, 0]) * 63 + 1
    area = (width * height).mean() / 64**2
    assert float(area) == pytest.approx(0.25, abs=0.02)
    proportions = (width / height).log()
    assert float(proportions.abs().max()) <= math.log(4 / 3) + 0.1
    assert float(proportions.std()) > 0.1


def test_proportions_that_would_take_gigabytes_are_refused():
    uneven = Tumour(Volume.of(np.eye(20), (1e-3, 1e3)), np.eye(20, dtype=bool))
    with pytest.raises(DataError, match=r"spacing of 0.001 x 1000 mm is too uneven.*stretch"):
        shown(uneven, aspect="keep", ratio=1.0)
