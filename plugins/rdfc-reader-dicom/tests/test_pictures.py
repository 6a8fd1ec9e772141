"""Pictures: ultrasound, secondary capture and radiographs, in grey and in colour."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from rdfc_core import Case, DataError
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.data.readers.pictures import PictureReader
from rdfc_reader_dicom.config import DicomReaderConfig
from rdfc_reader_dicom.reader import DicomReader

sys.path.append(str(Path(__file__).parent))
import dicom_trees as trees

dicom = DicomReader()
RANDOM = np.random.default_rng(5)
GREY = RANDOM.integers(0, 256, (20, 30)).astype(np.uint8)
COLOURS = RANDOM.integers(0, 256, (20, 30, 3)).astype(np.uint8)


def region(down_cm: float, across_cm: float, kind: int = 1) -> Dataset:
    one = Dataset()
    one.RegionSpatialFormat, one.RegionDataType, one.RegionFlags = kind, 1, 0
    one.RegionLocationMinX0 = one.RegionLocationMinY0 = 0
    one.RegionLocationMaxX1 = one.RegionLocationMaxY1 = 10
    one.PhysicalUnitsXDirection = one.PhysicalUnitsYDirection = 3
    one.PhysicalDeltaX, one.PhysicalDeltaY = across_cm, down_cm
    return one


def test_an_ultrasound_picture_has_the_spacing_of_its_region(tmp_path):
    made = trees.with_pixels(trees.blank("US"), GREY)
    made.SequenceOfUltrasoundRegions = [region(0.02, 0.03), region(1, 1, kind=3)]
    found = dicom.read_image(trees.save(made, tmp_path / "us.dcm"))
    np.testing.assert_array_equal(found.array, GREY)
    assert found.spacing_mm == pytest.approx((0.2, 0.3))
    assert found.colour is None
    made.SequenceOfUltrasoundRegions.append(region(0.05, 0.05))
    with pytest.raises(DataError, match="shows regions of 2 different scales"):
        dicom.read_image(trees.save(made, tmp_path / "us.dcm"))


def test_a_frame_of_a_multi_frame_ultrasound_is_named(tmp_path):
    frames = np.stack([GREY, GREY.T.reshape(20, 30), 255 - GREY])
    made = trees.with_pixels(trees.blank("US-multi"), frames)
    path = trees.save(made, tmp_path / "cine.dcm")
    with pytest.raises(DataError, match=r"holds 3 frames .* Name one: cine\.dcm#frame=1"):
        dicom.read_image(path)
    for number in (1, 2, 3):
        found = dicom.read_image(Path(f"{path}#frame={number}"))
        np.testing.assert_array_equal(found.array, frames[number - 1])
    with pytest.raises(DataError, match="holds 3 frames, and frame 4 is asked for"):
        dicom.read_image(Path(f"{path}#frame=4"))
    with pytest.raises(DataError, match="Frames are counted from 1"):
        dicom.read_image(Path(f"{path}#frame=0"))
    identities = {dicom.identity(Path(f"{path}#frame={number}")) for number in (1, 2)}
    assert len(identities) == 2


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
def test_colours_become_luminance_with_the_colours_beside_it(tmp_path, photometric):
    stored = COLOURS
    if photometric == "YBR_FULL":
        stored = np.array(Image.fromarray(COLOURS).convert("YCbCr"))
    made = trees.with_pixels(trees.blank("OT"), stored, photometric)
    found = dicom.read_image(trees.save(made, tmp_path / "sc.dcm"))
    assert found.colour is not None
    rounding = 0 if photometric == "RGB" else 3  # of both conversions
    np.testing.assert_allclose(found.colour.astype(int), COLOURS, atol=rounding)
    grey = np.array(Image.fromarray(COLOURS).convert("L"))
    np.testing.assert_allclose(found.array.astype(int), grey.astype(int), atol=1 + rounding)


def test_a_palette_is_looked_up(tmp_path):
    made = trees.with_pixels(trees.blank("US"), GREY % 4)
    made.PhotometricInterpretation = "PALETTE COLOR"
    tables = {"Red": [0, 255, 0, 9], "Green": [0, 0, 255, 9], "Blue": [0, 7, 8, 9]}
    for name, table in tables.items():
        setattr(made, f"{name}PaletteColorLookupTableDescriptor", [4, 0, 8])
        setattr(made, f"{name}PaletteColorLookupTableData", bytes(table))
    found = dicom.read_image(trees.save(made, tmp_path / "palette.dcm"))
    expected = np.stack([np.array(table)[GREY % 4] for table in tables.values()], axis=-1)
    assert found.colour is not None
    np.testing.assert_array_equal(found.colour, expected)


def test_white_as_zero_is_turned_over_in_pictures_and_not_in_slices(tmp_path):
    made = trees.with_pixels(trees.blank("CR"), GREY.astype(np.uint16), "MONOCHROME1")
    made.BitsStored, made.HighBit = 10, 9
    made.RescaleSlope, made.RescaleIntercept = 2, 5
    made.ImagerPixelSpacing = [0.1, 0.2]
    found = dicom.read_image(trees.save(made, tmp_path / "cr.dcm"))
    np.testing.assert_array_equal(found.array, (1023 - GREY.astype(float)) * 2 + 5)
    assert found.spacing_mm == (0.1, 0.2)
    assert "MONOCHROME1" in found.notes[0]
    volume = trees.scan((3, 8, 9))
    slices = trees.slices(volume)
    for one in slices:
        one.PhotometricInterpretation = "MONOCHROME1"
    found = dicom.read_image(trees.write_series(tmp_path / "CT", slices))
    np.testing.assert_array_equal(found.array, volume.array)


def test_bits_beyond_the_stored_ones_are_left_out(tmp_path):
    made = trees.with_pixels(trees.blank("CR"), GREY.astype(np.uint16) | 0x1000)
    made.BitsStored, made.HighBit = 12, 11
    made.PixelSpacing = [1, 1]
    np.testing.assert_array_equal(
        dicom.read_image(trees.save(made, tmp_path / "cr.dcm")).array, GREY
    )


def test_a_table_of_values_is_applied(tmp_path):
    made = trees.with_pixels(trees.blank("CR"), GREY % 4)
    table = Dataset()
    table.LUTDescriptor = [4, 0, 16]
    table.LUTData = np.array([5, 50, 500, 5000], "<u2").tobytes()
    table.ModalityLUTType = "US"
    made.ModalityLUTSequence = [table]
    found = dicom.read_image(trees.save(made, tmp_path / "cr.dcm"))
    np.testing.assert_array_equal(found.array, np.array([5, 50, 500, 5000])[GREY % 4])


def test_a_picture_without_spacing_says_so(tmp_path):
    found = dicom.read_image(
        trees.save(trees.with_pixels(trees.blank("OT"), GREY), tmp_path / "a.dcm")
    )
    assert found.spacing_mm == (1, 1)
    assert found.notes == ("a.dcm says no pixel spacing, and 1 mm is assumed.",)


def test_the_mask_of_a_picture_may_be_a_png(tmp_path):
    made = trees.with_pixels(trees.blank("US"), GREY)
    made.SequenceOfUltrasoundRegions = [region(0.02, 0.03)]
    trees.save(made, tmp_path / "us.dcm")
    inside = np.zeros((20, 30), np.uint8)
    inside[4:9, 10:15] = 255
    Image.fromarray(inside).save(tmp_path / "mask.png")
    reader = AutoReader([dicom, PictureReader()])
    case = Case("a", "a", tmp_path / "us.dcm", tmp_path / "mask.png", reader=reader)
    tumour = case.load()
    np.testing.assert_array_equal(tumour.mask, inside > 0)
    assert tumour.image.spacing_mm == pytest.approx((0.2, 0.3))


def test_a_segmentation_of_a_picture_and_of_a_frame(tmp_path):
    pytest.importorskip("highdicom")
    picture = trees.with_pixels(trees.blank("US"), GREY)
    inside = np.zeros((3, 20, 30), bool)
    inside[0, 2:5, 3:8], inside[2, 10:15, 10:20] = True, True
    made = trees.segmentation([picture], {"Nodule": inside[:1]})
    seg = trees.save(made, tmp_path / "seg.dcm")
    image = dicom.read_image(trees.save(picture, tmp_path / "us.dcm"))
    np.testing.assert_array_equal(dicom.read_mask(seg, image).array, inside[0])
    # highdicom writes one frame a picture: a second one is added, and what each was drawn on
    frames = np.stack([GREY, 255 - GREY, GREY])
    cine = trees.with_pixels(trees.blank("US-multi"), frames)
    cine.SeriesInstanceUID = picture.SeriesInstanceUID
    path = trees.save(cine, tmp_path / "cine.dcm")
    first = made.PerFrameFunctionalGroupsSequence[0]
    made.PerFrameFunctionalGroupsSequence = [first, copy.deepcopy(first)]
    for group, number in zip(made.PerFrameFunctionalGroupsSequence, (1, 3), strict=True):
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        source.ReferencedFrameNumber = number
    made.NumberOfFrames = 2
    made.PixelData = np.packbits(inside[[0, 2]].ravel(), bitorder="little").tobytes()
    trees.save(made, seg)
    for number in (1, 3):
        image = dicom.read_image(Path(f"{path}#frame={number}"))
        mask = dicom.read_mask(seg, image)
        np.testing.assert_array_equal(mask.array, inside[number - 1])
        assert mask.spacing_mm == image.spacing_mm
    with pytest.raises(DataError, match="has no outline on frame 2 of the image"):
        dicom.read_mask(seg, dicom.read_image(Path(f"{path}#frame=2")))
    with pytest.raises(DataError, match="has outlines on several frames"):
        dicom.read_mask(seg, dicom.read_image(tmp_path / "us.dcm"))


def test_text_burnt_into_pixels_is_refused_unless_allowed(tmp_path):
    made = trees.with_pixels(trees.blank("US", BurnedInAnnotation="YES"), GREY)
    path = trees.save(made, tmp_path / "us.dcm")
    with pytest.raises(DataError, match=r"text burnt into its pixels .* readers\.dicom\.burned_in"):
        dicom.read_image(path)
    allowing = DicomReader(DicomReaderConfig(burned_in="allow"))
    np.testing.assert_array_equal(allowing.read_image(path).array, GREY)
