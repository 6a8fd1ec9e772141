"""File names with accents, as lists from other systems spell them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from PIL import Image

from rdfc_core.case import Case
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.utils.paths import as_stored
from tests.support.case_folder import CaseFolder

NAME = "Schädel/Ré-ゴ.png"


def forms(text: str) -> list[str]:
    return [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]


@pytest.mark.parametrize("stored", [0, 1])
@pytest.mark.parametrize("listed", [0, 1])
def test_a_file_is_found_in_either_form_of_its_name(tmp_path: Path, stored: int, listed: int):
    file = tmp_path / forms(NAME)[stored]
    file.parent.mkdir()
    file.write_bytes(b"x")
    # A folder of one form and a file of the other, as archives unpack them.
    folder, name = forms(NAME)[listed].split("/")[0], forms(NAME)[1 - listed].split("/")[1]
    for path in (tmp_path / forms(NAME)[listed], tmp_path / folder / name):
        assert as_stored(path) == file


def test_of_two_files_that_differ_only_in_form_the_exact_one_is_taken(tmp_path: Path):
    composed, apart = (tmp_path / name for name in forms("é.png"))
    composed.write_bytes(b"1")
    apart.write_bytes(b"2")
    assert (as_stored(composed), as_stored(apart)) == (composed, apart)


def test_what_is_not_there_stays_as_it_is_named(tmp_path: Path):
    for path in (tmp_path / "é.png", tmp_path / "no folder" / "é.png", Path("é.png"), tmp_path):
        assert as_stored(path) == path
    long = tmp_path / ("é" * 300)
    assert as_stored(long) == long


def test_a_case_listed_on_a_mac_is_loaded(tmp_path: Path, reader: AutoReader):
    made = CaseFolder(tmp_path).case("x")
    composed, apart = forms("é.png")
    image, mask = tmp_path / composed, tmp_path / forms("ü.png")[1]
    Image.open(made.image).save(image)
    Image.open(made.mask).save(mask)
    listed = Case("x", "x", tmp_path / apart, tmp_path / forms("ü.png")[0])
    [case] = reader.given_to([listed])
    assert case.load().mask.sum() == 30
    assert case.fingerprint() == Case("y", "y", image, mask, reader=reader).fingerprint()
