"""How failed cases are told: each reason once."""

from __future__ import annotations

import pytest

from rdfc_core.cli import console
from rdfc_core.extraction.failures import Failure, grouped


def failed(case_id: str, reason: str) -> Failure:
    return Failure(case_id, f"Case {case_id}: {reason}", fixable=True)


def test_a_case_with_a_reason_of_its_own_is_told_as_it_was() -> None:
    found = [failed("a", "the mask is empty."), failed("b", "the file is cut short.")]
    assert grouped(found) == ["Case a: the mask is empty.", "Case b: the file is cut short."]


@pytest.mark.parametrize(
    ("ids", "named"), [("ab", "2 cases (a, b)"), ("abc", "3 cases (a, b, c)")], ids=["two", "three"]
)
def test_a_reason_that_cases_share_is_told_once_with_all_of_few(ids: str, named: str) -> None:
    told = grouped([failed(case_id, "the mask is empty.") for case_id in ids])
    assert told == [f"{named}: the mask is empty."]


def test_of_many_cases_the_first_are_named() -> None:
    told = grouped([failed(f"case-{place}", "the mask is empty.") for place in range(500)])
    assert told == ["500 cases (case-0, case-1, case-2, …): the mask is empty."]


def test_reasons_that_differ_only_in_the_case_s_own_name_are_one() -> None:
    told = grouped([failed(name, f"masks/{name}.png does not exist.") for name in ("x.1", "x.2")])
    assert told == ["2 cases (x.1, x.2): masks/<case_id>.png does not exist."]


def test_a_number_that_all_reasons_hold_is_no_case_s_name() -> None:
    told = grouped([failed(name, "it has 2 axes.") for name in ("2", "3")])
    assert told == ["2 cases (2, 3): it has 2 axes."]


def test_what_a_file_calls_its_cases_does_not_reach_the_terminal_as_commands(capsys):
    console.show_failures([failed("a\x1b[2J", "no mask.")])
    assert r"a\x1b[2J: no mask." in capsys.readouterr().err


def test_hundreds_of_files_are_summed_up_by_reason():
    """Each with a path, sizes and numbers of its own, in folders that do not name the case."""
    cut = [
        Failure(
            f"c{i}",
            f"Case c{i}: /data/{i}/scan.nii.gz holds {i * 7} of {i * 9} bytes.",
            fixable=True,
        )
        for i in range(150)
    ]
    empty = [
        Failure(f"e{i}", f"Case e{i}: the mask is empty (it holds [0, {i}]).", fixable=True)
        for i in range(50)
    ]
    told = grouped([*empty, *cut])
    assert told == [
        "150 cases (c0, c1, c2, …): such as: /data/0/scan.nii.gz holds 0 of 0 bytes.",
        "50 cases (e0, e1, e2, …): such as: the mask is empty (it holds [0, 0]).",
    ]


def test_many_different_reasons_end_in_a_count():
    letters = "abcdefghijklmnopqrstuvwxyz"
    failures = [Failure(f"c{x}", f"Case c{x}: it is {x}.", fixable=True) for x in letters]
    told = grouped(failures)
    assert len(told) == 11
    assert told[-1] == "16 more cases for 16 other reasons: see results.json."
