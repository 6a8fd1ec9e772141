"""`Suggestions` → ``suggestions.csv`` and ``suggestions.html``: what to label, to go through."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rdfc_core.report import text
from rdfc_core.report.images import Picture, gallery_picture
from rdfc_core.report.page import environment, style
from rdfc_core.utils.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdfc_core.results.suggestions import Suggested, Suggestions


@dataclass(frozen=True)
class Card:
    """One case or, where labels are bought by patient, one patient with all cases."""

    rank: int
    patient_id: str
    reason: str
    score: str
    cases: tuple[tuple[str, Picture | None], ...]


def write_page(path: Path, found: Suggestions) -> Path:
    """Draw the thumbnail sheet.

    Args:
        path: Where it goes.
        found: What to label.
    """
    html = (
        environment()
        .get_template("suggestions.html.j2")
        .render(style=style(), found=found, sentence=sentence(found), cards=_cards(found))
    )
    with replacing(path) as partial:
        partial.write_bytes(html.encode("utf-8", errors="replace"))
    return path


def sentence(found: Suggestions) -> str:
    """What was chosen from what; for page and terminal alike."""
    whose = f", by the network of {found.split}" if found.split else ""
    known = text.count(found.labelled, "labelled case") if found.labelled else "no label"
    return (
        f"{text.count(found.ranks, found.unit)} of {found.candidates} without a label, chosen by "
        f"{found.strategy} from what {found.run} has learnt{whose}, with {known} to go by. The "
        "first are the most useful: stop anywhere."
    )


def _cards(found: Suggestions) -> tuple[Card, ...]:
    of_rank: dict[int, list[Suggested]] = {}
    for one in found.cases:
        of_rank.setdefault(one.rank, []).append(one)
    return tuple(_card(rank, cases) for rank, cases in of_rank.items())


def _card(rank: int, cases: Sequence[Suggested]) -> Card:
    first = cases[0]
    return Card(
        rank,
        first.patient_id,
        first.reason,
        "" if first.score != first.score else f"{first.score:.3g}",
        tuple((one.case_id, gallery_picture(one.picture)) for one in cases),
    )
