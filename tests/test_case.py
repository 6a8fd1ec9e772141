"""A case: what loading checks, and where things are in the patient."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from rdfc_core.case import Case, Tumour, Volume, of_component, voxels_inside
from rdfc_core.data.readers.volumes import VolumeReader
from rdfc_core.errors import DataError
from rdfc_core.volume import bounding_box, check_same_grid, extents_of

TURNED = (0.36, 0.48, -0.8, -0.8, 0.6, 0.0, 0.48, 0.64, 0.6)  # an oblique rotation, row by row


def sitk_volume(array: np.ndarray, **geometry: tuple[float, ...]) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(geometry.get("spacing", (0.5, 0.75, 2.5)))
    image.SetOrigin(geometry.get("origin", (10.0, -20.0, 30.0)))
    image.SetDirection(geometry.get("direction", TURNED))
    return image


def ramp(shape: tuple[int, ...] = (6, 7, 8)) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.int16).reshape(shape)


def ball_mask(shape: tuple[int, ...] = (6, 7, 8)) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    mask[2:5, 1:4, 3:7] = 1
    return mask


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return write_case(tmp_path, sitk_volume(ramp()), sitk_volume(ball_mask()))


def write_case(folder: Path, image: sitk.Image, mask: sitk.Image, ending: str = ".nii.gz") -> Case:
    paths = folder / f"image{ending}", folder / f"mask{ending}"
    for volume, path in zip((image, mask), paths, strict=True):
        sitk.WriteImage(volume, str(path))
    return Case("a", "p", *paths, reader=VolumeReader())


def test_a_sound_case_loads_with_its_mask_and_box(case: Case) -> None:
    tumour = case.load()
    np.testing.assert_array_equal(tumour.mask, ball_mask() == 1)
    assert tumour.mask.dtype == np.bool_
    assert tumour.box == (slice(2, 5), slice(1, 4), slice(3, 7))
    assert tumour.ndim == 3


# Geometry


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"spacing": (0.5, 0.75, 2.6)}, r"spacing \(mm\) \(2.6, 0.75, 0.5\).*\(2.5, 0.75, 0.5\)"),
        ({"origin": (10.1, -20.0, 30.0)}, r"origin \(mm\) \(10.1, -20, 30\).*\(10, -20, 30\)"),
        ({"direction": (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)}, r"direction \(0, 0, 1.*\(-0.8, 0.48, "),
    ],
)
def test_a_mask_on_another_grid_is_refused_with_both_values(
    tmp_path: Path, changed: dict[str, tuple[float, ...]], shown: str
) -> None:
    case = write_case(tmp_path, sitk_volume(ramp()), sitk_volume(ball_mask(), **changed))
    with pytest.raises(DataError, match=f"^Case a: the mask has {shown}.*Resample"):
        case.load()


def test_a_mask_of_another_shape_is_refused_with_both_shapes(tmp_path: Path) -> None:
    case = write_case(tmp_path, sitk_volume(ramp()), sitk_volume(ball_mask((6, 7, 9))))
    with pytest.raises(DataError, match=r"shape \(6, 7, 9\) and the image \(6, 7, 8\)"):
        case.load()


@pytest.mark.parametrize(
    "rounding",
    [
        {"spacing": (0.5004, 0.75, 2.5)},
        {"origin": (10.04, -20.0, 30.0)},  # less than a tenth of the smallest voxel side, 0.05 mm
        {"direction": tuple(d + 5e-4 for d in TURNED)},
    ],
)
def test_rounding_in_a_header_is_no_difference(rounding: dict[str, tuple[float, ...]]) -> None:
    image, mask = sitk_volume(ramp()), sitk_volume(ball_mask(), **rounding)
    check_same_grid(Volume.from_sitk(image), Volume.from_sitk(mask))


def test_a_picture_with_a_mask_of_one_slice_is_refused() -> None:
    with pytest.raises(DataError, match=r"\(1, 4, 5\) and the image \(4, 5\)"):
        check_same_grid(Volume.of(np.zeros((4, 5))), Volume.of(np.zeros((1, 4, 5))))


# The mask


def test_an_empty_mask_is_refused(tmp_path: Path) -> None:
    case = write_case(tmp_path, sitk_volume(ramp()), sitk_volume(ball_mask() * 0))
    with pytest.raises(DataError, match=r"^Case a: the mask is empty \(it holds \[0\]\).*mask.nii"):
        case.load()


def test_a_mask_without_the_wanted_value_tells_what_it_holds(case: Case) -> None:
    with pytest.raises(DataError, match=r"empty at value 2 \(it holds \[0, 1\]\).*mask_value"):
        replace(case, mask_value=2).load()


@pytest.mark.parametrize(("mask_value", "inside"), [(None, 5), (1, 3), (2, 2)])
def test_the_mask_value_chooses_the_tumour(mask_value: int | None, inside: int) -> None:
    mask = Volume.of(np.array([[0, 1, 1, 1, 0, 2, 2]], np.uint8))
    assert voxels_inside(mask, mask_value).sum() == inside


def test_nan_in_a_mask_is_refused_and_not_taken_for_tumour() -> None:
    with pytest.raises(DataError, match="the mask holds NaN"):
        voxels_inside(Volume.of(np.array([[0.0, np.nan, 1.0]])), None)


def test_only_the_largest_component_is_kept_on_request(tmp_path: Path) -> None:
    mask = ball_mask()
    mask[0, 6, 0:2] = 1  # two voxels apart from the 36 of the box
    case = write_case(tmp_path, sitk_volume(ramp()), sitk_volume(mask))
    assert case.load().mask.sum() == 38
    assert replace(case, component="largest").load().mask.sum() == 36


def test_corners_hold_a_component_together() -> None:
    diagonal = np.eye(4, dtype=bool)
    assert of_component(diagonal, "largest").sum() == 4
    apart = np.array([[True, True, False, True]])
    assert of_component(apart, "largest").tolist() == [[True, True, False, False]]


# The image


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused_with_their_count(
    tmp_path: Path, bad: float, ending: str
) -> None:
    image = ramp().astype(np.float32)
    image[0, 0, :3] = bad
    case = write_case(tmp_path, sitk_volume(image), sitk_volume(ball_mask()), ending)
    with pytest.raises(DataError, match=r"^Case a: .* holds? 3 NaN or infinite voxels"):
        case.load()


def test_a_missing_file_is_named_with_its_case_and_role(case: Case) -> None:
    case.mask.unlink()
    with pytest.raises(DataError, match=r"^Case a: the mask .*mask\.nii\.gz does not exist"):
        case.load()
    with pytest.raises(DataError, match=r"^Case a: the mask .*mask\.nii\.gz does not exist"):
        case.fingerprint()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
def test_a_pipe_is_refused_since_it_may_never_end(case: Case) -> None:
    case.mask.unlink()
    os.mkfifo(case.mask)
    for action in (case.load, case.fingerprint):
        with pytest.raises(DataError, match=r"^Case a: the mask .* is neither a file nor a folder"):
            action()


def test_a_name_that_the_system_refuses_is_told(case: Case) -> None:
    with pytest.raises(DataError, match=r"^Case a: the image .* cannot be found \(file name too"):
        replace(case, image=case.image.with_name("x" * 5000)).load()


def test_a_case_without_a_reader_says_so(case: Case) -> None:
    with pytest.raises(DataError, match=r"^Case a: no reader is set"):
        replace(case, reader=None).load()


# Geometry in space


def test_simpleitk_gets_back_what_it_gave() -> None:
    image = sitk_volume(ramp())
    back = Volume.from_sitk(image).to_sitk()
    assert back.GetSpacing() == image.GetSpacing()
    assert back.GetOrigin() == image.GetOrigin()
    assert back.GetDirection() == pytest.approx(image.GetDirection())
    assert back.GetPixelID() == image.GetPixelID()
    np.testing.assert_array_equal(sitk.GetArrayFromImage(back), ramp())


def test_spacing_and_direction_follow_the_axes_of_the_array() -> None:
    image = sitk_volume(ramp())
    volume = Volume.from_sitk(image)
    place = np.array(volume.origin_mm) + volume.direction @ (
        np.array([3, 2, 1]) * np.array(volume.spacing_mm)
    )
    assert place == pytest.approx(image.TransformIndexToPhysicalPoint((1, 2, 3)))


def test_a_plain_volume_has_the_geometry_that_simpleitk_gives_a_bare_array() -> None:
    ours = Volume.of(ramp(), spacing_mm=(2.5, 0.75, 0.5)).to_sitk()
    bare = sitk.GetImageFromArray(ramp())
    assert ours.GetSpacing() == (0.5, 0.75, 2.5)
    assert ours.GetOrigin() == bare.GetOrigin()
    assert ours.GetDirection() == bare.GetDirection()


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("margin", [0, 1, 100])
def test_a_crop_stays_at_its_place_in_the_patient(ndim: int, margin: int) -> None:
    if ndim == 3:
        image, mask = sitk_volume(ramp()), ball_mask() == 1
    else:
        image, mask = sitk.GetImageFromArray(ramp()[0]), ball_mask()[2] == 1
        image.SetSpacing((0.5, 0.75))
        image.SetOrigin((3.0, 4.0))
        image.SetDirection((0.6, -0.8, 0.8, 0.6))
    tumour = Tumour(Volume.from_sitk(image), mask)
    crop = tumour.crop(margin)
    first = [max(0, side.start - margin) for side in tumour.box]
    index = [int(i) for i in first[::-1]]  # SimpleITK counts x first
    assert crop.image.origin_mm == pytest.approx(image.TransformIndexToPhysicalPoint(index))
    assert crop.image.array.flat[0] == image[index]
    assert crop.mask.sum() == mask.sum()
    assert crop.mask.shape == crop.image.array.shape


@pytest.mark.parametrize(
    ("direction", "axis"),
    [
        ((1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0), 0),  # slices first, as from most scanners
        ((0.0, 0, -1.0, 0, 1.0, 0, -1.0, 0, 0), 2),  # KiTS19: files of (slices, height, width)
        ((0.0, 1.0, 0, 0, 0, 1.0, 1.0, 0, 0), 2),
        ((1.0, 0, 0, 0, 0, 1.0, 0, -1.0, 0), 1),  # coronal planes
    ],
)
def test_the_slice_axis_is_the_one_along_head_and_foot(
    direction: tuple[float, ...], axis: int
) -> None:
    # The third row of the direction says how far a step along x, y or z goes towards the head.
    assert Volume.from_sitk(sitk_volume(ramp(), direction=direction)).slice_axis == axis


def test_a_picture_has_no_slice_axis() -> None:
    with pytest.raises(DataError, match="no slice axis"):
        _ = Volume.of(np.zeros((4, 5))).slice_axis


# Fingerprint


def test_the_fingerprint_knows_content_and_meaning_but_not_place_and_time(
    case: Case, tmp_path: Path
) -> None:
    before = case.fingerprint()
    moved = replace(
        case,
        case_id="b",
        image=case.image.rename(tmp_path / "other.nii.gz"),
        mask=case.mask.rename(tmp_path / "other_mask.nii.gz"),
    )
    os.utime(moved.image, (0, 0))
    assert moved.fingerprint() == before
    assert replace(moved, label="benign").fingerprint() == before
    assert replace(moved, mask_value=1).fingerprint() != before
    assert replace(moved, component="largest").fingerprint() != before
    image = ramp()
    image[0, 0, 0] += 1
    sitk.WriteImage(sitk_volume(image), str(moved.image))
    assert moved.fingerprint() != before


def test_image_and_mask_swapped_have_another_fingerprint(case: Case) -> None:
    assert replace(case, image=case.mask, mask=case.image).fingerprint() != case.fingerprint()


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_box_is_from_the_first_to_the_last_sample_of_each_axis(ndim):
    rng = np.random.default_rng(ndim)
    for _ in range(20):
        mask = np.zeros((9,) * ndim, bool)
        for place in rng.integers(0, 9, (3, ndim)):
            mask[tuple(place)] = True
        box = bounding_box(mask)
        ends = [(int(along.min()), int(along.max()) + 1) for along in np.nonzero(mask)]
        assert [(span.start, span.stop) for span in box] == ends
        assert extents_of(box) == tuple(stop - start for start, stop in ends)
    with pytest.raises(ValueError, match="empty"):
        bounding_box(np.zeros((4,) * ndim, bool))
