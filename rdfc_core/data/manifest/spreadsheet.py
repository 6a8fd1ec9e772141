"""A spreadsheet that lists images and masks under names of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rdfc_core.data.cells import find_column
from rdfc_core.data.manifest.files import stem
from rdfc_core.data.manifest.tables import read_text_table
from rdfc_core.errors import DataError
from rdfc_core.interfaces.layout import ONLY, Doubt, Found, FoundCase

ROLES = ("image", "mask", "case_id", "patient_id", "label")


def listed_cases(
    path: Path, columns: Mapping[str, str], root: Path, sheet: str | None = None
) -> Found:
    """A case for each row whose image and mask are there; the rest of its cells are its columns.

    Args:
        path: The spreadsheet.
        columns: Role (`ROLES`) → name of the column; a role that is not named has its own name.
        root: From where relative paths start.
        sheet: Of a workbook.

    Raises:
        DataError: If the table cannot be read, or has no column of images or masks.
    """
    table = read_text_table(path, sheet)
    header = table.columns
    role = {name: table.column(columns[name]) for name in ROLES if name in columns}
    for name in ROLES:
        own = find_column(header, name)
        if name not in role and own is not None:
            role[name] = own
    for name in ("image", "mask"):
        if name not in role:
            raise DataError(
                f"{path} has no column {name!r}. Say which it is: --column {name}='ITS NAME' "
                f"(there: {', '.join(header)})."
            )
    cases: list[FoundCase] = []
    doubts: list[Doubt] = []
    taken: set[str] = set()
    for line, row in zip(table.lines, table.rows, strict=True):
        files = {name: root / row[role[name]].replace("\\", "/") for name in ("image", "mask")}
        gone = next((one for name, one in files.items() if not _there(one, row[role[name]])), None)
        case_id = row[role["case_id"]] if "case_id" in role else stem(files["image"])
        if gone is not None or case_id in taken or not case_id:
            what = f"{path.name}, row {line}"
            if gone is not None:
                doubts.append(Doubt(what, f"there is no file {gone}", "Correct the path."))
            else:
                why = f"its id {case_id!r} is empty or was there before"
                doubts.append(Doubt(what, why, "Give each row an id of its own."))
            continue
        taken.add(case_id)
        further = {name: row[name] for name in header if name not in role.values()}
        cases.append(
            FoundCase(
                case_id,
                {ONLY: files["image"]},
                {ONLY: files["mask"]},
                patient_id=row[role["patient_id"]] if "patient_id" in role else None,
                label=row[role["label"]] if "label" in role else None,
                columns=further,
            )
        )
    return Found(cases, doubts)


def _there(path: Path, cell: str) -> bool:
    return bool(cell) and path.is_file()
