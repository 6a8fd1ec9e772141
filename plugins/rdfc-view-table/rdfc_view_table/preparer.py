"""What is kept of a case's columns. Free of torch, since worker processes load it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rdfc_core.case import Tumour
from rdfc_core.errors import DataError
from rdfc_core.interfaces import Needs, Prepared

VERSION = 1
"""Of what `TablePreparer.prepare` gives."""

Cell = float | str | None
"""A number, a word, or no value."""


@dataclass(frozen=True)
class TablePreparer:
    """Reads the chosen columns of a case, and looks at no image.

    Args:
        numbers: Names of columns that hold numbers.
        categories: Names of columns that hold words.
    """

    numbers: tuple[str, ...]
    categories: tuple[str, ...]

    @property
    def needs(self) -> Needs:
        """The columns, and no image."""
        return Needs(images=(), columns=(*self.numbers, *self.categories))

    def recipe(self) -> dict[str, Any]:
        """Names and roles of the columns: the store's key."""
        columns = {"numbers": list(self.numbers), "categories": list(self.categories)}
        return {"view": "table", "version": VERSION, **columns}

    def prepare(self, tumour: Tumour) -> Prepared:
        """The cells as JSON in UTF-8, (L,) uint8: a number, a word or null a column.

        Raises:
            DataError: If a column of numbers holds another text.
        """
        cells: list[Cell] = [_number(name, tumour.columns[name]) for name in self.numbers]
        cells += [_word(tumour.columns[name]) for name in self.categories]
        text = json.dumps(cells, ensure_ascii=False, allow_nan=False)
        return Prepared(np.frombuffer(text.encode(), np.uint8))


def cells_of(prepared: Sequence[Prepared]) -> list[list[Cell]]:
    """The cells of each case, as `TablePreparer.prepare` wrote them."""
    return [json.loads(one.array.tobytes()) for one in prepared]


def _number(name: str, text: str) -> float | None:
    if not text.strip():
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise DataError(
            f"its column {name!r} holds {text!r}, which is no number. Correct the cell, leave it "
            "empty if the value is missing, or name the column under categories."
        )
    return number


def _word(text: str) -> str | None:
    """Words that differ in capitals or blanks alone are one."""
    return " ".join(text.split()).casefold() or None
