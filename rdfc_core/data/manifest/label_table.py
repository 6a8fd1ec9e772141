"""Labels and clinical columns from a second table, joined by the ids of cases or patients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rdfc_core.data.cells import counted, find_column
from rdfc_core.data.manifest.files import ENDINGS, stem
from rdfc_core.data.manifest.tables import read_text_table
from rdfc_core.errors import DataError
from rdfc_core.interfaces.layout import Doubt, Found, FoundCase


def joined(
    found: Found,
    path: Path,
    id_column: str,
    label_column: str | None,
    further: Sequence[str] = (),
    sheet: str | None = None,
) -> Found:
    """The cases with labels and columns of the rows that have their id.

    Ids are those of the cases, or names of their images; where no case has any of them, those of
    the patients. A case without a row has no label, and every one of them is told.

    Args:
        found: The cases.
        path: The table.
        id_column: Its column of ids.
        label_column: Its column of labels; None: ``label``, if it has one.
        further: More of its columns, to be kept.
        sheet: Of a workbook.

    Raises:
        DataError: If the table cannot be read, lacks a column, or no id is known.
    """
    table = read_text_table(path, sheet)
    ids = table.column(id_column)
    own = find_column(table.columns, "label")
    label = own if label_column is None else table.column(label_column)
    kept = [table.column(name) for name in further]
    told = [_id(row[ids]) for row in table.rows]
    rows = dict(zip(told, table.rows, strict=True))
    of_case = {case.case_id: case.case_id for case in found.cases}
    of_patient = {case.case_id: case.patient_id or "" for case in found.cases}
    known = of_case if set(of_case.values()) & set(rows) else of_patient
    if not set(known.values()) & set(rows):
        examples = f"{next(iter(rows))!r} there, {next(iter(of_case), '')!r} here"
        raise DataError(
            f"{path}: no id of its column {ids!r} is that of a case or a patient (for example "
            f"{examples}). Name another column by --id, or take ids out of names by --patient."
        )
    doubts = [*found.doubts, *_twice(told, path)]
    unclear = {doubt.what for doubt in doubts[len(found.doubts) :]}
    cases: list[FoundCase] = []
    for case in found.cases:
        row = rows.get(known[case.case_id])
        if row is None or known[case.case_id] in unclear:
            if row is None:
                why = f"{path.name} has no row for it, so that it is unlabelled"
                doubts.append(Doubt(case.case_id, why, "Add its row if it has a diagnosis."))
            cases.append(case)
            continue
        said = {name: row[name] for name in kept}
        cases.append(
            replace(
                case,
                label=case.label if label is None else row[label],
                columns={**case.columns, **said},
            )
        )
    left = [one for one in rows if one not in set(known.values())]
    doubts += [
        Doubt(one, f"{path.name} has a row for it, and no case has the id", "Correct the id.")
        for one in left
    ]
    whose = "cases" if known is of_case else "patients"
    matched = sum(known[case.case_id] in rows for case in cases)
    note = f"{counted(matched, 'case')} found in {path.name} by the ids of {whose}."
    return Found(cases, doubts, [*found.notes, note])


def _id(cell: str) -> str:
    """An id; the name of an image stands for the case that is called after it."""
    path = Path(cell.replace("\\", "/"))
    return stem(path) if path.name.lower().endswith(ENDINGS) else cell


def _twice(ids: Sequence[str], path: Path) -> list[Doubt]:
    """An id with several rows takes no label from any of them."""
    repeated = sorted(one for one, count in Counter(ids).items() if count > 1)
    why = f"{path.name} has several rows for it, so that none was taken"
    return [Doubt(one, why, "Keep one row for each id.") for one in repeated]
