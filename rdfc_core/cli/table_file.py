"""A table that a command writes where ``--out`` says, in the format that its name ends with."""

from __future__ import annotations

import csv
import importlib.util
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from rdfc_core.errors import StudyError
from rdfc_core.utils.atomic import replacing
from rdfc_core.utils.training_extra import INSTALL_TABLES

FORMATS = (".csv", ".parquet")
KINDS = {".csv": "CSV", ".parquet": "Parquet", ".json": "JSON", ".html": "HTML"}


def check_out(
    out: Path | None,
    overwrite: bool,
    read: Sequence[Path | None] = (),
    formats: Sequence[str] = FORMATS,
    option: str = "--out",
) -> None:
    """Refuse a name that could not be written to, or should not, before anything is computed.

    Args:
        out: Where the table is to go; None: nowhere.
        overwrite: Whether a file that is there may be replaced.
        read: What the command reads, and so never replaces; a folder stands for the list in it.
        formats: Endings of what can be written.
        option: What names it.

    Raises:
        StudyError: If the name ends otherwise than a known format, its folder does not exist, or
            it exists itself.
    """
    if out is None:
        return
    if out.suffix.lower() not in formats:
        ending = f"ends with {out.suffix!r}" if out.suffix else "has no ending"
        *before, last = (KINDS[one] for one in formats)
        kinds = f"{', '.join(before)} and {last}" if before else last
        raise StudyError(
            f"{option} {out}: the name {ending}. {kinds} can be written: end it with "
            f"{' or '.join(formats)}."
        )
    if out.suffix.lower() == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise StudyError(
            f"{option} {out}: Parquet is written with pyarrow, which is not installed here. "
            f"Install it ({INSTALL_TABLES}), or end the name with .csv."
        )
    if not out.parent.is_dir():
        raise StudyError(
            f"{option} {out}: the folder {out.parent} does not exist. Make it first, or correct "
            "the path."
        )
    if out.is_dir():
        raise StudyError(f"{option} {out} is a folder. Name a file in it.")
    for path in filter(None, read):
        for file in (path, path / "manifest.csv"):
            if out.exists() and file.is_file() and out.samefile(file):
                raise StudyError(f"{option} {out} is what is read. Choose another name.")
    if (out.exists() or out.is_symlink()) and not overwrite:
        raise StudyError(f"{out} exists. Choose another {option}, or replace it with --overwrite.")


def write_table(out: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Write the rows in the format of the name.

    Args:
        out: As `check_out` takes it.
        rows: All with the same columns.
        columns: Their names, also where there is no row.
    """
    if out.suffix.lower() == ".parquet":
        import pyarrow as pa
        from pyarrow import parquet

        with replacing(out) as partial:
            parquet.write_table(pa.table({c: [row[c] for row in rows] for c in columns}), partial)
        return
    with replacing(out) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        write_csv(file, rows, columns)


def write_csv(file: TextIO, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Write the rows as CSV; what is not known is an empty cell."""
    writer = csv.DictWriter(file, columns)
    writer.writeheader()
    writer.writerows({name: known(value) for name, value in row.items()} for row in rows)


def known(value: Any) -> Any:
    """The value, or None for a number that is missing."""
    return None if isinstance(value, float) and math.isnan(value) else value
