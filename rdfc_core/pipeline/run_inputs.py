"""What the results of a run depend on, besides its cases: one notion of "the same run".

The shortcut for a finished run and the resuming of an unfinished one both ask here; what the cases
are is compared by `rdfc_core.pipeline.case_record`. Free of torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from rdfc_core.case import Case
from rdfc_core.config.resolve import ResolvedPart, ResolvedStudy
from rdfc_core.data.readers.auto import readers_of
from rdfc_core.errors import StudyError
from rdfc_core.extraction.store import recipe_id
from rdfc_core.extraction.watched import checked_recipe
from rdfc_core.interfaces.dataset import Dataset
from rdfc_core.interfaces.prepared import Preparer

BUDGET = ("epochs", "steps", "patience")
"""Options of ``pretrain`` whose larger value alone extends a run, instead of making it another."""

RECIPES, READERS = "recipes", "readers"


def inputs_of(
    study: ResolvedStudy,
    dataset: Dataset,
    preparers: Mapping[str, Preparer] | None = None,
    cases: Sequence[Case] = (),
) -> dict[str, Any]:
    """What decides the results and does not stand in the study itself, as plain data.

    Args:
        study: Resolved.
        dataset: Its data set.
        preparers: View name → what makes it; None where building them would load too much: the
            versions of the plugins then have to speak for them (see `changes`).
        cases: Of the data set, each with a reader.

    Raises:
        StudyError: If a file that the study names cannot be read.
    """
    found: dict[str, Any] = {
        "classes": list(dataset.classes),
        "protocol": study.split_spec(dataset.protocol()).model_dump(mode="json"),
        "files": {key: _sha256(path, key) for key, path in _files(study)},
    }
    if cases:
        found[READERS] = {
            name: one.model_dump(mode="json", exclude={"version"})  # which stands in versions
            for name, one in readers_of(cases).items()
        }
    if preparers is not None:
        found[RECIPES] = {name: recipe_id(checked_recipe(one)) for name, one in preparers.items()}
    return found


def changes(
    study: ResolvedStudy,
    recorded: Mapping[str, Any],
    inputs: Mapping[str, Any] | None,
    recorded_inputs: Mapping[str, Any],
) -> list[str]:
    """The dotted keys in which a study differs from that of a run; none: it is the same run.

    Where the data lies does not count: its content is compared case by case. A larger budget of the
    pretraining does not, either: the run is extended (`extends`).

    Args:
        study: Resolved, with the precision that the run has.
        recorded: The run's study as plain data.
        inputs: What `inputs_of` says of the study; without recipes, these are not compared. None
            compares the studies alone.
        recorded_inputs: What it said when the run began.
    """
    elsewhere = {f"dataset.{key}" for key in paths_of(type(study.dataset.config))}
    found = differences(recorded, study.dump())
    if inputs is not None:
        before = dict(recorded_inputs)
        now = dict(inputs)
        if RECIPES not in inputs:
            before.pop(RECIPES, None)
        if READERS not in before or READERS not in now:  # as in runs of an older rdfc
            before.pop(READERS, None)
            now.pop(READERS, None)
        found += differences(before, now)
    if extends(study, recorded):
        elsewhere |= {f"pretrain.{key}" for key in BUDGET}
    return [key for key in found if key not in elsewhere]


def extends(study: ResolvedStudy, recorded: Mapping[str, Any]) -> bool:
    """Whether a study gives its pretraining a larger budget than a run's, and none a smaller one.

    Args:
        study: Resolved.
        recorded: The run's study as plain data.
    """
    before, now = recorded.get("pretrain"), study.dump()["pretrain"]
    if not isinstance(before, Mapping):
        return False
    changed = [(before.get(key), now[key]) for key in BUDGET if before.get(key) != now[key]]
    return bool(changed) and all(
        isinstance(old, int) and (new is None or new > old) for old, new in changed
    )


def differences(a: Any, b: Any, path: str = "") -> list[str]:
    """The dotted keys at which two nestings of mappings differ."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return [
            found
            for key in sorted({*a, *b})
            for found in differences(a.get(key), b.get(key), f"{path}.{key}" if path else key)
        ]
    return [] if a == b else [path]


def paths_of(config: type[BaseModel]) -> list[str]:
    """The options that are paths."""
    return [
        key
        for key, field in config.model_fields.items()
        if field.annotation is Path or Path in get_args(field.annotation)
    ]


def _files(study: ResolvedStudy) -> Iterator[tuple[str, Path]]:
    """Dotted key → each file that a part other than the data set begins with, such as weights."""
    tops = {
        **{f"views.{name}": view for name, view in study.views.items()},
        "pretext": study.pretext,
        **{f"evaluate.compare.{name}": part for name, part in study.compare.items()},
        **{
            f"evaluate.starts.{start}.{name}": view
            for start, views in study.starts.items()
            for name, view in views.items()
        },
    }
    for key, part in tops.items():
        yield from _files_of(part, key)


def _files_of(part: ResolvedPart, key: str) -> Iterator[tuple[str, Path]]:
    for option in paths_of(type(part.config)):
        path = getattr(part.config, option)
        if path is not None and Path(path).is_file():  # what is missing is refused by its part
            yield f"{key}.{option}", Path(path)
    for name, inner in part.parts.items():
        yield from _files_of(inner, f"{key}.{name}")


def _sha256(path: Path, key: str) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StudyError(f"{key}: {path} cannot be read: {error.strerror}.") from error
