"""The options of a component in words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from rdfc_core.cli.option_help import option_lines, type_in_words
from rdfc_core.plugin.component import Part, PartOf, part_fields


class Options(BaseModel):
    alpha: float = Field(0.5, ge=0, lt=1, description="Share.")
    root: Path
    encoder: Annotated[Part, PartOf("image_encoder")] = Field(Part(name="timm"))
    rival: Annotated[Part | None, PartOf("pretext")] = None
    start: Literal["a"] | None = Field(
        None, description="Start.", json_schema_extra={"values": {"a": "the first one"}}
    )


PRESETS = {"a": {"alpha": 0.5}, "b": {"alpha": 0.7}}


def test_an_option_has_name_type_bounds_default_and_description() -> None:
    assert list(option_lines(Options.model_json_schema(), part_fields(Options), PRESETS)) == [
        "  alpha: number, ≥ 0, < 1 (default: 0.5; preset b: 0.7)",
        "      Share.",
        "  root: path (required)",
        '  encoder: image encoder (default: {"name": "timm"})',
        "  rival: pretext or null (default: null)",
        '  start: "a" or null (default: null)',
        "      Start.",
        "      a: the first one",
    ]


class Tree(BaseModel):
    branches: list[Tree] = []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (int, "whole number"),
        (str, "text"),
        (bool, "true or false"),
        (Annotated[int, Field(gt=1, le=9)], "whole number, > 1, ≤ 9"),
        (Annotated[str, Field(min_length=1)], "text, length ≥ 1"),
        (float | None, "number or null"),
        (Literal["a", "b"], 'one of "a", "b"'),
        (Literal["a"], '"a"'),
        (list[str], "list of text"),
        (tuple[int, float], "[whole number; number]"),
        (tuple[float, ...], "list of number"),
        (Annotated[list[str], Field(min_length=2, max_length=2)], "list of 2 of text"),
        (list[int | str], "list of (whole number or text)"),
        (dict[str, float], "mapping of number"),
        (Any, "anything"),
        (Tree, "mapping"),
    ],
)
def test_a_type_is_told_in_words(kind: Any, words: str) -> None:
    class One(BaseModel):
        option: kind

    schema = One.model_json_schema()
    assert type_in_words(schema["properties"]["option"], schema.get("$defs", {})) == words


def test_a_type_that_holds_itself_comes_to_an_end() -> None:
    nested = {"type": "array", "items": {"$ref": "#/$defs/Nested"}}
    assert type_in_words({"$ref": "#/$defs/Nested"}, {"Nested": nested}) == "list of Nested"
