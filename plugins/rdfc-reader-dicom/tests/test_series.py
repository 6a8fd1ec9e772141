"""Series of slices become the volume that they were made of, wherever they lie in the patient."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from rdfc_core import DataError, Volume
from rdfc_core.volume import check_same_grid
from rdfc_reader_dicom.config import DicomReaderConfig
from rdfc_reader_dicom.reader import DicomReader

sys.path.append(str(Path(__file__).parent))
import dicom_trees as trees

dicom = DicomReader()
resampling = DicomReader(DicomReaderConfig(slice_spacing="resample"))


def by_simpleitk(folder: Path) -> Volume:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return Volume.from_sitk(reader.Execute())


@pytest.mark.parametrize("direction", [trees.AXIAL, trees.oblique()], ids=["axial", "oblique"])
@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_a_series_is_the_volume_that_simpleitk_reads(tmp_path, modality, direction):
    volume = trees.scan(direction=direction)
    if modality == "MR":
        volume = replace(volume, array=volume.array + np.int16(200))
    folder = trees.write_series(tmp_path / "S", trees.slices(volume, modality))
    found, other = dicom.read_image(folder), by_simpleitk(folder)
    np.testing.assert_array_equal(found.array, volume.array)
    check_same_grid(volume, found)
    np.testing.assert_array_equal(found.array, other.array)
    for ours, theirs in (
        (found.spacing_mm, other.spacing_mm),
        (found.origin_mm, other.origin_mm),
        (found.direction, other.direction),
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert found.notes == ()


def test_each_slice_of_a_pet_has_its_own_slope(tmp_path):
    volume = replace(trees.scan(), array=trees.scan().array + np.int16(200))
    datasets = trees.slices(volume, "PT")
    for at, dataset in enumerate(datasets):
        dataset.RescaleSlope = 0.25 * (at + 1)
    found = dicom.read_image(trees.write_series(tmp_path / "S", datasets))
    slopes = 0.25 * (1 + np.arange(len(datasets)))[:, None, None]
    np.testing.assert_allclose(found.array, volume.array * slopes, rtol=1e-12)


def test_slices_may_be_named_by_a_list_a_folder_or_their_series(tmp_path):
    first, second = (trees.slices(trees.scan((4, 8, 9))) for _ in range(2))
    volume = trees.scan((4, 8, 9))
    trees.write_series(tmp_path / "A" / "one", first)
    trees.write_series(tmp_path / "A" / "two", second)
    with pytest.raises(DataError) as caught:
        dicom.read_image(tmp_path / "A")
    said = str(caught.value)
    assert "holds several series: " in said
    assert f"{first[0].SeriesInstanceUID} (CT, 4 files)" in said
    assert f"{tmp_path / 'A'}#series=UID" in said
    named = tmp_path / f"A#series={second[0].SeriesInstanceUID}"
    np.testing.assert_array_equal(dicom.read_image(named).array, volume.array)
    assert [file.parent.name for file in dicom.files(named)] == ["two"] * 4
    names = sorted(path.name for path in (tmp_path / "A" / "one").iterdir())
    listing = tmp_path / "chosen.dcmlist"
    listing.write_text("# one series\n" + "\n".join(f"A/one/{name}" for name in names[::-1]))
    np.testing.assert_array_equal(dicom.read_image(listing).array, volume.array)
    listing.write_text("A/one/none.dcm")
    with pytest.raises(DataError, match=r"chosen\.dcmlist names .*none\.dcm, which is not there"):
        dicom.read_image(listing)
    with pytest.raises(DataError, match=r"has no image of the series 1\.2\.3"):
        dicom.read_image(tmp_path / "A#series=1.2.3")


def test_localizers_are_left_out_with_a_word(tmp_path):
    datasets = trees.slices(trees.scan((4, 8, 9)))
    scout = trees.slices(trees.scan((1, 50, 60), trees.oblique()))[0]
    scout.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    scout.SeriesInstanceUID = datasets[0].SeriesInstanceUID
    trees.save(scout, tmp_path / "S" / "scout.dcm")
    found = dicom.read_image(trees.write_series(tmp_path / "S", datasets))
    assert found.array.shape == (4, 8, 9)
    assert found.notes == ("1 localizer was left out of S.",)
    with pytest.raises(DataError, match="holds localizers alone"):
        dicom.read_image(tmp_path / "S" / "scout.dcm")


def test_missing_slices_are_named_or_interpolated_when_asked_for(tmp_path):
    volume = trees.scan((9, 8, 9))
    planes = np.arange(9, dtype=np.int16)[:, None, None] * np.int16(10)
    volume = replace(volume, array=np.broadcast_to(planes, volume.array.shape))  # a ramp
    datasets = trees.slices(volume)
    kept = [one for at, one in enumerate(datasets) if at not in (3, 6, 7)]
    folder = trees.write_series(tmp_path / "S", kept)
    with pytest.raises(DataError) as caught:
        dicom.read_image(folder)
    said = str(caught.value)
    assert said.startswith(f"{folder} misses 3 slices (between IM014.dcm and IM021.dcm, 6 mm apart")
    assert "between IM028.dcm and IM035.dcm, 9 mm apart" in said
    found = resampling.read_image(folder)
    np.testing.assert_allclose(found.array, volume.array, atol=1e-4)
    check_same_grid(volume, found)
    assert found.notes == ("the slices of S are 3 to 9 mm apart, and were interpolated to 3 mm.",)


def test_unequal_distances_are_refused_or_interpolated_when_asked_for(tmp_path):
    datasets = trees.slices(trees.scan((6, 8, 9)))
    for at, place in enumerate([0, 2, 4.5, 7, 9.2, 12]):
        x, y, _ = datasets[at].ImagePositionPatient
        datasets[at].ImagePositionPatient = [x, y, -100 + place]
    folder = trees.write_series(tmp_path / "S", datasets)
    with pytest.raises(DataError, match=r"slices at unequal distances \(2 to 2.8 mm\)"):
        dicom.read_image(folder)
    found = resampling.read_image(folder)
    assert found.spacing_mm[0] == 2.5
    assert found.array.shape == (5, 8, 9)
    stored = trees.scan((6, 8, 9)).array.astype(float)
    np.testing.assert_allclose(found.array[1], stored[1] + 0.2 * (stored[2] - stored[1]), rtol=1e-4)


def test_positions_may_be_rounded(tmp_path):
    datasets = trees.slices(trees.scan((12, 4, 5)))
    for at, dataset in enumerate(datasets):
        dataset.ImagePositionPatient = [0, 0, f"{at * 10 / 3:.2f}"]
    found = dicom.read_image(trees.write_series(tmp_path / "S", datasets))
    assert found.spacing_mm[0] == pytest.approx(10 / 3, abs=1e-3)


def test_two_orientations_are_refused_with_the_files(tmp_path):
    datasets = trees.slices(trees.scan((4, 8, 9)))
    turned = trees.slices(trees.scan((4, 8, 9), trees.oblique()))
    for dataset in turned:
        dataset.SeriesInstanceUID = datasets[0].SeriesInstanceUID
    folder = trees.write_series(tmp_path / "S", [*datasets, *turned])
    with pytest.raises(DataError, match=r"S holds slices of two orientations \(IM000\.dcm and"):
        dicom.read_image(folder)


def test_copies_of_slices_are_refused_with_the_files(tmp_path):
    datasets = trees.slices(trees.scan((4, 8, 9)))
    folder = trees.write_series(tmp_path / "S", [*datasets, datasets[2]])
    with pytest.raises(DataError, match=r"two slices at one place \(IM014\.dcm and IM028\.dcm\)"):
        dicom.read_image(folder)


def test_a_tilted_gantry_is_refused(tmp_path):
    datasets = trees.slices(trees.scan((4, 8, 9)))
    for at, dataset in enumerate(datasets):
        dataset.ImagePositionPatient = [0, at * 0.5, at * 3.0]
    folder = trees.write_series(tmp_path / "S", datasets)
    with pytest.raises(DataError, match=r"shifted against each other \(by 9\.5 degrees\)"):
        dicom.read_image(folder)


def test_slices_of_two_sizes_or_spacings_are_refused(tmp_path):
    datasets = trees.slices(trees.scan((4, 8, 9)))
    datasets[1].PixelSpacing = [0.7, 0.8]
    with pytest.raises(DataError, match="slices of two pixel spacings"):
        dicom.read_image(trees.write_series(tmp_path / "S", datasets))
    datasets[1] = trees.slices(trees.scan((4, 8, 10)))[1]
    datasets[1].SeriesInstanceUID = datasets[0].SeriesInstanceUID
    with pytest.raises(DataError, match=r"slices of two sizes \(IM000.dcm: 8 x 9, IM007.dcm: 8 x"):
        dicom.read_image(trees.write_series(tmp_path / "S", datasets))


def test_an_enhanced_multi_frame_image_is_a_volume(tmp_path):
    """Frames out of order, the slope of each in its own functional group."""
    volume = trees.scan((5, 8, 9), trees.oblique())
    single = trees.slices(volume)
    order = [3, 0, 4, 1, 2]
    from pydicom.dataset import Dataset

    whole = trees.blank("CT", SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1", FrameOfReferenceUID="1.2")
    trees.with_pixels(whole, np.stack([single[at].pixel_array for at in order]))
    shared, measures, turned = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.7, 0.9], 3
    turned.ImageOrientationPatient = single[0].ImageOrientationPatient
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [turned]
    whole.SharedFunctionalGroupsSequence = [shared]
    whole.PerFrameFunctionalGroupsSequence = []
    for at in order:
        group, place, values = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = single[at].ImagePositionPatient
        values.RescaleSlope, values.RescaleIntercept = 1 + at, -1024
        group.PlanePositionSequence, group.PixelValueTransformationSequence = [place], [values]
        whole.PerFrameFunctionalGroupsSequence.append(group)
    found = dicom.read_image(trees.save(whole, tmp_path / "enhanced.dcm"))
    check_same_grid(volume, found)
    slopes = 1 + np.arange(5)[:, None, None]
    np.testing.assert_allclose(found.array, (volume.array + 1024.0) * slopes - 1024)


def test_a_single_slice_is_a_volume_of_one(tmp_path):
    folder = trees.write_series(tmp_path / "S", trees.slices(trees.scan((4, 8, 9))))
    found = dicom.read_image(folder / "IM007.dcm")
    np.testing.assert_array_equal(found.array, trees.scan((4, 8, 9)).array[1:2])
    assert found.notes == ("IM007.dcm is a single slice. Name its folder for the whole series.",)
