"""The labels of a list that a trained run is used on, spelled as the run's classes are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from rdfc_core.case import Case
from rdfc_core.data.cells import alike_key, counted
from rdfc_core.interfaces.dataset import Problem

WRITE_FIX = "Write it as the run's class is written if another one is meant."


def labelled_as_trained(
    cases: Sequence[Case], classes: Sequence[str]
) -> tuple[list[Case], list[Problem]]:
    """The cases with the run's spelling of their labels, and what there is to say of it.

    A label that differs from one class only in how it is written (`alike_key`) is that class; any
    other label stays as it is.

    Args:
        cases: With labels or without.
        classes: Of the run.
    """
    spelled: dict[str, str] = {}
    problems = []
    for label, count in Counter(c.label for c in cases if c.label is not None).items():
        if label in classes:
            continue
        alike = [name for name in classes if alike_key(name) == alike_key(label)]
        has = f"{counted(count, 'case has', 'cases have')} the label {label!r}"
        if len(alike) == 1:
            spelled[label] = alike[0]
            message = f"{has}, which is taken for the run's class {alike[0]!r}"
            problems.append(Problem("", "label", message, WRITE_FIX, "warning"))
        else:
            message = f"{has}, which is none of the run's classes ({', '.join(classes)})"
            fix = "Predictions name one of the run's classes all the same: leave the cases out."
            problems.append(Problem("", "label", message, fix, "warning"))
    named = [replace(c, label=spelled.get(c.label or "", c.label)) for c in cases]
    return named, problems
