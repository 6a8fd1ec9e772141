"""ROC and calibration curves, from the probabilities of held-back cases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rdfc_core.evaluation import metrics
from rdfc_core.report import figures, text
from rdfc_core.report.figures import Curve, Plot
from rdfc_core.report.palette import DASHES, class_colour, series_colour
from rdfc_core.report.run_data import RecordedPredictions
from rdfc_core.results.vocabulary import BRIER, ECE

CASES_A_BIN = 12
BINS = (3, 8)


def scores_of(found: RecordedPredictions, classes: Sequence[str]) -> NDArray[np.float64] | None:
    """(N, C) probabilities of the listed classes, or None if there are none for every case."""
    p = found.probabilities
    if p is None or p.shape[1] != len(classes) or not np.isfinite(p).all():
        return None
    return p


def roc(
    main: RecordedPredictions,
    scores: NDArray[np.float64],
    classes: Sequence[str],
    others: Sequence[RecordedPredictions],
    name: str = "roc",
    title: str = "ROC",
) -> Plot | None:
    """Of two classes, the second against the first, with other methods; of more, each against all.

    Args:
        main: What the method said.
        scores: (N, C), its probabilities.
        classes: C names.
        others: Methods to lay beside it.
        name: Of the figure, unique on the page.
        title: Above it.
    """
    if len(classes) == 2:
        what = f"“{classes[1]}” against “{classes[0]}”."
        curves = _methods_roc([main, *others], classes)
    else:
        what = "Each class against all others."
        found = [
            _roc_curve(label, main.labels, label, scores[:, place], class_colour(place), 0)
            for place, label in enumerate(classes)
        ]
        curves = [curve for curve in found if curve is not None]
    if not curves:
        return None
    described = "; ".join(curve.label for curve in curves)
    svg = figures.roc(curves, name, f"{title} curves. {what} {described}")
    return Plot(title, svg, f"{what} The further to the upper left, the better.")


def few_labels_roc(
    found: Sequence[RecordedPredictions], classes: Sequence[str], share: float, name: str
) -> Plot | None:
    """Methods that were given a share of the labels; None unless there are two classes."""
    curves = _methods_roc(found, classes) if len(classes) == 2 else []
    if not curves:
        return None
    described = "; ".join(curve.label for curve in curves)
    title = f"ROC with {text.percent(share)} of the labels"
    what = f"“{classes[1]}” against “{classes[0]}”, pooled over the draws of the labels."
    return Plot(title, figures.roc(curves, name, f"{title}. {what} {described}"), what)


def _methods_roc(found: Sequence[RecordedPredictions], classes: Sequence[str]) -> list[Curve]:
    """A curve a method, the first in the accent; those that coincide are one, with both names."""
    curves: list[Curve] = []
    names: list[list[str]] = []
    for said in found:
        scores = scores_of(said, classes)
        if scores is None:
            continue
        colour = series_colour(len(curves) - 1) if curves else "accent"
        # Colours repeat before dashes do, so that no two curves look alike.
        dashes = (len(curves) + len(curves) // len(DASHES)) % len(DASHES)
        curve = _roc_curve("", said.labels, classes[1], scores[:, 1], colour, dashes)
        if curve is None:
            continue
        same = next((k for k, other in enumerate(curves) if _coincide(curve, other)), None)
        if same is None:
            curves.append(curve)
            names.append([said.method.method])
        else:
            names[same].append(said.method.method)
    return [
        curve._replace(label=text.listed(who) + curve.label)
        for curve, who in zip(curves, names, strict=True)
    ]


def _coincide(a: Curve, b: Curve) -> bool:
    return len(a.x) == len(b.x) and bool(np.allclose(a.x, b.x) and np.allclose(a.y, b.y))


def _roc_curve(
    name: str,
    labels: Sequence[str],
    positive: str,
    score: NDArray[np.float64],
    colour: str,
    dashes: int,
) -> Curve | None:
    from sklearn.metrics import auc, roc_curve  # loaded when it is needed: it takes a second

    truth = np.array([label == positive for label in labels])
    if truth.all() or not truth.any():
        return None
    false_rate, true_rate, _ = roc_curve(truth, score)
    area = float(auc(false_rate, true_rate))
    return Curve(f"{name}, AUROC {area:.3f}", false_rate, true_rate, colour, dashes)


def calibration(
    main: RecordedPredictions,
    scores: NDArray[np.float64],
    classes: Sequence[str],
    name: str = "calibration",
    unit: str = "case",
) -> Plot | None:
    """Observed share against mean probability, in bins of equally many cases, or patients."""
    shown = [1] if len(classes) == 2 else list(range(len(classes)))
    curves: list[Curve] = []
    ticks: dict[str, NDArray[np.float64]] = {}
    for place in shown:
        truth = np.array([label == classes[place] for label in main.labels])
        colour = "accent" if len(classes) == 2 else class_colour(place)
        label = "" if len(classes) == 2 else classes[place]
        curves.append(_reliability(label, truth, scores[:, place], colour))
        if len(classes) == 2:  # of several classes, their ticks would cover one another
            ticks[colour] = scores[:, place]
    what = f"“{classes[1]}”" if len(classes) == 2 else "each class"
    found = metrics.scores(np.array([classes.index(label) for label in main.labels]), scores)
    caption = (
        f"Of {unit}s given a probability for {what}, how many have it: on the diagonal, a "
        f"probability can be taken at its word. Bars: 95{text.NBSP}% intervals (Wilson)"
        f"{f'; ticks below: the {unit}s' if ticks else ''}. Brier score {found[BRIER][0]:.3f}, "
        f"calibration error (ECE, ten bins) {found[ECE][0]:.3f}; 0 is perfect."
    )
    svg = figures.calibration(curves, ticks, name, f"Calibration curve. {caption}")
    return Plot("Calibration", svg, caption)


def _reliability(
    label: str, truth: NDArray[np.bool_], score: NDArray[np.float64], colour: str
) -> Curve:
    bins = int(np.clip(len(score) // CASES_A_BIN, *BINS))
    groups = [g for g in np.array_split(np.argsort(score, kind="stable"), bins) if len(g)]
    x = np.array([score[group].mean() for group in groups])
    y = np.array([truth[group].mean() for group in groups])
    n = np.array([len(group) for group in groups], float)
    return Curve(label, x, y, colour, band=_wilson(y, n))


def _wilson(
    share: NDArray[np.float64], n: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The 95 % interval of a share of n (Wilson 1927)."""
    z = 1.96
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return middle - half, middle + half
