"""Spreadsheets as people have them: CSV, tab-separated text and Excel, every cell as text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rdfc_core.data.cells import find_column, listed, tidy
from rdfc_core.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")


def read_text_table(path: Path, sheet: str | None = None) -> pd.DataFrame:
    """Every cell as text without surrounding blanks, "" where it is empty; columns by their names.

    Args:
        path: CSV (any of the usual separators), TSV or a workbook of Excel.
        sheet: Of a workbook; None: its only one.

    Raises:
        DataError: If it cannot be read, has no rows or a column twice, or which sheet is meant is
            not said.
    """
    import pandas as pd

    if path.suffix.lower() not in TABLES:
        raise DataError(
            f"{path} is no table that can be read ({', '.join(TABLES)}). Save it as one of them."
        )
    try:
        if path.suffix.lower().startswith(".xls"):
            table = _sheet(path, sheet)
        else:
            table = pd.read_csv(
                path,
                sep=None,
                engine="python",
                dtype=str,
                keep_default_na=False,
                encoding="utf-8-sig",
            )
    except DataError:
        raise
    except Exception as error:  # whatever the libraries of spreadsheets raise on a damaged one
        raise DataError(
            f"{path} cannot be read as a table ({error}). Open it in the program that wrote it, "
            "and save it as CSV in UTF-8."
        ) from error
    table.columns = [tidy(str(name)) for name in table.columns]
    twice = [name for name in table.columns if list(table.columns).count(name) > 1]
    if twice:
        raise DataError(f"{path} has the column {twice[0]!r} twice. Rename one of them.")
    table = table.map(lambda cell: tidy(str(cell)))
    table = table[(table != "").any(axis=1)]
    if table.empty:
        raise DataError(f"{path} has no rows.")
    return table.reset_index(drop=True)


def _sheet(path: Path, sheet: str | None) -> pd.DataFrame:
    import pandas as pd

    with pd.ExcelFile(path, engine="openpyxl") as book:
        names = list(map(str, book.sheet_names))
        if sheet is None and len(names) > 1:
            raise DataError(f"{path} has the sheets {listed(names, 9)}. Say which by --sheet NAME.")
        if sheet is not None and sheet not in names:
            raise DataError(
                f"{path} has no sheet {sheet!r}.{did_you_mean(sheet, names)} "
                f"There: {listed(names, 9)}."
            )
        return pd.read_excel(book, sheet or names[0], dtype=str, keep_default_na=False)


def column_of(table: pd.DataFrame, path: Path, wanted: str) -> str:
    """The column of that name, capitals and separators left aside.

    Raises:
        DataError: If there is none.
    """
    header = [str(name) for name in table.columns]
    found = wanted if wanted in header else find_column(header, wanted)
    if found is None:
        raise DataError(
            f"{path} has no column {wanted!r}.{did_you_mean(wanted, header)} "
            f"There: {listed(header, 12)}."
        )
    return found
