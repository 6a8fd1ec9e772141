"""What the views of a study do not see of the cases: colours, and what a field in mm cuts off."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from rdfc_core.case import Case
from rdfc_core.data.cells import counted, listed
from rdfc_core.data.inspection import Inspected
from rdfc_core.interfaces.dataset import Problem
from rdfc_core.interfaces.prepared import Preparer

USUAL = 0.95
"""Share of the tumours that a field has to hold to be called usual."""
ROUNDING = 1 + 1e-6
"""A tumour is larger than a field where it is so by more than rounding of the spacing."""

COLOUR_FIX = (
    "Set channels: rgb for {views} to use the colours, or add a view of colour statistics "
    "({{extractor: colour}})."
)


def colour_findings(
    seen: Mapping[str, Inspected], views: Mapping[str, Preparer] | None = None
) -> Iterator[Problem]:
    """Pictures in colour of which views see grey values alone.

    Args:
        seen: Case id → what there is to see in it.
        views: View name → what makes it; None where no study is known: what views do by default.
    """
    coloured = sum(one.colour for one in seen.values())
    if not coloured:
        return
    if views is None:
        see = "handcrafted features see their luminance and image encoders their grey values"
        fix = COLOUR_FIX.format(views="the views of a study")
    else:
        blind = _blind_to_colour(views)
        if not blind:
            return
        named = " and ".join(map(repr, blind))
        see = f"the view{'s' * (len(blind) > 1)} {named} see{'s' * (len(blind) == 1)} their grey "
        see += "values (luminance) alone"
        fix = COLOUR_FIX.format(views=" and ".join(f"views.{name}" for name in blind))
    number = "all" if coloured == len(seen) else f"{coloured} of {len(seen)}"
    message = f"{number} pictures are in colour, and {see}"
    yield Problem("", "image", message, fix, "warning")


def _blind_to_colour(views: Mapping[str, Preparer]) -> list[str]:
    """Views that see grey values, unless another one of their kind sees colours."""
    kinds: dict[type, dict[str, bool]] = defaultdict(dict)
    for name, preparer in views.items():
        in_colour = getattr(preparer, "in_colour", None)
        if in_colour is not None:
            kinds[type(preparer)][name] = in_colour
    return [name for of_kind in kinds.values() if not any(of_kind.values()) for name in of_kind]


def field_findings(
    cases: Sequence[Case], seen: Mapping[str, Inspected], views: Mapping[str, Preparer]
) -> Iterator[Problem]:
    """Tumours that are larger than the field of a view, and what field would hold them.

    Args:
        cases: Those that could be read.
        seen: Case id → what there is to see in it.
        views: View name → what makes it.
    """
    for name, preparer in views.items():
        field_mm = getattr(preparer, "field_mm", None)
        if field_mm is None:
            continue
        axes = len(field_mm)
        alike = [case for case in cases if len(seen[case.case_id].box_mm) == axes]
        larger = [
            case.case_id
            for case in alike
            if any(
                box > ROUNDING * field
                for box, field in zip(seen[case.case_id].box_mm, field_mm, strict=True)
            )
        ]
        if not larger:
            continue
        usual, most = held_by([seen[case.case_id] for case in alike])
        message = (
            f"the tumours of {counted(len(larger), 'case')} of {len(alike)} ({listed(larger)}) are "
            f"larger than the field of {in_mm(field_mm)} that the view {name!r} sees, and are cut "
            f"at its edge; a field of {in_mm(usual)} holds {USUAL:.0%} of the tumours, "
            f"{in_mm(most)} all"
        )
        fix = f"Enlarge views.{name}.size or spacing_mm, unless the middle of a tumour is enough."
        yield Problem("", "image", message, fix, "warning")


def held_by(seen: Iterable[Inspected]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The smallest field that holds `USUAL` of the tumours, and that which holds all, in mm.

    The share is that of tumours which fit along every axis; the field for it has the proportions
    of that for all.

    Args:
        seen: Of at least one case, all with the same number of axes.
    """
    boxes = np.array([one.box_mm for one in seen])
    most = boxes.max(axis=0)
    needed = np.sort((boxes / most).max(axis=1))
    usual = most * needed[int(np.ceil(USUAL * len(needed))) - 1]
    return tuple(usual.tolist()), tuple(most.tolist())


def in_mm(lengths: Iterable[float]) -> str:
    """Lengths as people read them, rounded up to a tenth: what is said to hold has to hold."""
    tenths = (np.ceil(round(length * 10, 6)) / 10 for length in lengths)
    return " × ".join(f"{length:g}" for length in tenths) + " mm"
