"""Whether the images of a data set are on one scale: bits a sample, and size of the grey values."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rdfc_core.case import Case
from rdfc_core.data.cells import counted, listed
from rdfc_core.data.inspection import Inspected
from rdfc_core.interfaces.dataset import Problem

UNLIKE = 10.0
"""Grey values so many times larger or smaller than usual are on another scale."""
DEPTH_FIX = (
    "Save all images with the same bits and the same grey values, or set the image view's window "
    "if their values mean the same."
)
SCALE_FIX = "Bring all images to one scale, unless theirs is arbitrary, as in MR."


Depth = Literal["8-bit", "more"]


class GreyScale(BaseModel):
    """The grey values of the images of a run. Saved with the model.

    Args:
        depths: ``8-bit``, ``more``, or both.
        typical: The median over the cases of `Inspected.scale`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    depths: tuple[Depth, ...] = Field(min_length=1)
    typical: float

    @classmethod
    def of(cls, seen: Iterable[Inspected]) -> GreyScale | None:
        """That of the cases; None without any."""
        cases = list(seen)
        if not cases:
            return None
        return cls(depths=tuple(sorted({_depth(one) for one in cases})), typical=_typical(cases))


def scale_findings(cases: Sequence[Case], seen: Mapping[str, Inspected]) -> Iterator[Problem]:
    """Images of different bits or scales in one data set.

    Args:
        cases: Those that could be read.
        seen: Case id → what there is to see in it.
    """
    own = GreyScale.of(seen[case.case_id] for case in cases)
    if own is None or len({len(seen[case.case_id].extents) for case in cases}) > 1:
        return  # pictures and volumes, which are refused together
    if len(own.depths) > 1:
        eight = [case.case_id for case in cases if _depth(seen[case.case_id]) == "8-bit"]
        others = [case.case_id for case in cases if case.case_id not in set(eight)]
        fewer = listed(min(eight, others, key=len))
        types = ", ".join(sorted({seen[case_id].samples for case_id in others}))
        message = (
            f"8-bit images ({counted(len(eight), 'case')}) and others ({types}, "
            f"{counted(len(others), 'case')}) are mixed, the fewer being {fewer}: without a window "
            "networks see 0 to 255 of the former and the 1st to 99th percentile of the latter, "
            "and features depend on the grey values as they are"
        )
        yield Problem("", "image", message, DEPTH_FIX, "warning")
    yield from _unlike(cases, seen, own.typical, "most of this data set")


def unlike_trained(
    cases: Sequence[Case], seen: Mapping[str, Inspected], trained: GreyScale
) -> Iterator[Problem]:
    """Images of other bits or another scale than a run was trained on."""
    for case in cases:
        depth = _depth(seen[case.case_id])
        if depth not in trained.depths:
            kinds = {"8-bit": "8-bit images", "more": "images of more than 8 bits"}
            message = (
                f"its image holds {seen[case.case_id].samples}, and the run was trained on "
                f"{kinds[trained.depths[0]]}, which are scaled otherwise"
            )
            yield Problem(case.case_id, "image", message, DEPTH_FIX, "warning")
    yield from _unlike(cases, seen, trained.typical, "the cases that the run was trained on")


def _unlike(
    cases: Sequence[Case], seen: Mapping[str, Inspected], typical: float, whose: str
) -> Iterator[Problem]:
    for case in cases:
        scale = seen[case.case_id].scale
        if scale and typical and not 1 / UNLIKE < scale / typical < UNLIKE:
            message = (
                f"the grey values of its image go up to about {scale:.3g}, and those of {whose} "
                f"to {typical:.3g}"
            )
            yield Problem(case.case_id, "image", message, SCALE_FIX, "warning")


def _depth(seen: Inspected) -> Depth:
    return "8-bit" if seen.samples in ("uint8", "bool") else "more"


def _typical(seen: Sequence[Inspected]) -> float:
    return float(statistics.median_low([one.scale for one in seen if one.scale] or [0.0]))
