"""A run folder → `RunData`. Every file may be absent; a file that is there must be readable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from rdfc_core.config.load import read_recorded, without_added
from rdfc_core.errors import DataError
from rdfc_core.report.run_data import (
    Embeddings,
    Epoch,
    Method,
    RecordedPredictions,
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
from rdfc_core.results.vocabulary import LABEL_EFFICIENCY
from rdfc_core.utils.atomic import MOST_TEXT, within
from rdfc_core.utils.serialization import parse_json
from rdfc_core.utils.validation import first_fault

MOST_TABLE_BYTES = 2**32
"""Of a table: 4 GiB, four times the pictures of 100,000 cases."""
MOST_TABLE_VALUES = 10**8
"""Of a column: the embeddings of 100,000 cases, 1,000 numbers each."""

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
    told = _predictions(folder / PREDICTIONS)
    epochs, unread_lines = _epochs(folder / METRICS)
    return RunData(
        name=folder.resolve().name,
        study=study,
        versions=versions,
        epochs=epochs,
        unread_lines=unread_lines,
        results=_results(folder / RESULTS),
        predictions=tuple(one for one in told if one.method.table != LABEL_EFFICIENCY),
        few_labels=tuple(one for one in told if one.method.table == LABEL_EFFICIENCY),
        embeddings=_embeddings(folder / EMBEDDINGS),
        pictures=_pictures(folder / PICTURES),
        attention_maps=_looked(folder / ATTENTION),
        plugin_sections=_plugin_sections(folder / SECTIONS),
    )


def _study(path: Path) -> tuple[Mapping[str, Any] | None, dict[str, str]]:
    if not path.is_file():
        return None, {}
    try:
        study = read_recorded(path)
    except ValueError as error:
        raise _damaged(path, error) from error
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
        raise _damaged(path, error) from error
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
        raise _damaged(path, first_fault(error)) from error
    except ValueError as error:
        raise _damaged(path, error) from error


def _predictions(path: Path) -> tuple[RecordedPredictions, ...]:
    keys = list(Method._fields)
    text = ["split", *keys, "case_id", "patient_id", "label", "predicted"]
    table = _table(path, [*text, "probabilities"], ["repeat", "label_fraction"])
    if table is None:
        return ()
    columns = {name: _strings(table[name]) for name in text}
    probabilities = table["probabilities"].to_pylist()
    repeats = _numbers(table, "repeat", 0)
    shares = _numbers(table, "label_fraction", 1.0)
    rows_of: dict[tuple[Method, float], list[int]] = {}
    for row, key in enumerate(zip(*(columns[k] for k in keys), strict=True)):
        if columns["label"][row] and columns["predicted"][row]:
            rows_of.setdefault((Method(*key), shares[row]), []).append(row)

    def pick(name: str, rows: Sequence[int]) -> tuple[str, ...]:
        return tuple(columns[name][row] for row in rows)

    return tuple(
        RecordedPredictions(
            method=method,
            splits=pick("split", rows),
            case_ids=pick("case_id", rows),
            patient_ids=pick("patient_id", rows),
            labels=pick("label", rows),
            predicted=pick("predicted", rows),
            probabilities=_matrix([probabilities[row] for row in rows]),
            repeats=tuple(int(repeats[row]) for row in rows),
            label_fraction=share,
        )
        for (method, share), rows in rows_of.items()
    )


def _embeddings(path: Path) -> Embeddings | None:
    table = _table(path, ["split", "part", "case_id", "label", "vector"])
    if table is None or table.num_rows == 0:
        return None
    splits, parts, cases = (_strings(table[name]) for name in ("split", "part", "case_id"))
    labels, vectors = table["label"].to_pylist(), table["vector"].to_pylist()
    chosen: dict[str, int] = {}
    for row in sorted(range(len(cases)), key=lambda row: _rank(parts[row])):
        if splits[row] == splits[0]:
            chosen.setdefault(cases[row], row)
    rows = sorted(chosen.values())
    matrix = _matrix([vectors[row] for row in rows])
    if matrix is None:
        raise _damaged(path, "its vectors differ in length or are missing")
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


def _pictures(path: Path) -> dict[str, bytes]:
    table = _table(path, ["case_id", "png"])
    if table is None:
        return {}
    pairs = zip(_strings(table["case_id"]), table["png"].to_pylist(), strict=True)
    return {case_id: png for case_id, png in pairs if png}


def _looked(path: Path) -> tuple[AttentionMap, ...]:
    table = _table(path, list(AttentionMap._fields))
    if table is None:
        return ()
    return tuple(AttentionMap(**row) for row in table.to_pylist() if None not in row.values())


def _plugin_sections(path: Path) -> tuple[RecordedSection, ...]:
    if not path.is_file():
        return ()
    try:
        return RecordedSections.read(path).sections
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error


def _table(path: Path, columns: list[str], optional: Sequence[str] = ()) -> pa.Table | None:
    """The columns, with those optional ones that are there."""
    if not path.is_file():
        return None
    try:
        _refuse_bomb(path)
        there = pq.read_schema(path).names
        if not there:  # a table of nothing: no case was there to be written
            return None
        missing = [name for name in columns if name not in there]
        if missing:
            raise _damaged(path, f"it has no column {', '.join(missing)}")
        table = pq.read_table(path, columns=[*columns, *(n for n in optional if n in there)])
        table.validate(full=True)  # reading leaves open whether text is text
        return table
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(path, error) from error


def _refuse_bomb(path: Path) -> None:
    """Check what a table becomes in memory, by what its parts say of themselves.

    Raises:
        ValueError: If that is more than a run ever writes.
    """
    about = pq.read_metadata(within(path, MOST_TABLE_BYTES))
    parts = [
        about.row_group(group).column(column)
        for group in range(about.num_row_groups)
        for column in range(about.num_columns)
    ]
    unpacked = sum(part.total_uncompressed_size for part in parts)
    if unpacked > MOST_TABLE_BYTES:
        raise ValueError(f"it unpacks to {unpacked} bytes, more than {MOST_TABLE_BYTES}")
    # A value that repeats takes almost nothing in the file, and its full length in memory.
    values = max((part.num_values for part in parts), default=0)
    if max(values, about.num_rows) > MOST_TABLE_VALUES:
        raise ValueError(f"a column has {values} values, more than {MOST_TABLE_VALUES}")


def _numbers(table: pa.Table, name: str, otherwise: float) -> list[float]:
    """A column that older runs do not have, or leave empty."""
    if name not in table.column_names:
        return [otherwise] * table.num_rows
    return [otherwise if value is None else float(value) for value in table[name].to_pylist()]


def _strings(column: pa.ChunkedArray) -> list[str]:
    return ["" if value is None else str(value) for value in column.to_pylist()]


def _matrix(rows: Sequence[Sequence[float] | None]) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    """The rows as (N, D), NaN where a number is null; None unless all are there and as long."""
    lengths = {None if row is None else len(row) for row in rows}
    if len(lengths) != 1 or None in lengths or 0 in lengths:
        return None
    return np.array(rows, dtype=np.float64)


def _damaged(path: Path, problem: object) -> DataError:
    reason = " ".join(str(problem).split())
    return DataError(
        f"{path} cannot be read: {reason}. Repeat the step that wrote it (rdfc run resumes), "
        "or remove the file: the report then leaves its section out."
    )
