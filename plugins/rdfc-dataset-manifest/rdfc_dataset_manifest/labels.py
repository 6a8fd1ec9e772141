"""The classes of a list's cases: which cells name one, and which columns cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rdfc_core.data.cells import (
    counted,
    is_missing,
    listed,
    may_be_missing,
    number,
    plain_number,
    unlisted_label,
)
from rdfc_core.interfaces import Problem
from rdfc_dataset_manifest.rows import words
from rdfc_dataset_manifest.table import ManifestRow

MANY_NUMBERS = 6
"""More different numbers than this are classes only if each has some cases: grades go up to six."""
MOST_NUMBERS = 12
"""More different numbers than this are taken for a measurement, such as the age."""
CASES_A_NUMBER = 3
"""With fewer labelled cases a number than this, many numbers are those of a measurement."""
MOST_WORDS = 20
"""Different words that a column of classes may hold if most of them stand there once."""


@dataclass(frozen=True)
class ListLabels:
    """How to read the column of the class.

    Args:
        column: The column, or None.
        classes: Text that names a class → that class.
    """

    column: str | None
    classes: Mapping[str, str]

    def of(self, row: ManifestRow) -> str | None:
        """The class of a row's case, or None."""
        return self.classes.get(row.cells[self.column]) if self.column else None


def read_labels(
    rows: Sequence[ManifestRow],
    column: str | None,
    classes: Sequence[str] | None,
    to_predict: bool = False,
) -> tuple[ListLabels, list[Problem]]:
    """How the labels of a list are to be read, with the doubts about them.

    A word that stands for no value (``nan``) leaves its case unlabelled, unless ``classes`` names
    it. So does a label that ``classes`` does not name.

    Args:
        rows: Of the list.
        column: Holds the class; None if no column does.
        classes: The classes that the user has named, or None.
        to_predict: Other labels are kept: a run says what it takes them for.
    """
    if column is None:
        return ListLabels(None, {}), []
    named = set(classes or ())
    counts = Counter(row.cells[column] for row in rows if row.cells[column])
    problems: list[Problem] = []
    certain = {text for text in counts if is_missing(text) and plain_number(text) not in named}
    doubtful = {text for text in counts if may_be_missing(text) and text not in named}
    meant = {text: plain_number(text) for text in counts if text not in certain | doubtful}
    if doubtful and not classes and not _are_missing(doubtful, set(meant.values())):
        problems.append(_question(rows, column, doubtful))
    elif certain | doubtful:
        problems.append(_no_value(rows, column, certain | doubtful))
    if to_predict:
        return ListLabels(column, meant), problems
    if classes:
        problems += _others(counts, meant, classes)
        meant = {text: label for text, label in meant.items() if label in named}
    elif (problem := _measured(column, counts, meant)) is not None:
        problems.append(problem)
    return ListLabels(column, meant), problems


def _are_missing(doubtful: set[str], others: set[str]) -> bool:
    """Whether words such as ``unknown`` stand for no value: beside two classes, they do.

    Beside one class they may be the other one, and ``-`` beside ``+`` is.
    """
    return len(others) != 1 and not any(label.startswith("+") for label in others)


def _question(rows: Sequence[ManifestRow], column: str, doubtful: set[str]) -> Problem:
    said = words([row for row in rows if row.cells[column] in doubtful], column)
    return Problem(
        "",
        "label",
        f"{said}, which may be a class or stand for no value",
        "List all classes in the option classes, this one too if it is one; or leave the cells "
        "empty.",
    )


def _no_value(rows: Sequence[ManifestRow], column: str, missing: set[str]) -> Problem:
    said = words([row for row in rows if row.cells[column] in missing], column)
    return Problem(
        "",
        "label",
        f"{said}, which stands for no value: unlabelled",
        "Leave the cells empty; if it is a class, list all classes in the option classes.",
        "warning",
    )


def _others(
    counts: Counter[str], meant: Mapping[str, str], classes: Sequence[str]
) -> Iterator[Problem]:
    """Labels that are none of the classes that the user has named."""
    others: Counter[str] = Counter()
    for text, label in meant.items():
        if label not in classes:
            others[label] += counts[text]
    for label, count in others.items():
        yield Problem("", "label", *unlisted_label(label, count, classes), "warning")


def _measured(column: str, counts: Counter[str], meant: Mapping[str, str]) -> Problem | None:
    """A column that holds measurements or free text instead of classes."""
    cases: Counter[str] = Counter()
    for text, label in meant.items():
        cases[label] += counts[text]
    numbers = [number(label) for label in cases]
    fix = "Name another label_column; if these are the classes, list them in the option classes."
    predict = " To predict the number itself, set task=regression (--set task=regression)."
    shown = listed([repr(label) for label in cases], 4)
    if cases and None not in numbers:
        fractions = sum(value is not None and not value.is_integer() for value in numbers)
        many = len(cases) > MANY_NUMBERS and cases.total() < CASES_A_NUMBER * len(cases)
        if many or len(cases) > MOST_NUMBERS or fractions > MANY_NUMBERS // 2:
            message = (
                f"{column} holds {len(cases)} different numbers for "
                f"{counted(cases.total(), 'case')} ({shown}), as of a measurement"
            )
            return Problem("", "label", message, fix + predict)
    elif len(cases) > MOST_WORDS and 2 * sum(n == 1 for n in cases.values()) > len(cases):
        message = f"{column} holds {len(cases)} different texts ({shown}), most of them once"
        return Problem("", "label", message, fix)
    return None
