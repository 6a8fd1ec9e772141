"""ROC and calibration curves, from the probabilities of held-back cases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rdfc_core.report import figures, words
from rdfc_core.report.contents import Predictions
from rdfc_core.report.figures import Curve, Plot
from rdfc_core.report.palette import class_colour

CASES_A_BIN = 12
BINS = (3, 8)


def scores_of(found: Predictions, classes: Sequence[str]) -> NDArray[np.float64] | None:
    """(N, C) probabilities of the listed classes, or None if there are none for every case."""
    p = found.probabilities
    if p is None or p.shape[1] != len(classes) or not np.isfinite(p).all():
        return None
    return p


def roc(
    main: Predictions,
    scores: NDArray[np.float64],
    classes: Sequence[str],
    controls: Sequence[Predictions],
) -> Plot | None:
    """Of two classes, the second against the first, with controls; of more, each against all."""
    if len(classes) == 2:
        positive = classes[1]
        named = [(main.method.method, main, scores, "accent", 0)]
        for place, control in enumerate(controls, start=1):
            theirs = scores_of(control, classes)
            if theirs is not None:
                named.append((control.method.method, control, theirs, "control", place))
        curves = [
            _roc_curve(label, found.labels, positive, p[:, 1], colour, dashes)
            for label, found, p, colour, dashes in named
        ]
        what = f"“{positive}” against “{classes[0]}”; dashed: the strongest controls."
        what = what if len(curves) > 1 else f"“{positive}” against “{classes[0]}”."
    else:
        curves = [
            _roc_curve(label, main.labels, label, scores[:, place], class_colour(place), 0)
            for place, label in enumerate(classes)
        ]
        what = "Each class against all others."
    drawn = [curve for curve in curves if curve is not None]
    if not drawn:
        return None
    described = "; ".join(curve.label for curve in drawn)
    svg = figures.roc(drawn, "roc", f"ROC curves. {what} {described}")
    return Plot("ROC", svg, f"{what} The further to the upper left, the better.")


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
    main: Predictions, scores: NDArray[np.float64], classes: Sequence[str]
) -> Plot | None:
    """Observed share against mean probability, in bins of equally many cases."""
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
    truth = np.array([[label == name for name in classes] for label in main.labels], float)
    squares = np.square(scores - truth).sum(axis=1).mean() / (2 if len(classes) == 2 else 1)
    caption = (
        f"Of cases given a probability for {what}, how many have it: on the diagonal, a "
        f"probability can be taken at its word. Bars: 95{words.NBSP}% intervals (Wilson)"
        f"{'; ticks below: the cases' if ticks else ''}. Brier score {squares:.3f}; 0 is perfect."
    )
    svg = figures.calibration(curves, ticks, "calibration", f"Calibration curve. {caption}")
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
