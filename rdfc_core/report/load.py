"""A run folder → `RunData`. Every file may be absent; a file that is there must be readable."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rdfc_core.config.load import read_recorded, without_added
from rdfc_core.errors import DataError
from rdfc_core.report.load_predictions import predictions
from rdfc_core.report.number_groups import grouped
from rdfc_core.report.parquet import as_matrix, as_strings, damaged, read_table
from rdfc_core.report.run_data import (
    Embeddings,
    Epoch,
    RecordedResults,
    RunData,
)
from rdfc_core.results.files import (
    ATTENTION,
    EMBEDDINGS,
    METRICS,
    PICTURES,
    PREDICTIONS,
    RESULTS,
    SECTIONS,
    STUDY,
)
from rdfc_core.results.report_blocks import RecordedSection, RecordedSections
from rdfc_core.results.schema import AttentionMap
from rdfc_core.results.vocabulary import LABEL_EFFICIENCY, REGRESSION
from rdfc_core.utils.atomic import MOST_TEXT, within
from rdfc_core.utils.serialization import parse_json
from rdfc_core.utils.validation import first_fault

FIRST_PART = ("test", "train", "pretext")
"""A case of several parts counts as the first of these: training cases serve pretraining too."""


def read_run(folder: Path) -> RunData:
    """Everything the report needs of the run in ``folder``.

    Raises:
        DataError: If the folder holds none of a run's files, or one of them is damaged; the
            message names the file.
    """
    names = (STUDY, METRICS, RESULTS, PREDICTIONS, EMBEDDINGS, PICTURES)
    if not any((folder / name).is_file() for name in names):
        raise DataError(
            f"{folder} is no run folder: it holds none of {', '.join(names)}. "
            "Name the folder that rdfc run or rdfc pretrain wrote."
        )
    study, versions = _study(folder / STUDY)
    told = predictions(folder / PREDICTIONS)
    epochs, unread_lines = _epochs(folder / METRICS)
    results = _results(folder / RESULTS)
    embeddings = _embeddings(folder / EMBEDDINGS)
    groups: tuple[str, ...] = ()
    if results and results.task == REGRESSION:
        groups, told, embeddings = grouped(told, embeddings)
    return RunData(
        name=folder.resolve().name,
        study=study,
        versions=versions,
        epochs=epochs,
        unread_lines=unread_lines,
        results=results,
        predictions=tuple(one for one in told if one.method.table != LABEL_EFFICIENCY),
        few_labels=tuple(one for one in told if one.method.table == LABEL_EFFICIENCY),
        embeddings=embeddings,
        groups=groups,
        pictures=pictures(folder / PICTURES),
        attention_maps=_looked(folder / ATTENTION),
        plugin_sections=_plugin_sections(folder / SECTIONS),
    )


def _study(path: Path) -> tuple[Mapping[str, Any] | None, dict[str, str]]:
    if not path.is_file():
        return None, {}
    try:
        study = read_recorded(path)
    except ValueError as error:
        raise damaged(path, error) from error
    versions = study.get("versions") or {}
    return without_added(study), {str(name): str(version) for name, version in versions.items()}


def _epochs(path: Path) -> tuple[tuple[Epoch, ...], int]:
    """The epochs in order, and how many lines could not be read.

    A crash can tear the last line; a resumed run repeats epochs, and the later line counts.
    """
    if not path.is_file():
        return (), 0
    try:
        lines = within(path, MOST_TEXT).read_text(encoding="utf-8", errors="replace").split("\n")
    except ValueError as error:
        raise damaged(path, error) from error
    epochs: dict[tuple[str, int], Epoch] = {}
    unread = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            values = parse_json(line)
            split, epoch = str(values["split"]), int(values["epoch"])
        except (ValueError, KeyError, TypeError):
            unread += number < len(lines)  # what follows the last line break is the torn line
            continue
        numbers = {
            key: float(value)
            for key, value in values.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        epochs[split, epoch] = Epoch(split, epoch, numbers)
    order = {split: place for place, split in enumerate(dict.fromkeys(s for s, _ in epochs))}
    return tuple(sorted(epochs.values(), key=lambda e: (order[e.split], e.epoch))), unread


def _results(path: Path) -> RecordedResults | None:
    if not path.is_file():
        return None
    try:
        return RecordedResults.model_validate(
            parse_json(within(path, MOST_TEXT).read_text(encoding="utf-8"))
        )
    except ValidationError as error:
        raise damaged(path, first_fault(error)) from error
    except ValueError as error:
        raise damaged(path, error) from error


def _embeddings(path: Path) -> Embeddings | None:
    table = read_table(path, ["split", "part", "case_id", "label", "vector"])
    if table is None or table.num_rows == 0:
        return None
    splits, parts, cases = (as_strings(table[name]) for name in ("split", "part", "case_id"))
    labels, vectors = table["label"].to_pylist(), table["vector"].to_pylist()
    chosen: dict[str, int] = {}
    for row in sorted(range(len(cases)), key=lambda row: _rank(parts[row])):
        if splits[row] == splits[0]:
            chosen.setdefault(cases[row], row)
    rows = sorted(chosen.values())
    matrix = as_matrix([vectors[row] for row in rows])
    if matrix is None:
        raise damaged(path, "its vectors differ in length or are missing")
    return Embeddings(
        split=splits[0],
        case_ids=tuple(cases[row] for row in rows),
        parts=tuple(parts[row] for row in rows),
        labels=tuple(None if labels[row] is None else str(labels[row]) for row in rows),
        vectors=matrix,
        other_splits=len(set(splits)) - 1,
    )


def _rank(part: str) -> int:
    return FIRST_PART.index(part) if part in FIRST_PART else len(FIRST_PART)


def pictures(path: Path) -> dict[str, bytes]:
    """Case id → thumbnail, of a run's ``pictures.parquet``; none where there is no such file.

    Raises:
        DataError: If the file is damaged.
    """
    table = read_table(path, ["case_id", "png"])
    if table is None:
        return {}
    pairs = zip(as_strings(table["case_id"]), table["png"].to_pylist(), strict=True)
    return {case_id: png for case_id, png in pairs if png}


def _looked(path: Path) -> tuple[AttentionMap, ...]:
    table = read_table(path, list(AttentionMap._fields))
    if table is None:
        return ()
    return tuple(AttentionMap(**row) for row in table.to_pylist() if None not in row.values())


def _plugin_sections(path: Path) -> tuple[RecordedSection, ...]:
    if not path.is_file():
        return ()
    try:
        return RecordedSections.read(path).sections
    except (OSError, ValueError) as error:
        raise damaged(path, error) from error
