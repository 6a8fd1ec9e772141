"""A CSV file as rows with their line numbers, and everything wrong with its form."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rdfc_core.data.cells import tidy
from rdfc_core.interfaces import Problem
from rdfc_dataset_manifest.unreadable import OtherFormatError, refuse_other_formats, unreadable

DELIMITERS = (",", ";", "\t")
_SEPARATOR = re.compile(r'"?sep=([,;|:\t])"?[,;|\t]*', re.IGNORECASE)
"""Excel's first line, with the separators that a spreadsheet may add as it saves the line."""


@dataclass(frozen=True)
class ManifestRow:
    """One row.

    Args:
        line: Where it begins in the file, counted from 1.
        cells: Column → content without surrounding blanks.
    """

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """A CSV file.

    Args:
        path: The file.
        columns: Its named columns, in order.
        rows: Its rows, without empty ones and those that have a problem.
        problems: Rows and columns that do not fit.
    """

    path: Path
    columns: Sequence[str]
    rows: Sequence[ManifestRow]
    problems: Sequence[Problem]


def read_table(path: Path) -> Table:
    """Read a CSV file separated by commas, semicolons or tabs, with or without a byte-order mark.

    A first line ``sep=;``, as Excel understands it, names another separator. Empty lines and
    columns without a name are passed over. Cells are stripped of surrounding blanks, and their
    letters composed (NFC). A file that cannot be read at all is a table without columns and with
    one problem.
    """
    try:
        data = path.read_bytes()
        refuse_other_formats(path, data)
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError, OtherFormatError) as error:
        return Table(path, (), (), [unreadable(path, error)])
    told, text = _named_separator(text)
    separator = told or _delimiter(text)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    header: list[str] = []
    rows: list[ManifestRow] = []
    problems: list[Problem] = []
    line = begun = 2 if told else 1
    try:
        for fields in lines:
            cells = [tidy(field) for field in fields]
            if any(cells) and not header:
                header = cells
                problems += _read_as_one(path, header)
            elif (len(cells) < len(header) and any(cells)) or any(cells[len(header) :]):
                message = f"{path}, line {line}: {len(cells)} fields, and the header has "
                fix = "Correct the line; a field that holds a separator needs quotes."
                problems.append(Problem("", "csv", f"{message}{len(header)}", fix))
            elif any(cells):
                named = zip(header, cells, strict=False)  # fields beyond the header are empty
                rows.append(ManifestRow(line, {name: cell for name, cell in named if name}))
            line = lines.line_num + begun
    except csv.Error as error:
        fix = "Check the quotes from that line on."
        problems.append(Problem("", "csv", f"{path}, line {line}: {error}", fix))
    if not header:
        fix = "Start it with the line: case_id,patient_id,image,mask,label"
        problems.append(Problem("", "csv", f"{path} is empty", fix))
    return Table(path, [name for name in header if name], rows, problems)


def _named_separator(text: str) -> tuple[str, str]:
    """The separator that a first line ``sep=;`` names, or "", and the text without that line."""
    first, *rest = text.splitlines(keepends=True) or [""]
    told = _SEPARATOR.fullmatch(first.rstrip("\r\n"))
    return (told[1], "".join(rest)) if told and rest else ("", text)


def _delimiter(text: str) -> str:
    """The separator that finds most columns in the header."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(DELIMITERS, key=header.count)


def _read_as_one(path: Path, header: Sequence[str]) -> list[Problem]:
    """Names are compared without regard to case, so ``Label`` beside ``label`` says nothing."""
    seen: dict[str, str] = {}
    problems = []
    for name in filter(None, header):
        if name.casefold() in seen:
            message = f"{path} has two columns for one name: {seen[name.casefold()]!r} and {name!r}"
            problems.append(Problem("", "csv", message, "Rename one of them."))
        seen[name.casefold()] = name
    return problems
