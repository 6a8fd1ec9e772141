"""Spreadsheets as people have them: CSV, tab-separated text and Excel, every cell as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdfc_core.data.cells import find_column, listed, tidy
from rdfc_core.errors import DataError, did_you_mean

TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")

SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class TextTable:
    """Every cell as text without surrounding blanks, "" where it is empty.

    Args:
        path: Its file.
        columns: Their names.
        rows: Column → cell, of the rows that are not empty.
        lines: Number of each row in the file, the header being 1.
    """

    path: Path
    columns: Sequence[str]
    rows: Sequence[dict[str, str]]
    lines: Sequence[int]

    def column(self, wanted: str) -> str:
        """The column of that name, capitals and separators left aside.

        Raises:
            DataError: If there is none.
        """
        found = wanted if wanted in self.columns else find_column(self.columns, wanted)
        if found is None:
            raise DataError(
                f"{self.path} has no column {wanted!r}.{did_you_mean(wanted, self.columns)} "
                f"There: {listed(self.columns, 12)}."
            )
        return found


def read_text_table(path: Path, sheet: str | None = None) -> TextTable:
    """A table of any of the kinds.

    Args:
        path: CSV (any of the usual separators), TSV or a workbook of Excel.
        sheet: Of a workbook; None: its only one.

    Raises:
        DataError: If it cannot be read, has no rows or a column twice, a row has more cells than
            the header, or which sheet is meant is not said.
    """
    if path.suffix.lower() not in TABLES:
        raise DataError(
            f"{path} is no table that can be read ({', '.join(TABLES)}). Save it as one of them."
        )
    workbook = path.suffix.lower().startswith(".xls")
    try:
        found = list(_sheet(path, sheet) if workbook else _text(path))
    except DataError:
        raise
    except Exception as error:  # whatever the libraries of spreadsheets raise on a damaged one
        raise DataError(
            f"{path} cannot be read as a table ({error}). Open it in the program that wrote it, "
            "and save it as CSV in UTF-8."
        ) from error
    return _table(path, found)


def _table(path: Path, found: Sequence[Sequence[str]]) -> TextTable:
    header = [tidy(name) for name in found[0]] if found else []
    while header and not header[-1]:  # cells that were formatted and never filled
        header.pop()
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise DataError(f"{path} has the column {twice[0]!r} twice. Rename one of them.")
    rows, lines = [], []
    for line, cells in enumerate(found[1:], start=2):
        told = [tidy(cell) for cell in cells]
        if not any(told):
            continue
        if any(told[len(header) :]):
            raise DataError(
                f"{path}, row {line}: {len(told)} cells under {len(header)} columns. Put a cell "
                "that holds the separator in quotes."
            )
        told += [""] * (len(header) - len(told))
        rows.append(dict(zip(header, told, strict=False)))
        lines.append(line)
    if not rows:
        raise DataError(f"{path} has no rows.")
    return TextTable(path, header, rows, lines)


def _text(path: Path) -> list[list[str]]:
    """Separated by what makes the most columns of the header."""
    text = path.read_text(encoding="utf-8-sig")
    lines = [line for line in text.splitlines() if line.strip()]
    header = lines[0] if lines else ""
    widths = {one: len(next(csv.reader([header], delimiter=one), [])) for one in SEPARATORS}
    separator = max(SEPARATORS, key=lambda one: widths[one])
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


def _sheet(path: Path, sheet: str | None) -> Iterator[list[str]]:
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        names = list(map(str, book.sheetnames))
        if sheet is None and len(names) > 1:
            raise DataError(f"{path} has the sheets {listed(names, 9)}. Say which by --sheet NAME.")
        if sheet is not None and sheet not in names:
            raise DataError(
                f"{path} has no sheet {sheet!r}.{did_you_mean(sheet, names)} "
                f"There: {listed(names, 9)}."
            )
        rows: Iterable[tuple[Any, ...]] = book[sheet or names[0]].iter_rows(values_only=True)
        for row in rows:
            yield [_cell(value) for value in row]
    finally:
        book.close()


def _cell(value: Any) -> str:
    """As it reads: whole numbers without a point, whatever type the workbook keeps them in."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
