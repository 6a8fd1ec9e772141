"""Predictions of single cases → a page: picture, what is said, and the nearest labelled cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdfc_core.report import safeguard_text, text
from rdfc_core.report.images import Picture, gallery_picture
from rdfc_core.report.load import pictures
from rdfc_core.report.page import environment, style
from rdfc_core.report.palette import class_colour
from rdfc_core.results.files import PICTURES
from rdfc_core.results.vocabulary import CLASSIFICATION, metric_heading
from rdfc_core.utils.atomic import replacing

if TYPE_CHECKING:
    from rdfc_core.extraction.extract import Extraction
    from rdfc_core.pipeline.open_run import OpenRun
    from rdfc_core.pipeline.predict import Neighbour, Predictions
    from rdfc_core.pipeline.predicted_scores import PredictedScores

MOST_CASES = 200
"""Cases that the page shows: each with a picture, and those of its neighbours."""
SIDE, NEIGHBOUR_SIDE = 128, 80


@dataclass(frozen=True)
class ClassBar:
    """The probability of a class."""

    name: str
    share: float
    value: str
    colour: str
    likeliest: bool
    in_set: bool


@dataclass(frozen=True)
class NeighbourView:
    """A labelled training case near a case."""

    case_id: str
    label: str
    distance: str
    colour: str
    picture: Picture | None


@dataclass(frozen=True)
class CaseView:
    """One case as the page shows it.

    Args:
        case_id: The case.
        picture: With its outline.
        predicted: The likeliest class with its probability, or the number with its interval.
        label: What it is, where that is known.
        wrong: Whether it is known to be something else than the likeliest class.
        bars: A class each; empty of numbers.
        sets: What the prediction set says.
        doubtful: Whether that leaves more than one class open, or none.
        points: What operating points say.
        distance: How far it is from the training cases.
        unlike: Whether it is flagged for that.
        neighbours: The nearest labelled training cases.
    """

    case_id: str
    picture: Picture | None
    predicted: str
    label: str
    wrong: bool
    bars: tuple[ClassBar, ...]
    sets: str
    doubtful: bool
    points: tuple[str, ...]
    distance: str
    unlike: bool
    neighbours: tuple[NeighbourView, ...]


def write_predictions_page(
    path: Path,
    run: OpenRun,
    found: Predictions,
    extraction: Extraction,
    scores: PredictedScores | None,
) -> None:
    """Draw the page.

    Args:
        path: The file.
        run: That predicted; has the pictures of its own cases.
        found: A row a case, with what guards it.
        extraction: Of the cases, with a ``picture`` each.
        scores: Where labels are known.
    """
    order = _doubtful_first(found)[:MOST_CASES]
    kept = pictures(run.place.path / PICTURES) if found.neighbours else {}
    rows = found.rows()
    labels = [case.label for case in extraction.cases]
    drawn = extraction.prepared.get("picture", {})
    views = [
        _view(
            rows[k],
            found,
            labels[k],
            gallery_picture(drawn[found.case_ids[k]].array.tobytes(), SIDE),
            [_neighbour(one, found, kept) for one in (found.neighbours or [()] * len(rows))[k]],
        )
        for k in order
    ]
    html = (
        environment()
        .get_template("predictions.html.j2")
        .render(
            style=style(),
            run=run.place.path.name,
            cases=views,
            count=len(rows),
            failures=found.failures,
            notes=_notes(found, kept),
            scores=_score_rows(scores),
            doubt=scores.doubt if scores else "",
            sentences=_sentences(scores),
            points=_points(scores),
        )
    )
    with replacing(path) as partial:
        partial.write_bytes(html.encode("utf-8", errors="replace"))


def _doubtful_first(found: Predictions) -> list[int]:
    """Places of the cases: unlike the training cases, then without a certain class, then others."""
    unlike = found.extra.get("unlike_training") or [False] * len(found.case_ids)
    certain = found.extra.get("certain") or [True] * len(found.case_ids)
    return sorted(range(len(found.case_ids)), key=lambda k: (not unlike[k], bool(certain[k]), k))


def _view(
    row: Mapping[str, Any],
    found: Predictions,
    label: str | None,
    picture: Picture | None,
    neighbours: Sequence[NeighbourView],
) -> CaseView:
    of_classes = found.task == CLASSIFICATION
    predicted, told = str(row["predicted"]), ""
    if not of_classes:
        predicted = text.in_units(row["predicted"])
        if "lower" in row:
            told = f"between {text.in_units(row['lower'])} and {text.in_units(row['upper'])}"
    inside = str(row.get("prediction_set", "")).split("; ") if of_classes else []
    if "prediction_set" in row:
        told = _of_set(inside, bool(row["certain"]))
    percentile = row.get("distance_percentile")
    return CaseView(
        case_id=row["case_id"],
        picture=picture,
        predicted=predicted,
        label=label or "",
        wrong=of_classes and label in found.classes and label != predicted,
        bars=tuple(_bars(row, found, inside)),
        sets=told,
        doubtful=not row.get("certain", True),
        points=tuple(
            f"{safeguard_text.aim(name.removeprefix('at_'))}: {value}"
            for name, value in row.items()
            if name.startswith("at_")
        ),
        distance="" if percentile is None else _far(float(percentile)),
        unlike=bool(row.get("unlike_training", False)),
        neighbours=tuple(neighbours),
    )


def _of_set(inside: Sequence[str], certain: bool) -> str:
    if certain:
        return f"{inside[0]} alone"
    if inside == [""]:
        return "no class is as probable as it usually is: the model abstains"
    return f"{text.listed([*inside])} are possible: the model abstains"


def _far(percentile: float) -> str:
    return f"farther than {percentile:.0f}{text.NBSP}% of the training cases are from the others"


def _bars(row: Mapping[str, Any], found: Predictions, inside: Sequence[str]) -> list[ClassBar]:
    return [
        ClassBar(
            name,
            round(100 * row[f"p_{name}"], 1),
            f"{row[f'p_{name}']:.2f}",
            class_colour(place),
            name == row["predicted"],
            name in inside,
        )
        for place, name in enumerate(found.classes)
    ]


def _neighbour(one: Neighbour, found: Predictions, kept: Mapping[str, bytes]) -> NeighbourView:
    known = one.label in found.classes
    colour = class_colour(found.classes.index(one.label)) if known else "soft"
    png = kept.get(one.case_id)
    picture = gallery_picture(png, NEIGHBOUR_SIDE) if png else None
    return NeighbourView(one.case_id, one.label, f"{one.distance:.2f}", colour, picture)


def _notes(found: Predictions, kept: Mapping[str, bytes]) -> list[str]:
    notes = []
    if len(found.case_ids) > MOST_CASES:
        notes.append(
            f"Of {len(found.case_ids)} cases these are the first {MOST_CASES}, the doubtful ones "
            "before others; the table (--out) has all."
        )
    if not found.extra:
        notes.append(
            "The run has kept nothing by which sets of classes or distances could be given."
        )
    elif not found.neighbours:
        notes.append("The run has not kept where its training cases lie, so that no one is near.")
    elif not kept:
        notes.append(f"The run folder has no {PICTURES}, so that neighbours have no picture.")
    return notes


def _score_rows(scores: PredictedScores | None) -> list[tuple[str, str]]:
    if scores is None or not scores.cases:
        return []
    return [
        (metric_heading(name), safeguard_text.written(value))
        for name, value in scores.metrics.items()
    ]


def _sentences(scores: PredictedScores | None) -> tuple[str, ...]:
    if scores is None:
        return ()
    found = (safeguard_text.left_out(scores.cases, scores.known),) if scores.known else ()
    return found + (safeguard_text.sentences(scores.safeguards) if scores.safeguards else ())


def _points(scores: PredictedScores | None) -> tuple[list[str], list[tuple[str, ...]]] | None:
    judged = scores.safeguards if scores else None
    return safeguard_text.point_rows(judged) if judged and judged.operating_points else None
