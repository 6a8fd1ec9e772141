"""Where the image encoder looks, in a few held-back cases."""

from __future__ import annotations

from dataclasses import dataclass

from rdfc_core.report import images, text
from rdfc_core.report.images import Picture
from rdfc_core.report.palette import colour_of
from rdfc_core.report.run_data import RunData
from rdfc_core.results.schema import AttentionMap


@dataclass(frozen=True)
class AttentionCase:
    """One case without and with the map; ``said`` is the predicted class and how sure it is."""

    case_id: str
    label: str
    colour: str
    right: bool
    said: str
    picture: Picture | None
    overlay: Picture | None


@dataclass(frozen=True)
class Attention:
    """What the section shows; without cases, only the sentence."""

    sentence: str
    cases: tuple[AttentionCase, ...] = ()


def attention(run: RunData) -> Attention | None:
    """The section, or None where the run says nothing of it."""
    if not run.attention_maps:
        why_not = run.results.run.no_attention if run.results else ""
        return Attention(why_not) if why_not else None
    some = run.attention_maps[0]
    splits = len(run.results.dataset.splits) if run.results else 1
    which = f", of the split “{some.split}”" if splits > 1 else ""
    sentence = (
        f"Grad-CAM of the class that the linear probe predicts, at the encoder’s {some.layer} "
        f"({some.cells} cells, enlarged){which}: the redder, the more a place speaks for that "
        "class. Of each class the surest right and the surest wrong cases. A map tells where the "
        "score comes from, not why, and no finer than its cells; scaled to each case’s own "
        "maximum. Where nothing is red, no place speaks for the class."
    )
    return Attention(sentence, tuple(_case(one, run) for one in run.attention_maps))


def _case(one: AttentionMap, run: RunData) -> AttentionCase:
    return AttentionCase(
        case_id=one.case_id,
        label=one.label,
        colour=colour_of(one.label, run.classes),
        right=one.label == one.predicted,
        said=f"{one.predicted}, {text.percent(round(one.probability, 2))}",
        picture=images.gallery_picture(one.picture, images.MAP_SIDE),
        overlay=images.gallery_picture(one.overlay, images.MAP_SIDE),
    )
