"""A list of every kind of bad input: each case is told in one sentence, and the others go on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest

from rdfc_core import Case, extract_features
from rdfc_core.data.case_check import check_case
from rdfc_reader_dicom.reader import DicomReader

sys.path.append(str(Path(__file__).parent))
import dicom_trees as trees

pytest.importorskip("highdicom")

dicom = DicomReader()
VOLUME = trees.scan((6, 20, 22))
INSIDE = trees.ball(VOLUME, 5)
SQUARE = np.array([[4.2, 4.2], [4.2, 12.1], [12.1, 12.1], [12.1, 4.2]])
DICOMDIR = Path(pydicom.__file__).parent / "data/test_files/dicomdirtests/DICOMDIR"


def series(folder: Path) -> tuple[Path, list[pydicom.Dataset]]:
    images = trees.slices(VOLUME)
    return trees.write_series(folder / "CT", images), images


def outline(folder: Path, images: list[pydicom.Dataset]) -> Path:
    return trees.save(trees.segmentation(images, {"Tumour": INSIDE}), folder / "seg.dcm")


def sound(folder: Path) -> tuple[Path, Path]:
    image, images = series(folder)
    return image, outline(folder, images)


def two_orientations(folder: Path) -> tuple[Path, Path]:
    image, images = series(folder)
    for at, one in enumerate(trees.slices(trees.scan((6, 20, 22), trees.oblique()))):
        one.SeriesInstanceUID = images[0].SeriesInstanceUID
        trees.save(one, image / f"turned{at}.dcm")
    return image, outline(folder, images)


def seg_of_another_series(folder: Path) -> tuple[Path, Path]:
    image, _ = series(folder)
    return image, outline(folder, trees.slices(VOLUME))


def rtstruct_without_the_roi(folder: Path) -> tuple[Path, Path]:
    image, images = series(folder)
    drawn = {"Body": [trees.points(VOLUME, 2, SQUARE)]}
    path = trees.save(trees.structures(images, drawn), folder / "rs.dcm")
    return image, Path(f"{path}#roi=GTV")


def no_image(folder: Path) -> tuple[Path, Path]:
    _, mask = sound(folder)
    return trees.save(trees.blank("SR"), folder / "report.dcm"), mask


def dicomdir(folder: Path) -> tuple[Path, Path]:
    _, mask = sound(folder)
    return DICOMDIR, mask


def cut_pixel_data(folder: Path) -> tuple[Path, Path]:
    image, mask = sound(folder)
    file = image / "IM014.dcm"
    file.write_bytes(file.read_bytes()[:-60])
    return image, mask


def private_syntax(folder: Path) -> tuple[Path, Path]:
    image, mask = sound(folder)
    for file in image.iterdir():
        content = pydicom.dcmread(file)
        content.file_meta.TransferSyntaxUID = "1.2.840.113619.5.2"
        content.save_as(file, implicit_vr=False, little_endian=True, enforce_file_format=True)
    return image, mask


def copied_slices(folder: Path) -> tuple[Path, Path]:
    image, mask = sound(folder)
    content = pydicom.dcmread(image / "IM014.dcm")
    content.SOPInstanceUID = pydicom.uid.generate_uid()
    trees.save(content, image / "copy.dcm")
    return image, mask


def mask_outside(folder: Path) -> tuple[Path, Path]:
    image, images = series(folder)
    far = {"GTV": [trees.points(VOLUME, 2, SQUARE + 100)]}
    return image, trees.save(trees.structures(images, far), folder / "rs.dcm")


def several_series(folder: Path) -> tuple[Path, Path]:
    image, mask = sound(folder)
    trees.write_series(image / "more", trees.slices(VOLUME))
    return image, mask


BAD: dict[Callable[[Path], tuple[Path, Path]], tuple[str, str, str]] = {
    two_orientations: ("image", "holds slices of two orientations (", "Name the files of one"),
    seg_of_another_series: ("mask", "refers to another series than the image's (", "Name the"),
    rtstruct_without_the_roi: ("mask", "has no region 'GTV'", "It holds 'Body'"),
    no_image: ("image", "is not an image (Basic Text SR Storage)", "Name the files of"),
    dicomdir: ("image", "is a DICOMDIR, an index of other files", "Name the folder"),
    cut_pixel_data: ("image", "is cut short: its header claims", "Copy"),
    private_syntax: ("image", "is compressed in a way of its maker's own (", "Export it again"),
    copied_slices: ("image", "holds two slices at one place (", "Remove"),
    mask_outside: ("mask", "has contours of 'GTV' outside the image", "Name the series"),
    several_series: ("image", "holds several series: ", "Name one"),
}
"""What makes a case → field, what is found, and how what to do about it begins."""


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """Two sound cases, and between them one of each kind that is bad."""
    root = tmp_path_factory.mktemp("cases")
    found = []
    for name, make in [
        ("first", sound),
        *((make.__name__, make) for make in BAD if make is not dicomdir or DICOMDIR.exists()),
        ("last", sound),
    ]:
        folder = root / name
        folder.mkdir()
        found.append(Case(name, name, *make(folder), reader=dicom))
    return found


def test_each_is_one_sentence_with_the_file_what_was_found_and_what_to_do(cases):
    expected = {make.__name__: told for make, told in BAD.items()}
    for case in cases:
        check = check_case(case)
        if case.case_id not in expected:
            assert (check.problems, check.shape) == ([], VOLUME.array.shape)
            continue
        field, message, fix = expected[case.case_id]
        (problem,) = check.problems
        path = str(case.image if field == "image" else case.mask).partition("#")[0]
        assert (problem.case_id, problem.field) == (case.case_id, field)
        assert problem.message.startswith(path)  # the file, or the folder that holds it
        assert message in problem.message
        assert problem.fix.startswith(fix), problem.fix
        for identity in trees.IDENTITIES.values():
            assert identity not in problem.message + problem.fix


def test_the_others_are_measured(cases, tmp_path, caplog):
    table = extract_features(
        cases,
        {"featureClass": {"firstorder": ["Mean"]}},
        store=tmp_path / "store",
        executor="local:workers=0",
        errors="skip",
    )
    assert list(table["case_id"]) == ["first", "last"]
    inside = VOLUME.array[INSIDE].mean()
    np.testing.assert_allclose(table["original_firstorder_Mean"], inside)
    for case in cases:
        if case.case_id not in ("first", "last"):
            assert case.case_id in caplog.text
