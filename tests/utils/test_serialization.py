"""YAML and JSON become plain data, and small texts neither large nor endless ones."""

from __future__ import annotations

import datetime

import pytest
import yaml

from rdfc_core.utils.serialization import DEEPEST, LONGEST_YAML, parse_json, parse_yaml

TENFOLD = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{one}: &{one} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, one in zip("abcdefg", "bcdefgh", strict=True)
)
"""Of 10⁸ values, in 400 characters."""


@pytest.mark.parametrize(
    "value", [{"a": [1, 2.5, None, True], "b": {"c": "d"}}, [], "text", datetime.date(2020, 1, 2)]
)
def test_what_pyyaml_writes_is_read_back(value: object) -> None:
    assert parse_yaml(yaml.safe_dump(value)) == value


def test_a_text_without_a_document_is_none() -> None:
    assert parse_yaml("# nothing\n") is None


def test_references_are_read_while_they_stay_small() -> None:
    assert parse_yaml("a: &a {x: 1}\nb: {<<: *a, y: 2}") == {"a": {"x": 1}, "b": {"x": 1, "y": 2}}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (TENFOLD, "holds more than 100000 values"),
        ("a: &a [*a]", "within itself"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "nested more than 50 levels"),
        ("[" * 5000, "nested too deeply"),
        ("a" * (LONGEST_YAML + 1), "more than the limit"),
        ("date: 2020-13-45", "month"),
        ("number: " + "1" * 5000, "4300 digits"),
        ("!!bool word", "a tag in it does not fit"),
        ("!!int ''", "a tag in it does not fit"),
        ("!!python/object/apply:os.system [true]", "could not determine a constructor"),
        ("\x1b[2J", "special characters"),
        ("a: 1\n---\nb: 2", "expected a single document"),
    ],
)
def test_what_is_malformed_has_a_reason_of_one_line(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse_yaml(text)
    assert "\n" not in str(caught.value)


def test_references_that_nest_deeply_are_refused_though_each_is_flat() -> None:
    lines = ["- &n0 [1]", *(f"- &n{place + 1} [*n{place}]" for place in range(DEEPEST))]
    with pytest.raises(ValueError, match="references nest more than 50 levels"):
        parse_yaml("\n".join(lines))


def test_json_that_is_nested_beyond_reading_is_refused() -> None:
    assert parse_json('{"a": [1]}') == {"a": [1]}
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json("[" * 100_000)
