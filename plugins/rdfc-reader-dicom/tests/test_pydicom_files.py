"""Every file that pydicom brings for its own tests is read, or refused by a sentence."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813

from rdfc_core import DataError, Volume
from rdfc_core.contract.volumes import require_volume
from rdfc_reader_dicom.config import DicomReaderConfig
from rdfc_reader_dicom.reader import DicomReader

READER = DicomReader(DicomReaderConfig(burned_in="allow"))
OTHERS = (".py", ".json", ".txt", ".pyc", ".dump", ".icc", ".md", ".gz")


def folders() -> list[Path]:
    found = [Path(pydicom.__file__).parent / "data"]
    more = importlib.util.find_spec("data_store")  # of the distribution pydicom-data
    if more is not None and more.origin:
        found.append(Path(more.origin).parent / "data")
    return found


FILES = {
    f"{folder.parent.name}/{path.relative_to(folder)}": path
    for folder in folders()
    for path in sorted(folder.rglob("*"))
    if path.is_file() and path.suffix not in OTHERS and "TINY" not in str(path)
}
CONVERTED = ("PALETTE COLOR", "YBR", "MONOCHROME1")
"""Where SimpleITK keeps other values, or rounds colours otherwise."""


def by_simpleitk(path: Path) -> np.ndarray | None:
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    try:
        return sitk.GetArrayFromImage(reader.Execute())
    except RuntimeError:
        return None


def read_or_refused(path: Path) -> Volume | None:
    """The image, or None where it is refused as it should be."""
    try:
        return READER.read_image(path)
    except DataError as error:
        said = str(error)
        assert said.startswith(str(path.with_name(path.name.removesuffix("#frame=2"))))
        assert said.endswith((".", "#frame=1."))
        assert ". " in said  # what was found, and what to do
        assert "\n" not in said
        return None


@pytest.mark.skipif(not FILES, reason="pydicom was installed without its test files")
@pytest.mark.parametrize("name", FILES)
def test_a_file_of_pydicoms_tests_is_read_or_refused_by_a_sentence(name, capfd):
    path = FILES[name]
    sitk.ProcessObject_SetGlobalWarningDisplay(False)
    volume, frame = read_or_refused(path), 0
    if volume is None:
        volume, frame = read_or_refused(Path(f"{path}#frame=2")), 2
    written = capfd.readouterr()
    assert (written.out, written.err) == ("", "")
    if volume is None:
        return
    require_volume(volume, name)
    header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    other = by_simpleitk(path)
    photometric = str(header.get("PhotometricInterpretation"))
    if other is None or photometric.startswith(CONVERTED) or "ModalityLUTSequence" in header:
        return
    samples = volume.array if volume.colour is None else volume.colour
    if volume.array.ndim == 2:
        other = other[frame - 1] if frame else other.squeeze()
    elif volume.direction[:, 0] @ [0, 0, 1] < 0:
        other = other[::-1]  # frames of one file, which SimpleITK does not put in order
    if name.endswith(("rle_16bit.dcm", "rle_16bit_2frame.dcm", "_32bit.dcm", "_32bit_2frame.dcm")):
        return  # SimpleITK 2.5 mixes up the bytes of these
    syntax = header.file_meta.TransferSyntaxUID.name
    lossy = "JPEG" in syntax and "Lossless" not in syntax
    np.testing.assert_allclose(samples.astype(float), other.astype(float), atol=5 if lossy else 0)


@pytest.mark.parametrize("name", [one for one in FILES if Path(one).name.startswith("liver")])
def test_a_segmentation_of_pydicoms_tests_is_read(name):
    mask = READER.read_mask(FILES[name])
    assert set(np.unique(mask.array)) == {0, 1}
    assert mask.array[0].sum() > 30_000
