"""Lists that are not there, are no CSV, or were written for another system."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from rdfc_core.errors import DataError
from rdfc_dataset_manifest.config import ManifestConfig
from rdfc_dataset_manifest.dataset import Manifest

LIST = "case_id,image,mask,label\na,a.png,m.png,benign\n"


def refusal(**options: object) -> str:
    with pytest.raises(DataError) as caught:
        Manifest(ManifestConfig(**options)).cases()
    return str(caught.value)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line", ["sep={}", '"sep={}"', "SEP={}", "sep={}{}{}"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_excels_first_line_names_the_separator(
    tmp_path: Path, separator: str, line: str, end: str
) -> None:
    text = LIST.replace(",", separator) + f"b{separator}b.png\n"
    first = line.format(separator, separator, separator)
    text = (first + "\n" + text).replace("\n", end)
    (tmp_path / "manifest.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    dataset = Manifest(ManifestConfig(root=tmp_path))
    [case] = dataset.listed_cases()
    assert (case.case_id, case.image, case.label) == ("a", tmp_path / "a.png", "benign")
    assert "line 4: 2 fields" in refusal(root=tmp_path)  # as an editor counts the lines


def test_a_workbook_is_called_by_its_name(tmp_path: Path) -> None:
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as file:
        file.writestr("xl/workbook.xml", "<workbook/>")
    for name in ("cases.xlsx", "manifest.csv"):
        (tmp_path / name).write_bytes(book.getvalue())
        sentence = refusal(csv=tmp_path / name)
        assert f"{name} is a workbook (Excel or OpenDocument), not CSV. Save the sheet" in sentence


def test_a_folder_with_nothing_but_a_workbook_says_so(tmp_path: Path) -> None:
    (tmp_path / "cases.xlsx").write_bytes(b"PK\x03\x04")
    assert "cases.xlsx cannot be read: save the sheet as manifest.csv" in refusal(root=tmp_path)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (gzip.compress(LIST.encode(), mtime=0), "is compressed (gzip). Unpack it"),
        (b"PAR1abc", "is a Parquet table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is a workbook of an old Excel"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is not a text file"),
    ],
    ids=["gzip", "parquet", "xls", "png"],
)
def test_other_formats_are_named(tmp_path: Path, data: bytes, kind: str) -> None:
    (tmp_path / "manifest.csv").write_bytes(data)
    assert kind in refusal(root=tmp_path)


def test_a_folder_that_does_not_exist_is_said_not_to(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    sentence = refusal(root=tmp_path / "dta")
    assert f"{tmp_path / 'dta'} does not exist. Did you mean {tmp_path / 'data'}?" in sentence
    sentence = refusal(csv=tmp_path / "dta" / "list.csv")
    assert f"the folder {tmp_path / 'dta'} does not exist. Did you mean" in sentence
    assert "is a directory" in refusal(csv=tmp_path / "data")


def test_paths_of_windows_are_called_so(tmp_path: Path) -> None:
    for path in (r"C:\data\a.png", "D:/a.png", r"\\server\share\a.png"):
        (tmp_path / "manifest.csv").write_text(LIST.replace("a.png", path), encoding="utf-8")
        assert f"line 2: image is {path}, a path of Windows. Write" in refusal(root=tmp_path)
    assert r"is a path of Windows, and this is not Windows" in refusal(root=r"C:\data")
