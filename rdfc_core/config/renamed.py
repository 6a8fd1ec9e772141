"""Options that once had other names: refused in a study that a user writes, read in a run's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rdfc_core.errors import StudyError

RENAMED: Mapping[str, str] = {}
"""Dotted option of before → its name today, in the same mapping; ``*`` stands for any key."""


def refuse_old_names(study: Mapping[str, Any], said: str = "") -> None:
    """Check that a study says nothing under a name of before.

    Args:
        study: As a user wrote it.
        said: Begins the message.

    Raises:
        StudyError: If it does; the message names the option of today.
    """
    for path, name in _old_names(study):
        parent, _, old = path.rpartition(".")
        new = f"{parent}.{name}" if parent else name
        raise StudyError(f"{said}{path}: the option {old!r} is called {name!r} now. Write {new}.")


def translated(study: Mapping[str, Any]) -> dict[str, Any]:
    """The study of a run that began before a name changed, with the names of today."""
    found: dict[str, Any] = _copy(study)
    for path, name in list(_old_names(found)):
        *keys, old = path.split(".")
        parent = found
        for key in keys:
            parent = parent[key]
        parent[name] = parent.pop(old)
    return found


def _old_names(study: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Dotted path of each option with an old name in the study, and its name today."""
    for old, name in RENAMED.items():
        for path in _paths(study, old.split(".")):
            yield path, name


def _paths(study: Any, keys: list[str]) -> Iterator[str]:
    if not isinstance(study, Mapping):
        return
    first, *rest = keys
    for key in study if first == "*" else [first]:
        if key not in study:
            continue
        if not rest:
            yield str(key)
        for path in _paths(study[key], rest) if rest else ():
            yield f"{key}.{path}"


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(inner) for key, inner in value.items()}
    return value
