"""Promises of a data set's listing: cases of the right types, and classes in order. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rdfc_core.case import Case
from rdfc_core.contract.promises import require


def require_cases(cases: Any, who: str) -> None:
    """A data set lists cases whose ids, labels and columns are strings.

    Args:
        cases: What it listed.
        who: The data set, for messages.

    Raises:
        ContractError: If it lists anything else.
    """
    require(
        isinstance(cases, Sequence) and not isinstance(cases, str),
        f"{who}.cases() gave {type(cases).__name__}; give a list of Case.",
    )
    for case in cases:
        require(
            isinstance(case, Case),
            f"{who}.cases() holds {case!r:.60}, which is no Case.",
        )
        require(
            all(isinstance(one, str) and one for one in (case.case_id, case.patient_id)),
            f"{who}: case {case.case_id!r} of patient {case.patient_id!r} needs two non-empty ids, "
            "which are strings.",
        )
        require(
            case.label is None or isinstance(case.label, str),
            f"{who}: case {case.case_id} has the label {case.label!r}; give a string, or None.",
        )
        require(
            isinstance(case.image, Path) and isinstance(case.mask, Path),
            f"{who}: image and mask of case {case.case_id} have to be pathlib.Path.",
        )
        require(
            isinstance(case.columns, Mapping)
            and all(isinstance(word, str) for pair in case.columns.items() for word in pair),
            f"{who}: the columns of case {case.case_id} have to be strings by their names.",
        )


def require_classes(classes: Any, who: str) -> None:
    """Classes are different strings, in a fixed order."""
    require(
        isinstance(classes, tuple) and all(isinstance(one, str) for one in classes),
        f"{who}.classes has to be a tuple of strings, and is {classes!r}.",
    )
    require(len(set(classes)) == len(classes), f"{who}.classes names a class twice: {classes}.")


def require_labels(cases: Sequence[Case], classes: Sequence[str], who: str) -> None:
    """Labels are among the classes."""
    for case in cases:
        require(
            case.label is None or case.label in classes,
            f"{who}: case {case.case_id} has the label {case.label!r}, which is not in classes "
            f"{classes}; add it, or set the label to None.",
        )


def require_protocol(protocol: Any, who: str) -> None:
    """The split of a data set is a `SplitSpec`."""
    from rdfc_core.interfaces.dataset import SplitSpec

    require(
        isinstance(protocol, SplitSpec),
        f"{who}.protocol() gave {type(protocol).__name__}; it has to be a SplitSpec.",
    )
