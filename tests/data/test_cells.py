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


PROGRAMS = [
    "n.a",
    "N.A.",
    "n. a.",
    "N / A",
    "'NaN'",
    '"#N/A"',
    "\ufeffnull",
    "\u200b",
    "''",
    " \xa0",
]
PEOPLE = ["n.d.", "N/D", "k. A.", "TBA", '"-"', "Not Done", "<unset>", "anonymous", "\u200bunknown"]
VALUES = ["nd", "ka", "na1", "none of these", "0", "a.n", "n.a.b", "no", "indeterminate", "-1"]


@pytest.mark.parametrize("text", [*PROGRAMS, *PEOPLE, *VALUES])
def test_words_for_no_value_are_known_however_they_are_set(text: str) -> None:
    assert cells.is_missing(text) == (text in PROGRAMS)
    assert cells.may_be_missing(text) == (text in PEOPLE)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("a\u200b", "a"), ("\ufeff a \u200b ", "a"), ("a\u200bb", "a\u200bb"), ("\u200b \u200b", "")],
)
def test_invisible_letters_around_a_cell_are_no_part_of_it(text: str, plain: str) -> None:
    assert cells.tidy(text) == plain


@pytest.mark.parametrize(
    ("classes", "odd"),
    [
        (["benign", "malignant", "-999"], ["-999"]),
        (["benign", "malignant", "0"], ["0"]),
        (["0", "1", "-9"], ["-9"]),
        (["0", "1", "2", "99"], ["99"]),
        (["-1", "1"], []),
        (["1", "2", "3"], []),
        (["T1", "T2"], []),
        (["1", "2", "3", "x"], []),
    ],
)
def test_numbers_that_stand_for_no_value_are_noticed(classes: list[str], odd: list[str]) -> None:
    assert cells.odd_numbers(classes) == odd


@pytest.mark.parametrize(
    ("classes", "groups"),
    [
        (["yes", "no", "Y", "N"], [("yes", "Y"), ("no", "N")]),
        (["1", "0", "True", "False"], [("1", "True"), ("0", "False")]),
        (["pos", "neg"], []),
        (["Yes", "yes"], []),
    ],
)
def test_words_for_one_answer_are_noticed(classes: list[str], groups: list[tuple[str]]) -> None:
    assert cells.same_logic(classes) == groups
