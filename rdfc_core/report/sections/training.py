"""Training: the loss, and the signs by which a collapsed embedding is recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rdfc_core.report import figures, text
from rdfc_core.report.figures import Curve, Plot
from rdfc_core.report.palette import DASHES, series_colour
from rdfc_core.report.run_data import Epoch, RunData


@dataclass(frozen=True)
class Sign:
    """A quantity that tells a sound embedding from a collapsed one.

    Args:
        title: Above the figure.
        reading: How to read it.
        from_zero: Whether the axis starts at zero.
    """

    title: str
    reading: str
    from_zero: bool = False


SIGNS = {
    "alignment": Sign(
        "Alignment",
        "Mean squared distance between the two views of one case: falls as the views agree. "
        "It falls in a collapse too, so read it with the next ones.",
        from_zero=True,
    ),
    "uniformity": Sign(
        "Uniformity",
        "How evenly cases spread over the sphere: lower is more even; a rise towards 0 means that "
        "they gather in one place.",
    ),
    "effective_rank": Sign(
        "Effective rank",
        "How many directions the embedding really uses: a fall towards 1 is a collapse.",
        from_zero=True,
    ),
    "off_diagonal": Sign(
        "Cosine of different cases",
        "Near 0 when cases are told apart; a rise towards 1 means that all look alike.",
    ),
    "retrieval_top1": Sign(
        "Retrieval",
        "How often a case's nearest neighbour in the other view is the case itself: rises as the "
        "correspondence is learnt.",
        from_zero=True,
    ),
}
"""Last part of a metric's name → the sign. Alignment and uniformity: Wang & Isola 2020; effective
rank: Roy & Vetterli 2007."""


@dataclass(frozen=True)
class TrainingSection:
    """What the section shows."""

    summary: str
    plots: tuple[Plot, ...]
    unread: str


def training(run: RunData) -> TrainingSection | None:
    """The section, or None before the first epoch."""
    if not run.epochs:
        return None
    others = compared(run)
    own = [e for e in run.epochs if e.split.rpartition(".")[2] not in others]
    epochs = own or list(run.epochs)
    splits = list(dict.fromkeys(epoch.split for epoch in epochs))
    plots = [_loss(epochs, splits)]
    plots += [
        _sign(epochs, splits, kind, sign)
        for kind, sign in SIGNS.items()
        if any(key.rpartition(".")[2] == kind for e in epochs for key in e.values)
    ]
    unread = (
        f"{text.count(run.unread_lines, 'line')} of metrics.jsonl could not be read and "
        "are left out."
        if run.unread_lines
        else ""
    )
    summary = _summary(epochs, splits)
    if len(epochs) < len(run.epochs):
        summary += (
            f" {text.listed(sorted(others))} had the same cases and epochs; their losses are of "
            "other tasks, and stand in metrics.jsonl."
        )
    return TrainingSection(summary, tuple(plots), unread)


def compared(run: RunData) -> set[str]:
    """The other pretexts of the study: their epochs are told under ``SPLIT.NAME``."""
    settings = (run.study or {}).get("evaluate")
    found = settings.get("compare") if isinstance(settings, Mapping) else None
    return {str(name) for name in found} if isinstance(found, Mapping) else set()


def _summary(epochs: Sequence[Epoch], splits: Sequence[str]) -> str:
    last = max(epoch.epoch for epoch in epochs)
    sentence = text.count(last, "epoch")
    if len(splits) > 1:
        sentence += f" in each of {len(splits)} splits, each with a network of its own"
    seconds = _finite(epochs, "seconds")
    if seconds:
        sentence += f"; {text.duration(float(np.median(seconds)))} an epoch (median)"
    rates = _finite(epochs, "learning_rate")
    if rates:
        sentence += f"; learning rate {rates[0]:.3g}"
        sentence += f" to {rates[-1]:.3g}" if rates[-1] != rates[0] else " throughout"
    return sentence + "."


def _loss(epochs: Sequence[Epoch], splits: Sequence[str]) -> Plot:
    curves = _curves(epochs, splits, "loss", "", "accent", 0)
    course = _course(curves)
    svg = figures.training(curves, "loss", f"Training loss over the epochs: {course}.")
    thin = " Thin: each split; bold: their mean." if len(splits) > 1 else ""
    return Plot("Loss", svg, "What the pretext task minimises." + thin, (("", course),))


def _sign(epochs: Sequence[Epoch], splits: Sequence[str], kind: str, sign: Sign) -> Plot:
    keys = sorted({key for e in epochs for key in e.values if key.rpartition(".")[2] == kind})
    everywhere = _series(epochs)
    curves: list[Curve] = []
    courses = []
    for key in keys:
        series = key.rpartition(".")[0]
        place = everywhere.index(series)
        found = _curves(
            epochs, splits, key, series or sign.title, series_colour(place), place % len(DASHES)
        )
        curves += found
        courses.append((series, _course(found)))
    described = "; ".join(f"{series}: {course}" for series, course in courses)
    svg = figures.training(
        curves,
        f"sign-{kind.replace('_', '-')}",
        f"{sign.title} over the epochs. {described}.",
        sign.from_zero,
    )
    return Plot(sign.title, svg, sign.reading, tuple(courses))


def _series(epochs: Sequence[Epoch]) -> list[str]:
    """What the signs are measured on, in one order for all figures."""
    return sorted(
        {
            key.rpartition(".")[0]
            for epoch in epochs
            for key in epoch.values
            if key.rpartition(".")[2] in SIGNS
        }
    )


def _curves(
    epochs: Sequence[Epoch],
    splits: Sequence[str],
    key: str,
    label: str,
    colour: str,
    dashes: int,
) -> list[Curve]:
    """A line a split; of several splits, faint ones and their mean."""
    lines = []
    values: dict[int, list[float]] = {}
    for split in splits:
        own = [e for e in epochs if e.split == split and key in e.values]
        if not own:
            continue
        x = np.array([e.epoch for e in own], float)
        y = np.array([_or_gap(e.values[key]) for e in own])
        for epoch, value in zip(own, y, strict=True):
            if np.isfinite(value):
                values.setdefault(epoch.epoch, []).append(float(value))
        lines.append((x, y))
    if len(lines) == 1:
        return [Curve(label, *lines[0], colour, dashes)]
    faint = [Curve("", x, y, colour, dashes, faint=True) for x, y in lines]
    mean_x = np.array(sorted(values), float)
    mean_y = np.array([np.mean(values[int(x)]) for x in mean_x])
    return [*faint, Curve(label, mean_x, mean_y, colour, dashes)] if len(mean_x) else faint


def _or_gap(value: float) -> float:
    return value if np.isfinite(value) else np.nan


def _course(curves: Sequence[Curve]) -> str:
    """``7.31 → 2.04``: where the main line starts and ends."""
    if not curves:
        return "no value"
    y = curves[-1].y[np.isfinite(curves[-1].y)]
    if len(y) == 0:
        return "no finite value"
    return f"{_short(y[0])} → {_short(y[-1])}"


def _short(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _finite(epochs: Sequence[Epoch], key: str) -> list[float]:
    found = (epoch.values.get(key, np.nan) for epoch in epochs)
    return [value for value in found if np.isfinite(value)]
