"""Markdown that other people's names and sentences cannot break."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

SPECIAL = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]|#"} | {"<": "&lt;", ">": "&gt;"})


def plain(text: object) -> str:
    """Text on one line, with nothing in it that Markdown would take for markup."""
    return " ".join(str(text).split()).translate(SPECIAL)


def front_matter(values: Mapping[str, Any]) -> list[str]:
    """What programs read at the top of a card; entries without a value are left out."""
    kept = {key: value for key, value in values.items() if value not in (None, "", [], {})}
    return ["---", *yaml.safe_dump(kept, sort_keys=False, allow_unicode=True).splitlines(), "---"]


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A table; cells are made plain."""
    lines = [f"| {' | '.join(header)} |", f"| {' | '.join('---' for _ in header)} |"]
    lines += [f"| {' | '.join(plain(cell) for cell in row)} |" for row in rows]
    return lines


def bullets(sentences: Iterable[object]) -> list[str]:
    """A list; sentences are made plain."""
    return [f"- {plain(one)}" for one in sentences]


def section(title: str, *blocks: Sequence[str]) -> list[str]:
    """A heading and its blocks, each set apart; nothing if all are empty."""
    found = [list(block) for block in blocks if block]
    lines = [line for block in found for line in ("", *block)]
    return ["", f"## {title}", *lines] if found else []
