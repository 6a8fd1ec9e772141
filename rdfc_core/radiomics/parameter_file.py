"""Parameter files as PyRadiomics reads them: JSON, or YAML 1.2."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from rdfc_core.utils.serialization import parse_json, parse_yaml

SUFFIXES = (".json", ".yaml", ".yml")


def read_mapping(path: Path) -> dict[str, Any]:
    """What a parameter file holds.

    Raises:
        ValueError: If the file cannot be read, is of another kind, or holds no mapping.
    """
    if path.suffix not in SUFFIXES:
        raise ValueError(f"the name must end in one of {', '.join(SUFFIXES)}")
    kind = "JSON" if path.suffix == ".json" else "YAML"
    try:
        text = path.read_text(encoding="utf-8")
        data = parse_json(text) if kind == "JSON" else parse_yaml_1_2(text)
    except OSError as error:
        raise ValueError(f"it cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"it is not valid {kind}: {error}") from error
    if not isinstance(data, dict):
        raise ValueError("it holds no mapping; start with setting:, imageType: or featureClass:")
    return data


def parse_yaml_1_2(text: str) -> Any:
    """The YAML document as plain data.

    Raises:
        ValueError: If it is not valid, or a key stands in it twice.
    """
    return parse_yaml(text, _Yaml12)


class _Yaml12(yaml.SafeLoader):
    """PyRadiomics reads YAML 1.2, where 1e-2 is a number and yes a word; PyYAML reads 1.1."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """The mapping; PyYAML would take the last of two equal keys without a word."""
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Yaml12.yaml_implicit_resolvers = {}  # none of PyYAML's own
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    _Yaml12.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first)
    )
