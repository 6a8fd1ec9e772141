"""``cases.csv`` of a run: what each case is, and its part in each split; and what has changed."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rdfc_core.case import Case
from rdfc_core.data.splits import Split
from rdfc_core.errors import DataError
from rdfc_core.extraction.failures import Failure
from rdfc_core.interfaces.dataset import SplitSpec
from rdfc_core.utils.atomic import MOST_TEXT, replacing, within

BEFORE = ("case_id", "patient_id", "label", "fingerprint")
AFTER = ("listed_part", "failed")
IMAGE = "image"
"""The last column; files of an older rdfc lack it."""


class CaseRow(NamedTuple):
    """A case as a run saw it.

    Args:
        case_id: The case.
        patient_id: Its patient.
        label: Its class, or "".
        fingerprint: Of its content and what its mask means; "" if its files could not be read.
        parts: Its part in each split, or "".
        listed_part: What the data set's own split column says of it, where that decides.
        failed: Why it could not be used, or "".
        image: Fingerprint of its image alone, without the outline; "" in runs of an older rdfc.
    """

    case_id: str
    patient_id: str
    label: str
    fingerprint: str
    parts: tuple[str, ...] = ()
    listed_part: str = ""
    failed: str = ""
    image: str = ""


def case_rows(
    cases: Sequence[Case],
    fingerprints: Mapping[str, str],
    spec: SplitSpec,
    splits: Sequence[Split] = (),
    failures: Sequence[Failure] = (),
    images: Mapping[str, str] | None = None,
) -> list[CaseRow]:
    """A row a case, in their order.

    Args:
        cases: All of them.
        fingerprints: Case id → fingerprint, of those whose files could be read.
        spec: Says whether a column of the data set decides the split.
        splits: The splits.
        failures: The cases that could not be used.
        images: Case id → fingerprint of the image alone; it is not compared.
    """
    reasons = {failure.case_id: failure.reason for failure in failures}
    parts = [
        {c: part for part in ("pretext", "train", "test") for c in getattr(split, part)}
        for split in splits
    ]
    return [
        CaseRow(
            case.case_id,
            case.patient_id,
            case.label or "",
            fingerprints.get(case.case_id, ""),
            tuple(part.get(case.case_id, "") for part in parts),
            case.columns.get(spec.column, "") if spec.kind == "column" else "",
            reasons.get(case.case_id, ""),
            (images or {}).get(case.case_id, ""),
        )
        for case in cases
    ]


def write_rows(path: Path, rows: Sequence[CaseRow], splits: Sequence[Split]) -> None:
    """Write the rows as CSV."""
    header = [*BEFORE, *(split.name for split in splits), *AFTER, IMAGE]
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([*row[:4], *row.parts, *row[5:]] for row in rows)


def wrote_rows(path: Path) -> bool:
    """Whether there is a file that begins as `write_rows` begins one."""
    beginning = ",".join(BEFORE).encode()
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(beginning)) == beginning


def read_rows(path: Path) -> list[CaseRow]:
    """The rows of a file that `write_rows` wrote; none without it.

    Raises:
        DataError: If it is damaged.
    """
    if not path.exists():
        return []
    try:
        with within(path, MOST_TEXT).open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
    except (ValueError, csv.Error) as error:
        raise DataError(
            f"{path} cannot be read: {error}. Begin the run afresh with --overwrite."
        ) from error
    newer = bool(rows) and rows[0][-1:] == [IMAGE]
    if not newer:
        rows = [[*row, ""] for row in rows]
    return [
        CaseRow(row[0], row[1], row[2], row[3], tuple(row[4:-3]), *row[-3:])
        for row in rows[1:]
        if len(row) > len(BEFORE) + len(AFTER)
    ]


def without_reasons(rows: Sequence[CaseRow]) -> list[CaseRow]:
    """The rows with whether a case failed in place of why, and what older runs record of it."""
    return [row._replace(failed="failed" if row.failed else "", image="") for row in rows]


def change(before: Sequence[CaseRow], now: Sequence[CaseRow]) -> str | None:
    """What is no longer as it was, in words, or None.

    Args:
        before: As a run recorded them.
        now: As they are; without parts where these are not known, and then not compared.
    """
    ids, ids_now = [row.case_id for row in before], [row.case_id for row in now]
    if set(ids) != set(ids_now):
        unlike = sorted(set(ids) ^ set(ids_now))[0]
        return f"case {unlike} is {'new' if unlike in set(ids_now) else 'gone'}"
    if ids != ids_now:
        first = next(a for a, b in zip(ids, ids_now, strict=True) if a != b)
        return (
            f"they stand in another order, from case {first} on, and training draws them by their "
            "places: put the list back in the order of the run's cases.csv"
        )
    compared = {
        "patient_id": "patient",
        "label": "label",
        "fingerprint": "image, mask, or what the mask means",
        "listed_part": "part in the split column",
    }
    if all(row.parts for row in now):
        compared["parts"] = "part in the split"
    for field, what in compared.items():
        changed = [
            row.case_id
            for row, row_now in zip(before, now, strict=True)
            if getattr(row, field) != getattr(row_now, field)
        ]
        if changed:
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            return f"the {what} of case {changed[0]}{more}"
    return None
