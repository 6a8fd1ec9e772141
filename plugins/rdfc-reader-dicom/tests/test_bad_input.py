"""Bad input: one sentence with the file, what was found and what to do. Nothing else is raised."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pydicom
import pydicom.pixels
import pytest
from pydicom.uid import JPEGLosslessSV1

from rdfc_core import Case, DataError
from rdfc_core.data.case_check import check_case
from rdfc_reader_dicom.config import DicomReaderConfig
from rdfc_reader_dicom.reader import DicomReader

sys.path.append(str(Path(__file__).parent))
import dicom_trees as trees

dicom = DicomReader()
TEST_FILES = Path(pydicom.__file__).parent / "data"


def refusal(path: Path, reader: DicomReader = dicom) -> str:
    with pytest.raises(DataError) as caught:
        reader.read_image(path)
    said = str(caught.value)
    assert said.startswith(str(path))
    for identity in trees.IDENTITIES.values():
        assert identity not in said
    return said


@pytest.fixture
def folder(tmp_path) -> Path:
    return trees.write_series(tmp_path / "CT", trees.slices(trees.scan((4, 8, 9))))


def test_an_object_without_pixels(tmp_path):
    path = trees.save(trees.blank("SR"), tmp_path / "report.dcm")
    assert "is not an image (Basic Text SR Storage). Name the files" in refusal(path)
    made = trees.structures(trees.slices(trees.scan((2, 8, 9))), {})
    path = trees.save(made, tmp_path / "rs.dcm")
    assert "RT Structure Set Storage). It belongs into the column of masks" in refusal(path)
    with pytest.raises(DataError, match=r"report\.dcm is not a mask \(Basic Text SR Storage\)"):
        dicom.read_mask(tmp_path / "report.dcm")
    assert "holds no image (1 x Basic Text SR Storage, 1 x RT Structure" in refusal(tmp_path)


def test_a_dicomdir():
    path = TEST_FILES / "test_files" / "dicomdirtests" / "DICOMDIR"
    if not path.exists():
        pytest.skip(f"{path} is not installed")
    assert "is a DICOMDIR, an index of other files. Name the folder" in refusal(path)


def test_cut_pixel_data(folder):
    file = folder / "IM007.dcm"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) - 40])
    with pytest.raises(DataError) as caught:
        dicom.read_image(folder)
    said = str(caught.value)
    assert said.startswith(f"{file} is cut short: its header claims 144 bytes of pixel data and")


@pytest.mark.parametrize("kept", [0, 10, 100, 131, 132, 140, 200, 333, 400, 600])
def test_a_cut_header(folder, kept):
    file = folder / "IM007.dcm"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(DataError) as caught:
        dicom.read_image(file)
    assert str(file) in str(caught.value)


def test_a_private_syntax(tmp_path):
    made = trees.with_pixels(trees.blank("OT"), np.zeros((8, 9), np.uint8))
    path = trees.save(made, tmp_path / "a.dcm")
    for uid in ("1.2.840.113619.5.2", "1.2.3.4"):
        content = pydicom.dcmread(path)
        content.file_meta.TransferSyntaxUID = uid
        content.save_as(
            tmp_path / "b.dcm", implicit_vr=False, little_endian=True, enforce_file_format=True
        )
        said = refusal(tmp_path / "b.dcm")
        assert f"compressed in a way of its maker's own ({uid}). Export it again" in said


def test_a_missing_decoder_is_told_with_what_to_install(tmp_path, monkeypatch):
    source = TEST_FILES / "test_files" / "JPGExtended.dcm"
    if not source.exists():
        pytest.skip(f"{source} is not installed")
    path = Path(shutil.copy(source, tmp_path))
    content = pydicom.dcmread(path)
    content.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    content.save_as(path)
    decoder = pydicom.pixels.get_decoder(JPEGLosslessSV1)
    for plugin in decoder.available_plugins:
        monkeypatch.setattr(decoder, "_available", {}, raising=True)
        assert plugin
    said = refusal(path)
    assert "for which no decoder is installed. Run pip install 'rdfc-reader-dicom[jpeg]'" in said


def test_what_is_no_dicom(tmp_path):
    path = tmp_path / "a.dcm"
    path.write_text("not one")
    assert "is not a DICOM file" in refusal(path)
    (tmp_path / "empty").mkdir()
    assert "holds no DICOM file. Name the folder that holds the series" in refusal(
        tmp_path / "empty"
    )


def test_too_many_voxels(folder):
    small = DicomReader(DicomReaderConfig(max_voxels=287))
    assert "claims 4 x 8 x 9 voxels, more than the limit of 287" in refusal(folder, small)
    assert DicomReader(DicomReaderConfig(max_voxels=288)).read_image(folder).array.size == 288


@pytest.mark.parametrize(
    ("element", "value", "said"),
    [
        ("PixelSpacing", [0, 1], "has no PixelSpacing above 0"),
        ("ImageOrientationPatient", [1, 0, 0, 1, 0, 0], "not at right angles"),
        ("RescaleSlope", 0, "has the RescaleSlope 0"),
    ],
)
def test_impossible_geometry_and_values(tmp_path, element, value, said):
    datasets = trees.slices(trees.scan((3, 8, 9)))
    setattr(datasets[1], element, value)
    folder = trees.write_series(tmp_path / "CT", datasets)
    with pytest.raises(DataError, match=said):
        dicom.read_image(folder)


def test_an_element_that_is_no_number_is_not_quoted(folder):
    file = folder / "IM007.dcm"
    content = file.read_bytes()
    assert content.count(b"\\0.9") == 1
    file.write_bytes(content.replace(b"\\0.9", b"\\Dal"))
    with pytest.raises(DataError) as caught:
        dicom.read_image(folder)
    assert "Dal" not in str(caught.value).replace(str(file), "")


def test_the_other_cases_go_on(tmp_path, folder):
    """Each case is checked by itself, with what to do about it."""
    images = [trees.save(trees.blank("SR"), tmp_path / "r.dcm"), folder, tmp_path / "none.dcm"]
    checks = [
        check_case(Case(str(path), "p", path, tmp_path / "m.dcm", reader=dicom)) for path in images
    ]
    assert [check.shape for check in checks] == [None, (4, 8, 9), None]
    messages = [check.problems[0].message for check in checks]
    assert "is not an image" in messages[0]
    assert messages[2] == f"the image {images[2]} does not exist"
