"""Whether there are enough held-back cases of every class to judge anything by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rdfc_core.case import Case
from rdfc_core.data.splits import Split

LEAST = 10
"""Held-back cases, and patients, of each class: of fewer, one alone moves a recall by over 10 %."""

Counts = Mapping[str, Mapping[str, int]]
"""Class → ``cases`` and ``patients`` that are held back in any split; "" are all of them, where
numbers are predicted."""


def held_back(
    cases: Sequence[Case],
    splits: Sequence[Split],
    groups: Mapping[str, Callable[[str | None], bool]],
) -> dict[str, dict[str, int]]:
    """How many cases and patients of each class are tested, over all splits together.

    Args:
        cases: All.
        splits: That were made of them.
        groups: As `rdfc_core.data.targets.Targets.groups` gives them.
    """
    tested = {case_id for split in splits for case_id in split.test}
    if not tested:
        return {}
    found = {}
    for label, belongs in groups.items():
        own = [case for case in cases if belongs(case.label) and case.case_id in tested]
        found[label] = {"cases": len(own), "patients": len({case.patient_id for case in own})}
    return found


def too_few(counts: Counts, folds: bool) -> str:
    """Why nothing can be judged by so few held-back cases, and what to do; "" if it can.

    Args:
        counts: As `held_back` gives them; none: unknown, and nothing is said.
        folds: Whether every case is held back once already.
    """
    few = {
        label: one for label, one in counts.items() if min(one["cases"], one["patients"]) < LEAST
    }
    if not few:
        return ""
    listed = ", ".join(
        f"{one['cases']}"
        + (f" of {label!r}" if label else "")
        + (
            f" ({one['patients']} patient{'s' * (one['patients'] != 1)})"
            if one["patients"] < one["cases"]
            else ""
        )
        for label, one in few.items()
    )
    return (
        f"Too few cases are held back to judge a method by them: {listed}, and at least {LEAST} "
        f"cases and patients{' of each class' * all(few)} are needed. {remedy(folds)}."
    )


def remedy(folds: bool) -> str:
    """What to do where too few cases are held back; ``folds`` as in `too_few`."""
    if folds:
        return "Label more cases"
    return "Label more cases, or hold every case back once, in folds (--set split.kind=folds)"
