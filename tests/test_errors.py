"""A refusal is one line that a terminal can show, whatever a file has put into it."""

from __future__ import annotations

import pickle

import pytest

from rdfc_core.errors import LONGEST_SENTENCE, DataError


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
