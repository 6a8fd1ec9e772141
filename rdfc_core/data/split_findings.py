"""What deserves a look in the splits that were made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rdfc_core.data.exact_splits import NEAR
from rdfc_core.data.stratified_splits import share_of
from rdfc_core.interfaces.dataset import Problem, SplitSpec

if TYPE_CHECKING:
    from rdfc_core.data.splits import Split

UNTESTED = Problem(
    "",
    "split",
    "no division of these cases can be tested, so all of them serve pretraining",
    "Run rdfc datasets check to see why.",
    "warning",
)
"""Said where nothing needs to be tested, and nothing can be."""


def split_findings(splits: Sequence[Split], spec: SplitSpec, classes: int) -> Iterator[Problem]:
    """Parts that are much larger or smaller than asked for, since patients are not divided.

    Args:
        splits: As they were made.
        spec: By which they were made.
        classes: C; so many cases stand in each part at least, also where patients are many.
    """
    tests = [len(split.test) for split in splits]
    if not splits or not all(tests):
        return
    labelled = tests[0] + len(splits[0].train)
    if spec.kind == "holdout" and not spec.test_cases:
        possible = min(share_of(labelled, spec.test_fraction, classes), labelled - classes)
        if abs(tests[0] - possible) > max(NEAR * labelled, 1):
            message = (
                f"the test part holds {tests[0]} of {labelled} labelled cases "
                f"({tests[0] / labelled:.0%}) where "
                f"{spec.test_fraction:.0%} are asked for, as near as whole patients with every "
                "class on both sides allow"
            )
            fix = "Use folds, or label cases of more patients."
            yield Problem("", "split", message, fix, "warning")
    elif (
        spec.kind == "folds"
        and not spec.fold_column
        and max(tests) > (1 / spec.folds + NEAR) * labelled
    ):
        message = (
            f"folds differ in size, since patients are not divided: the largest tests {max(tests)} "
            f"of {labelled} labelled cases, the smallest {min(tests)}"
        )
        yield Problem("", "split", message, "Use fewer folds, or repeat them.", "warning")
