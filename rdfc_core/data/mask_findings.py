"""What is allowed in a mask, and seldom meant."""

from __future__ import annotations

from collections.abc import Iterator

from rdfc_core.case import MOST_VALUES, Case
from rdfc_core.data.inspection import Inspected
from rdfc_core.interfaces.dataset import Problem

SHOWN_VALUES = 6
"""Values of a mask that a message lists before it breaks off."""
NEARLY_ALL = 0.95
"""Share of an image's border inside the outline from which on the mask looks inverted."""
HALF = 0.5


def mask_findings(case: Case, seen: Inspected) -> Iterator[Problem]:
    """The doubts about a mask that can be used.

    Args:
        case: Whose it is.
        seen: What there is to see in it.
    """

    def odd(message: str, fix: str) -> Problem:
        return Problem(case.case_id, "mask", message, fix, "warning")

    for note in seen.notes:
        message, _, fix = note.partition(". ")
        yield odd(message.rstrip("."), fix or "Look at the file.")
    if len(seen.values) > 1:
        shown = ", ".join(f"{value:g}" for value in seen.values[:SHOWN_VALUES])
        more = ", …" if len(seen.values) > SHOWN_VALUES else ""
        count = f"{MOST_VALUES} or more" if len(seen.values) == MOST_VALUES else len(seen.values)
        message = (
            f"the mask holds {count} values besides 0 ({shown}{more}), and all count as tumour"
        )
        if all(value.is_integer() for value in seen.values):
            yield odd(message, "Set mask_value if only one of them is meant.")
        else:
            yield odd(
                f"{message}, also where a map of probabilities or a resampled mask is near 0",
                "Save it as 0 and 1, cut at 0.5.",
            )
    if seen.covered == 1:
        yield odd("the mask covers the whole image", "Check that it is not inverted or missing.")
    elif seen.border >= NEARLY_ALL:
        yield odd(
            "the mask covers the border of the image and not its middle, as an inverted one does",
            "Check it, and save it with 0 outside the tumour.",
        )
    elif seen.covered > HALF:
        yield odd(
            f"the mask covers {seen.covered:.0%} of the image, more than it leaves out",
            "Check that it is not inverted.",
        )
    if sum(extent > 1 for extent in seen.extents) < 2:
        size = "one voxel" if seen.voxels == 1 else f"a line of {seen.voxels} voxels"
        yield odd(
            f"the tumour is {size}, too small for most radiomics features",
            "Check the outline, or drop the case.",
        )
