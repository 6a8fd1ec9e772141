"""A refusal is one line that a terminal can show, whatever a file has put into it."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import rdfc_core
from rdfc_core.errors import LONGEST_SENTENCE, DataError, did_you_mean, nearest, with_article


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("Case ä: 5 × 5 µm. Größe prüfen.", "Case ä: 5 × 5 µm. Größe prüfen."),
        ("a\nb", r"a\nb"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\udcff.png", r"\udcff.png"),
    ],
)
def test_what_a_terminal_would_obey_is_written_out(given: str, told: str) -> None:
    assert str(DataError(given)) == told


def test_a_sentence_that_is_too_long_keeps_its_beginning_and_its_end() -> None:
    told = str(DataError("begin " + "x" * 10_000 + " end"))
    assert len(told) <= LONGEST_SENTENCE
    assert told.startswith("begin xx")
    assert told.endswith("xx end")
    assert len(str(DataError("\x00" * 10_000))) <= LONGEST_SENTENCE


def test_it_is_the_same_in_another_process() -> None:
    assert str(pickle.loads(pickle.dumps(DataError("a\nb")))) == r"a\nb"


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("widht", ["width", "height"], "width"),
        ("BINWIDTH", ["binWidth", "binCount"], "binWidth"),
        # Two letters exchanged are likelier than two others.
        ("form", ["forum", "from"], "from"),
        ("nothing", ["else"], None),
        (3, ["13", "x"], "13"),
        ("any", [], None),
    ],
)
def test_the_nearest_name_is_found(name, known, found):
    assert nearest(name, known) == found
    assert did_you_mean(name, known) == (f" Did you mean {found!r}?" if found else "")


def test_one_place_alone_looks_for_near_names():
    root = Path(rdfc_core.__file__).parents[1]
    files = [*root.glob("rdfc_core/**/*.py"), *root.glob("plugins/*/rdfc_*/**/*.py")]
    users = {file.name for file in files if "difflib" in file.read_text(encoding="utf-8")}
    assert users == {"errors.py"}


@pytest.mark.parametrize(
    ("noun", "expected"),
    [
        ("image encoder 'x'", "an image encoder 'x'"),
        ("ndarray", "a ndarray"),
        ("view 'x'", "a view 'x'"),
        ("Executor", "an Executor"),
        ("OneCycle", "a OneCycle"),
    ],
)
def test_nouns_have_their_article(noun, expected):
    assert with_article(noun) == expected
