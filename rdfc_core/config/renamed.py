"""What `study.yaml` of an older rdfc says otherwise: options of other names, and options it lacks.

Old names are refused in a study that a user writes, and translated in one that a run wrote.
"""

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

BEFORE: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("memory", "bank"): {"update": "step"},
    ("memory", "sharded-bank"): {"update": "step"},
}
"""Part of a study and its component → an option that came later → the value that does what was done
before it came. Listed are those whose default does something else; where a run lacks another
option, the default is what it did."""


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
    """The study that an older rdfc wrote for its run, as today's would have written it."""
    found: dict[str, Any] = _as_before(study)
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


def _as_before(value: Any, part: str = "") -> Any:
    """A copy in which options that came later say what was done before."""
    if isinstance(value, Mapping):
        later = BEFORE.get((part, str(value.get("name"))), {})
        return {**later, **{key: _as_before(inner, key) for key, inner in value.items()}}
    return [_as_before(inner) for inner in value] if isinstance(value, list) else value
