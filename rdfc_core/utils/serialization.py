"""YAML and JSON as plain data: no text becomes more than it shows, or anything that runs."""

from __future__ import annotations

import json
from typing import Any

import yaml

LONGEST_YAML = 2**20
"""Characters: studies and parameter files have thousands."""

MOST_VALUES = 100_000
"""Of one YAML document, where a reference counts as all that it refers to."""

DEEPEST = 50
"""Levels of a YAML document, references included."""

MALFORMED = (
    *(yaml.YAMLError, ValueError, OverflowError, RecursionError),
    *(LookupError, AttributeError, TypeError),  # of PyYAML, where a tag does not fit its value
)
"""What parsing a malformed text raises."""


def parse_yaml(text: str, loader: type[yaml.SafeLoader] = yaml.SafeLoader) -> Any:
    """The one document of the text as mappings, lists and plain values.

    Args:
        text: The document.
        loader: Says how plain values are read; never one that makes objects.

    Raises:
        ValueError: If it is not valid YAML, or too large, too deep or endless. The message is one
            line without a full stop.
    """
    if len(text) > LONGEST_YAML:
        raise ValueError(f"it has {len(text)} characters, more than the limit of {LONGEST_YAML}")
    reader: Any = None
    try:
        reader = loader(text)
        node = reader.get_single_node()
        if node is None:
            return None
        _measure(node, 1, {})
        return reader.construct_document(node)
    except MALFORMED as error:
        raise ValueError(_reason(error)) from error
    finally:
        if reader is not None:
            reader.dispose()


def parse_json(text: str) -> Any:
    """The value that the text holds.

    Raises:
        ValueError: If it is not valid JSON, or too deep.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError(_reason(error)) from error


def _measure(node: yaml.Node, depth: int, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """How many values a node stands for and on how many levels, each node looked at once."""
    if id(node) not in known:
        if depth > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} levels deep, or within itself")
        values, levels = 1, 1
        for inner in _inside(node):
            more, deeper = _measure(inner, depth + 1, known)
            values, levels = values + more, max(levels, 1 + deeper)
        known[id(node)] = values, levels
    values, levels = known[id(node)]
    if levels > DEEPEST:
        raise ValueError(f"its references nest more than {DEEPEST} levels deep")
    if values > MOST_VALUES:
        raise ValueError(f"it holds more than {MOST_VALUES} values, references counted in full")
    return values, levels


def _inside(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [one for pair in node.value for one in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, yaml.YAMLError | ValueError):
        return " ".join(str(error).split()).rstrip(".")
    return "a tag in it does not fit the value behind it"
