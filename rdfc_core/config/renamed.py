"""Options that once had other names: refused in a study that a user writes, read in a run's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rdfc_core.errors import StudyError

RENAMED: Mapping[str, str] = {
    "pretrain.cases_in": "data_placement",
    "pretrain.picture_format": "image_dtype",
    "evaluate.neighbours": "knn_k",
    "evaluate.supervised.decay_at": "lr_milestone",
    "evaluate.supervised.finetune.head_from": "head_init",
    "evaluate.supervised.sweep.*.head_from": "head_init",
}
"""Dotted option of before → its name today, in the same mapping; ``*`` stands for any key, or any
entry of a list."""


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
        parent: Any = found
        for key in keys:
            parent = parent[int(key)] if isinstance(parent, list) else parent[key]
        parent[name] = parent.pop(old)
    return found


def _old_names(study: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Dotted path of each option with an old name in the study, and its name today."""
    for old, name in RENAMED.items():
        for path in _paths(study, old.split(".")):
            yield path, name


def _paths(study: Any, keys: list[str]) -> Iterator[str]:
    first, *rest = keys
    if isinstance(study, list) and first == "*":
        inner = {str(place): value for place, value in enumerate(study)}
    elif isinstance(study, Mapping):
        inner = {key: study[key] for key in (study if first == "*" else [first]) if key in study}
    else:
        return
    for key, value in inner.items():
        if not rest:
            yield str(key)
        for path in _paths(value, rest) if rest else ():
            yield f"{key}.{path}"


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(inner) for key, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value
