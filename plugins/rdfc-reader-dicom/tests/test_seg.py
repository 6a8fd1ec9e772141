"""SEG by highdicom becomes the mask that was drawn, voxel for voxel, with the same features."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from rdfc_core import Case, DataError, Volume, extract_features
from rdfc_core.case import mask_of
from rdfc_core.mask_grid import MaskGrid
from rdfc_core.volume import check_same_grid
from rdfc_reader_dicom.config import DicomReaderConfig
from rdfc_reader_dicom.reader import DicomReader

sys.path.append(str(Path(__file__).parent))
import dicom_trees as trees

pytest.importorskip("highdicom")

dicom = DicomReader()


@pytest.fixture(params=["axial", "oblique"])
def drawn(request, tmp_path):
    """A series with its images, and a ball with a hole in it."""
    volume = trees.scan(direction=None if request.param == "axial" else trees.oblique())
    images = trees.slices(volume)
    trees.write_series(tmp_path / "CT", images)
    return volume, images, trees.ball(volume)


def nifti(path: Path, volume: Volume) -> Path:
    sitk.WriteImage(volume.to_sitk(), str(path))
    return path


def test_the_mask_is_equal_voxel_for_voxel_and_the_features_are_those_of_nifti(tmp_path, drawn):
    volume, images, inside = drawn
    assert not inside[0].any()  # so that frames of empty slices are missing
    seg = trees.save(trees.segmentation(images, {"Tumour": inside}), tmp_path / "seg.dcm")
    mask = dicom.read_mask(seg, dicom.read_image(tmp_path / "CT"))
    np.testing.assert_array_equal(mask.array, inside)
    assert mask.notes == ()
    outline = Volume(inside.astype(np.uint8), volume.spacing_mm, volume.origin_mm, volume.direction)
    files = nifti(tmp_path / "i.nii.gz", volume), nifti(tmp_path / "m.nii.gz", outline)
    cases = [Case("a", "a", tmp_path / "CT", seg), Case("b", "b", *files)]
    table = extract_features(cases, {"setting": {"binWidth": 25}}, store=tmp_path / "store")
    ours, theirs = table.drop(columns=["case_id", "patient_id", "label"]).to_numpy(float)
    assert len(ours) > 90
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-12)


def test_segments_are_named_by_number_or_label(tmp_path, drawn):
    _, images, inside = drawn
    low = inside & (np.arange(inside.shape[1])[None, :, None] < 14)
    masks = {"Tumour, solid": low, "Necrosis": inside & ~low}
    seg = trees.save(trees.segmentation(images, masks), tmp_path / "seg.dcm")
    image = dicom.read_image(tmp_path / "CT")
    both = dicom.read_mask(seg, image).array
    np.testing.assert_array_equal(both, low + 2 * (inside & ~low))
    for chosen, wanted in (("1", low), ("Tumour, solid", low), ("Necrosis", inside & ~low)):
        named = Path(f"{seg}#segment={chosen}")
        np.testing.assert_array_equal(dicom.read_mask(named, image).array, wanted)
        configured = DicomReader(DicomReaderConfig(segment=chosen))
        np.testing.assert_array_equal(configured.read_mask(seg, image).array, wanted)
    with pytest.raises(DataError) as caught:
        dicom.read_mask(Path(f"{seg}#segment=Oedema"), image)
    assert "no segment 'Oedema'. It holds 1 (Tumour, solid), 2 (Necrosis)" in str(caught.value)


def test_segments_that_overlap_are_told_apart_by_name_alone(tmp_path, drawn):
    _, images, inside = drawn
    seg = trees.save(
        trees.segmentation(images, {"whole": inside, "core": inside}), tmp_path / "seg.dcm"
    )
    image = dicom.read_image(tmp_path / "CT")
    with pytest.raises(DataError, match=r"segments that overlap\. Name one: seg\.dcm#segment"):
        dicom.read_mask(seg, image)
    np.testing.assert_array_equal(dicom.read_mask(Path(f"{seg}#segment=2"), image).array, inside)


@pytest.mark.parametrize("threshold", [0.25, 0.5, 0.9])
def test_a_fractional_segmentation_is_cut_at_the_threshold(tmp_path, drawn, threshold):
    _, images, inside = drawn
    share = np.where(inside, np.linspace(0.1, 1, inside.shape[2]), 0).astype(np.float32)
    made = trees.segmentation(images, {"Tumour": share}, "FRACTIONAL", max_fractional_value=200)
    seg = trees.save(made, tmp_path / "seg.dcm")
    reader = DicomReader(DicomReaderConfig(threshold=threshold))
    mask = reader.read_mask(seg, dicom.read_image(tmp_path / "CT")).array
    np.testing.assert_array_equal(mask, np.around(share * 200) >= threshold * 200)
    assert reader.mask_identity(seg) != DicomReader(
        DicomReaderConfig(threshold=threshold / 2)
    ).mask_identity(seg)


def test_a_label_map_has_the_numbers_of_its_segments(tmp_path, drawn):
    _, images, inside = drawn
    low = inside & (np.arange(inside.shape[1])[None, :, None] < 14)
    made = trees.segmentation(images, {"a": low, "b": inside & ~low}, "LABELMAP")
    seg = trees.save(made, tmp_path / "seg.dcm")
    image = dicom.read_image(tmp_path / "CT")
    np.testing.assert_array_equal(dicom.read_mask(seg, image).array, low + 2 * (inside & ~low))
    named = dicom.read_mask(Path(f"{seg}#segment=b"), image).array
    np.testing.assert_array_equal(named, inside & ~low)


def test_a_segmentation_that_refers_to_another_series_is_refused(tmp_path, drawn):
    volume, images, inside = drawn
    others = trees.slices(volume)
    seg = trees.save(trees.segmentation(others, {"Tumour": inside}), tmp_path / "seg.dcm")
    image = dicom.read_image(tmp_path / "CT")
    with pytest.raises(DataError) as caught:
        dicom.read_mask(seg, image)
    said = str(caught.value)
    assert said.startswith(f"{seg} refers to another series than the image's (")
    assert others[0].SeriesInstanceUID in said
    assert images[0].SeriesInstanceUID in said
    allowing = DicomReader(DicomReaderConfig(references="any"))
    np.testing.assert_array_equal(allowing.read_mask(seg, image).array, inside)
    with pytest.raises(DataError, match="lies in another frame of reference than the image"):
        DicomReader(DicomReaderConfig(references="frame")).read_mask(seg, image)


def test_of_several_segmentations_in_a_folder_the_one_of_the_image_is_taken(tmp_path, drawn):
    volume, images, inside = drawn
    folder = tmp_path / "SEG"
    trees.save(trees.segmentation(images, {"Tumour": inside}), folder / "own.dcm")
    for name in ("b.dcm", "c.dcm"):
        made = trees.segmentation(trees.slices(volume), {"Tumour": ~inside})
        trees.save(made, folder / name)
    image = dicom.read_image(tmp_path / "CT")
    np.testing.assert_array_equal(dicom.read_mask(folder, image).array, inside)
    trees.save(trees.segmentation(images, {"Tumour": inside}), folder / "again.dcm")
    with pytest.raises(DataError, match=r"2 files with outlines \(again\.dcm, own\.dcm\)"):
        dicom.read_mask(folder, image)


def test_an_outline_outside_the_image_is_refused(tmp_path, drawn):
    """The image lacks its last slices, or its last columns."""
    _, images, inside = drawn
    seg = trees.save(trees.segmentation(images, {"Tumour": inside}), tmp_path / "seg.dcm")
    image = dicom.read_image(tmp_path / "CT")
    for box in (np.s_[:5, :, :], np.s_[:, :, :20], np.s_[3:, :, :]):
        start = [part.start or 0 for part in box]
        ends = [part.stop or n for part, n in zip(box, image.array.shape, strict=True)]
        cut = image.crop(tuple(slice(a, b) for a, b in zip(start, ends, strict=True)))
        with pytest.raises(DataError, match="has an outline outside the image"):
            dicom.read_mask(seg, cut)


def test_a_segmentation_on_another_grid_keeps_it_and_is_resampled_when_asked_for(tmp_path, drawn):
    volume, images, inside = drawn
    seg = trees.save(trees.segmentation(images, {"Tumour": inside}), tmp_path / "seg.dcm")
    fine = Volume(np.zeros((8, 60, 72)), (3.0, 0.35, 0.45), volume.origin_mm, volume.direction)
    mask = dicom.read_mask(seg, fine)
    with pytest.raises(DataError, match="the mask has"):
        check_same_grid(fine, mask)
    fitted = MaskGrid(correct=True).fit(fine, mask, None)
    assert (fitted.array != 0).sum() == pytest.approx(4 * inside.sum(), rel=0.15)


def test_a_segmentation_fits_the_same_image_as_nifti_with_other_axes(tmp_path, drawn):
    """Converters turn rows around; the image's place in the patient is the same."""
    volume, images, inside = drawn
    seg = trees.save(trees.segmentation(images, {"Tumour": inside}), tmp_path / "seg.dcm")
    turned = Volume(
        volume.array[:, ::-1].transpose(2, 1, 0),
        tuple(np.array(volume.spacing_mm)[[2, 1, 0]]),
        tuple(
            np.array(volume.origin_mm)
            + volume.direction[:, 1] * volume.spacing_mm[1] * (volume.array.shape[1] - 1)
        ),
        (volume.direction * [1, -1, 1])[:, [2, 1, 0]],
    )
    mask = mask_of(dicom, seg, turned)
    check_same_grid(turned, mask)
    np.testing.assert_array_equal(mask.array, inside[:, ::-1].transpose(2, 1, 0))


def test_without_its_image_a_segmentation_has_a_grid_of_its_own(tmp_path, drawn):
    volume, images, inside = drawn
    inside[4] = False  # a slice without a frame within the tumour
    seg = trees.save(trees.segmentation(images, {"Tumour": inside}), tmp_path / "seg.dcm")
    mask = dicom.read_mask(seg)
    planes = np.flatnonzero(inside.any(axis=(1, 2)))
    np.testing.assert_array_equal(mask.array, inside[planes[0] : planes[-1] + 1])
    assert mask.spacing_mm == pytest.approx(volume.spacing_mm)


def test_the_mask_of_an_interpolated_image_takes_the_nearest_slices(tmp_path):
    volume = trees.scan()
    inside = trees.ball(volume)
    images = trees.slices(volume)
    kept = [at for at in range(8) if at != 4]
    trees.write_series(tmp_path / "CT", [images[at] for at in kept])
    made = trees.segmentation([images[at] for at in kept], {"Tumour": inside[kept]})
    seg = trees.save(made, tmp_path / "seg.dcm")
    reader = DicomReader(DicomReaderConfig(slice_spacing="resample"))
    mask = reader.read_mask(seg, reader.read_image(tmp_path / "CT"))
    expected = inside.copy()
    expected[4] = inside[3]
    np.testing.assert_array_equal(mask.array, expected)


def test_frames_far_apart_do_not_fill_the_memory(tmp_path, drawn):
    _, images, inside = drawn
    made = trees.segmentation(images, {"Tumour": inside})
    place = made.PerFrameFunctionalGroupsSequence[-1].PlanePositionSequence[0]
    place.ImagePositionPatient = [0, 0, 3e8]
    seg = trees.save(made, tmp_path / "seg.dcm")
    with pytest.raises(DataError, match=r"seg\.dcm has frames .* Name the series"):
        dicom.read_mask(seg)
