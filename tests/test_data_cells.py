"""What cells and headers mean, apart from any list."""

from __future__ import annotations

import pytest

from rdfc_core.data import cells

NEAR = "pateint_id,Patients ID,patintid,patient_it,patiend-id,atient_id,patient_i,aptient_id"
FAR = "patient_id,patient_side,patient_bmi,patient_dob,id,tneitap_id"


@pytest.mark.parametrize("name", [*NEAR.split(","), *FAR.split(",")])
def test_a_column_one_letter_off_is_near(name: str) -> None:
    near = cells.near_column(["age", name], "patient_id")
    assert near == (name if name in NEAR.split(",") else None)


def brute_force(a: str, b: str) -> bool:
    letters = set(a + b)
    more = {b[:i] + x + b[i:] for i in range(len(b) + 1) for x in letters}
    less = {b[:i] + b[i + 1 :] for i in range(len(b))}
    other = {b[:i] + x + b[i + 1 :] for i in range(len(b)) for x in letters}
    swapped = {b[:i] + b[i + 1] + b[i] + b[i + 2 :] for i in range(len(b) - 1)}
    return a != b and a in more | less | other | swapped


def test_near_is_what_one_change_makes_of_a_name() -> None:
    words = ["", "a", "b", "ab", "ba", "abc", "acb", "abd", "bcd", "abcd", "acbd", "abdc", "aab"]
    for a in words:
        for b in words:
            found = cells.near_column([a], b) is not None
            assert found == brute_force(a, b), (a, b)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("7.0", "7"), ("007.0", "007"), ("7.", "7"), ("-1,00", "-1")]
    + [(same, same) for same in ("7.5", "1.000", "a.0", "", "1e3")],
)
def test_decimals_that_programs_add_are_taken_off(text: str, plain: str) -> None:
    assert cells.plain_number(text) == plain


def test_texts_that_differ_only_in_writing_are_one_group() -> None:
    assert cells.spelled_alike(["T2", "t2", "T\N{SUPERSCRIPT TWO}", "T3", "7", "07", "7.000"]) == [
        ("T2", "t2", "T\N{SUPERSCRIPT TWO}"),
        ("7", "07", "7.000"),
    ]
    assert cells.spelled_alike(["+", "-", "--", "a b", "c"]) == []
    assert cells.spelled_alike(["a\N{ZERO WIDTH SPACE}", "a", "A-b", "a_B"]) == [
        ("a\N{ZERO WIDTH SPACE}", "a"),
        ("A-b", "a_B"),
    ]
