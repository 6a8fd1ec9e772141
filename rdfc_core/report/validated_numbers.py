"""What a validation tells of predicted numbers: figures, and sentences on their calibration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rdfc_core.report.figures import Plot
from rdfc_core.report.number_figures import agreement, bland_altman, scatter
from rdfc_core.results.validation import NumberCalibration, Value

if TYPE_CHECKING:
    from rdfc_core.evaluation.bootstrap import Prediction


def number_plots(said: Prediction, name: str) -> list[Plot]:
    """Predicted against true numbers, and their differences.

    Args:
        said: Of the labelled cases, or of their patients.
        name: What tells the figures of this list from those of others on the page.
    """
    truth, numbers = said.truth.astype(float), said.probabilities
    mean, low, high = agreement(truth, numbers)
    against = "Each point is one that was judged; on the line, prediction and label agree."
    limits = _with_minus(
        f"Mean difference {mean:.3g} (solid), limits of agreement {low:.3g} to {high:.3g} "
        "(dashed): 95 % of differences lie between them, if they are normal."
    )
    return [
        Plot(
            "Predicted and label",
            scatter(truth, numbers, f"numbers-{name}", f"Predicted over label. {against}"),
            against,
        ),
        Plot(
            "Agreement",
            bland_altman(truth, numbers, f"agreement-{name}", f"Differences. {limits}"),
            limits,
        ),
    ]


def number_sentences(numbers: NumberCalibration) -> list[str]:
    """Whether predictions are too high or too low, and too far from their mean."""
    told = _with_minus(
        f"Predictions are {numbers.predicted:.4g} on average, labels {numbers.observed:.4g}"
    )
    found = [f"{told}, which chance may explain."]
    if _beyond(numbers.bias, 0):
        found = [
            f"{told}: predictions are too {'high' if (numbers.bias.estimate or 0) > 0 else 'low'}."
        ]
    slope = numbers.slope
    if _beyond(slope, 1) and slope.low is not None and slope.high is not None:
        wide = "too far from" if slope.high < 1 else "too close to"
        line = _with_minus(
            f"They lie {wide} their mean: where predictions differ by 1, labels differ by "
            f"{slope.estimate:.2f} [{slope.low:.2f}, {slope.high:.2f}]."
        )
        found.append(line)
    return found


def _with_minus(told: str) -> str:
    return re.sub(r"(?<![\w-])-(?=\d)", "−", told)


def _beyond(value: Value, perfect: float) -> bool:
    return (
        value.low is not None and value.high is not None and not value.low <= perfect <= value.high
    )
