"""What every listed case was used for, or why for nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from rdfc_core.case import Case
from rdfc_core.data.cells import counted, part_of_split
from rdfc_core.data.splits import Split
from rdfc_core.data.targets import CLASSES, Targets
from rdfc_core.interfaces.dataset import SplitSpec

NAMED = 3
"""Cases of a use that are named."""


@dataclass(frozen=True)
class Use:
    """A use, or a reason for none.

    Args:
        what: In words.
        cases: How many cases.
        examples: The first of them.
        used: False for a reason.
    """

    what: str
    cases: int
    examples: tuple[str, ...]
    used: bool = True


def account(
    cases: Sequence[Case],
    splits: Sequence[Split],
    spec: SplitSpec,
    classes: Sequence[str],
    failed: Collection[str] = (),
    targets: Targets = CLASSES,
) -> list[Use]:
    """Each listed case once, under its use or the reason why it has none.

    Args:
        cases: All that are listed.
        splits: That were made of those that could be used.
        spec: By which they were made.
        classes: The data set's.
        failed: Ids of cases that could not be used.
        targets: What labels are.
    """
    kept = [case for case in cases if case.case_id not in failed]
    counts = partial(targets.counts, classes=targets.classes(kept, classes))
    parts = {
        name: {case_id for split in splits for case_id in getattr(split, name)}
        for name in ("train", "test", "pretext")
    }
    tested = {case.patient_id for case in cases if case.case_id in parts["test"]}
    told: dict[tuple[bool, str], list[str]] = defaultdict(list)
    for case in cases:
        if case.case_id in failed:
            use = False, "could not be read or measured"
        elif case.case_id in parts["train"]:
            in_turn = case.case_id in parts["test"]
            use = True, "training and test in turn" if in_turn else "training"
        elif case.case_id in parts["test"]:
            use = True, "test"
        elif case.case_id in parts["pretext"]:
            use = True, f"pretraining alone{_unlabelled(case, counts)}"
        else:
            use = False, _why_not(case, spec, counts, case.patient_id in tested)
        told[use].append(case.case_id)
    order = sorted(told.items(), key=lambda item: (not item[0][0], -len(item[1]), item[0][1]))
    return [Use(what, len(ids), tuple(ids[:NAMED]), used) for (used, what), ids in order]


def _unlabelled(case: Case, counts: Callable[[str | None], bool]) -> str:
    if case.label is None:
        return " (unlabelled)"
    return "" if counts(case.label) else f" (the label {case.label!r} is not used)"


def _why_not(
    case: Case, spec: SplitSpec, counts: Callable[[str | None], bool], tested: bool
) -> str:
    part = part_of_split(case.columns.get(spec.column, "")) if spec.kind == "column" else None
    labelled = counts(case.label)
    if part == "":
        return f"the column {spec.column!r} names no part"
    if part == "test" and not labelled:
        return f"for testing by the column {spec.column!r}, and has no usable label"
    if part == "test":
        return f"for testing by the column {spec.column!r}, and nothing was tested"
    if tested:
        return "not tested itself, and its patient is in the test part"
    return f"not among the cases of split.pretext ({spec.pretext})"


def in_one_line(uses: Sequence[Use]) -> str:
    """As ``40 cases: 24 training, 8 test, 8 pretraining alone (unlabelled).``."""
    total = sum(use.cases for use in uses)
    parts = [f"{use.cases} {use.what if use.used else f'unused ({use.what})'}" for use in uses]
    return f"{counted(total, 'case')}: {', '.join(parts)}."


def as_rows(uses: Sequence[Use]) -> Iterator[dict[str, object]]:
    """As results keep it."""
    for use in uses:
        yield {
            "what": use.what,
            "cases": use.cases,
            "examples": list(use.examples),
            "used": use.used,
        }
