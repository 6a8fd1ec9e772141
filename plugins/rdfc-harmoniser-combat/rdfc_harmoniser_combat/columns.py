"""Batches and covariates of cases, read from the text of their columns."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core import DataError

Columns = Sequence[Mapping[str, str]]


def words_of(columns: Columns, name: str) -> list[str]:
    """The words of a column; those that differ in capitals or blanks alone are one.

    Raises:
        DataError: If a case has none.
    """
    found = [" ".join(row[name].split()).casefold() for row in columns]
    _require_values(sum(not word for word in found), len(found), name)
    return found


def numbers_of(columns: Columns, name: str) -> NDArray[np.float64]:
    """(N,) the numbers of a column.

    Raises:
        DataError: If a case has none, or another text.
    """
    texts = [row[name].strip() for row in columns]
    _require_values(sum(not text for text in texts), len(texts), name)
    return np.array([_number(text, name) for text in texts], np.float64)


def _number(text: str, name: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise DataError(
            f"The column {name!r}, which the harmonisation keeps the effect of, holds {text!r}, "
            "which is not a number. Correct the cell, or name the column under categories."
        )
    return number


def _require_values(empty: int, count: int, name: str) -> None:
    if empty:
        whose = "The case has" if count == 1 else f"{empty} of {count} cases have"
        raise DataError(
            f"{whose} no value in the column {name!r}, which the harmonisation needs. Fill it in, "
            "or leave such cases out."
        )


@dataclass(frozen=True)
class Covariates:
    """Columns whose effect is kept, as C numbers a case.

    Args:
        numbers: Names of columns of numbers.
        centre: (n,) their means among the cases that were fitted.
        categories: Names of columns of words.
        words: The words of each, in alphabetical order; the first has no column.
    """

    numbers: tuple[str, ...]
    centre: NDArray[np.float64]
    categories: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, columns: Columns, numbers: Sequence[str], categories: Sequence[str]) -> Covariates:
        """Means and words of the cases that are fitted.

        Raises:
            DataError: If a value is missing, or is not a number where one is asked for.
        """
        means = [float(numbers_of(columns, name).mean()) for name in numbers]
        words = (tuple(sorted(set(words_of(columns, name)))) for name in categories)
        return cls(tuple(numbers), np.array(means), tuple(categories), tuple(words))

    def table(self, columns: Columns) -> NDArray[np.float64]:
        """(N, C).

        Raises:
            DataError: If a value is missing, or a word is new.
        """
        parts = [
            numbers_of(columns, name) - mean
            for name, mean in zip(self.numbers, self.centre, strict=True)
        ]
        for name, known in zip(self.categories, self.words, strict=True):
            said = words_of(columns, name)
            new = next((word for word in said if word not in known), None)
            if new is not None:
                raise DataError(
                    f"The column {name!r} holds {new!r}, which no pretext case has (they have: "
                    f"{', '.join(known)}), so that its effect on the features is not known. "
                    "Correct the cell, or leave the case out."
                )
            parts += [np.array([one == word for one in said], float) for word in known[1:]]
        return np.stack(parts, axis=1) if parts else np.zeros((len(columns), 0))

    def state(self) -> dict[str, NDArray[Any]]:
        """As arrays."""
        return {"centre": self.centre, "words": as_bytes(self.words)}

    @classmethod
    def from_state(
        cls,
        state: Mapping[str, NDArray[Any]],
        numbers: Sequence[str],
        categories: Sequence[str],
    ) -> Covariates:
        """What `state` gave.

        Raises:
            ValueError: If it is not of these columns.
        """
        words = from_bytes(state["words"], lambda one: tuple(tuple(map(str, w)) for w in one))
        centre = np.asarray(state["centre"], np.float64)
        if (len(centre), len(words)) != (len(numbers), len(categories)):
            raise ValueError("its covariates are not those that the study names")
        return cls(tuple(numbers), centre, tuple(categories), words)


def as_bytes(words: Any) -> NDArray[np.uint8]:
    """JSON in UTF-8."""
    return np.frombuffer(json.dumps(words, ensure_ascii=False).encode(), np.uint8)


def from_bytes(array: NDArray[Any], read: Callable[[Any], Any]) -> Any:
    """What `as_bytes` was given."""
    return read(json.loads(np.asarray(array, np.uint8).tobytes()))
