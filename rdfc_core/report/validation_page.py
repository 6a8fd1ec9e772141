"""A `Validation` → the page ``validation.html``: one file, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rdfc_core.report import figures, text
from rdfc_core.report.figures import Curve, Plot
from rdfc_core.report.page import environment, style
from rdfc_core.report.palette import class_colour, series_colour
from rdfc_core.report.run_data import Method, RecordedPredictions
from rdfc_core.report.safeguard_text import written
from rdfc_core.report.sections.roc_and_calibration import calibration, roc
from rdfc_core.report.validated_numbers import number_plots, number_sentences
from rdfc_core.results.metric_facts import heading, in_order, lower_is_better
from rdfc_core.results.validation import Cohort, Decision, Validation, Value
from rdfc_core.results.vocabulary import (
    AUROC,
    LOWER_IS_BETTER,
    MAE,
    PATIENT,
    REGRESSION,
    SUPERVISED,
    metric_heading,
)
from rdfc_core.utils.atomic import replacing

if TYPE_CHECKING:
    from rdfc_core.evaluation.bootstrap import Prediction

PAGE = "validation.html"

FAR = 0.65
"""AUROC of telling places apart, above which the page says that the cases are unlike."""


@dataclass(frozen=True)
class CohortView:
    """One list of cases as the page shows it."""

    cohort: Cohort
    sentences: tuple[str, ...]
    plots: tuple[Plot, ...]
    subgroups: tuple[tuple[str, ...], ...]
    drifted: tuple[tuple[str, ...], ...]


def write_page(
    folder: Path,
    validation: Validation,
    said: Mapping[str, Prediction],
) -> Path:
    """Draw ``validation.html`` in the folder.

    Args:
        folder: Where it goes.
        validation: What it tells.
        said: Name of a list → what was said of its labelled cases, or of their patients.

    Returns:
        Its path.
    """
    names, rows = score_rows(validation)
    html = (
        environment()
        .get_template("validation.html.j2")
        .render(
            style=style(),
            written=written,
            run=validation,
            headings=[_heading(name, validation) for name in names],
            rows=rows,
            cohorts=tuple(
                _view(cohort, validation, names, said[cohort.name], place)
                for place, cohort in enumerate(validation.cohorts)
            ),
        )
    )
    path = folder / PAGE
    with replacing(path) as partial:
        partial.write_bytes(html.encode("utf-8", errors="replace"))
    return path


def score_rows(
    validation: Validation,
) -> tuple[list[str], list[tuple[str, str, tuple[str, ...]]]]:
    """The scores side by side, for page and terminal alike.

    Returns:
        Metrics, in the order in which people are shown them; and of each line whose cases they are
        of, how many these are, and a text a metric: those of the run itself first.
    """
    there = {name for cohort in validation.cohorts for name in cohort.metrics}
    names = in_order(there, validation.metrics)
    rows = []
    if validation.own:
        cells = tuple(written(validation.own.get(name)) for name in names)
        rows.append(("the run’s own held-back cases", str(validation.own_cases), cells))
    for cohort in validation.cohorts:
        cells = tuple(written(cohort.metrics.get(name)) for name in names)
        rows.append((cohort.name, str(cohort.labelled), cells))
    return names, rows


def _heading(name: str, validation: Validation) -> str:
    lower = lower_is_better(name, validation.metrics)
    return heading(name, validation.metrics) + (" (lower is better)" if lower else "")


def _view(
    cohort: Cohort,
    validation: Validation,
    names: Sequence[str],
    said: Prediction,
    place: int,
) -> CohortView:
    plots: Sequence[Plot | None] = (
        number_plots(said, str(place))
        if cohort.numbers
        else _class_plots(said, cohort, validation.classes, place)
    )
    return CohortView(
        cohort,
        sentences(cohort, validation),
        tuple(plot for plot in plots if plot is not None),
        tuple(_subgroup_rows(cohort, names)),
        tuple(
            (
                one.name,
                f"{one.trained:.4g}",
                f"{one.here:.4g}",
                f"{one.difference:+.2f}".replace("-", "−"),
                f"{one.ks:.2f}",
            )
            for one in cohort.drift.furthest
        ),
    )


def _class_plots(
    said: Prediction, cohort: Cohort, classes: Sequence[str], place: int
) -> list[Plot | None]:
    method = Method(SUPERVISED, cohort.name, "", "", "")
    nobody = ("",) * len(said.truth)
    labels = tuple(classes[int(one)] for one in said.truth)
    predicted = tuple(classes[one] for one in said.probabilities.argmax(axis=1))
    recorded = RecordedPredictions(
        method, nobody, nobody, nobody, labels, predicted, said.probabilities
    )
    return [
        roc(recorded, said.probabilities, classes, (), f"roc-{place}"),
        calibration(recorded, said.probabilities, classes, f"calibration-{place}"),
        _decision_plot(cohort.decisions, f"decision-{place}"),
    ]


def sentences(cohort: Cohort, validation: Validation) -> tuple[str, ...]:
    """What a list says of the model, the most important first; for page and terminal alike."""
    if cohort.too_few:
        found = [cohort.too_few]
    else:
        found = [*_discrimination(cohort, validation), *_calibration(cohort)]
        found += number_sentences(cohort.numbers) if cohort.numbers else []
    return (*found, *_drift(cohort))


def _discrimination(cohort: Cohort, validation: Validation) -> list[str]:
    metric = MAE if validation.task == REGRESSION else AUROC
    here, own = cohort.metrics.get(metric), validation.own.get(metric)
    if here is None or here.estimate is None:
        return []
    units = "patients" if validation.unit == PATIENT else "cases"
    told = f"{metric_heading(metric)} {written(here)} on {cohort.labelled} labelled {units}"
    if own is None or own.estimate is None:
        return [f"{told}."]
    beside = f"{told}; {written(own)} on the run’s own held-back {units}"
    low, high = _difference(here, own)
    if low <= 0 <= high:
        return [f"{beside}: no difference is shown."]
    better = (low > 0) != (metric in LOWER_IS_BETTER)
    return [f"{beside}: the model is {'better' if better else 'worse'} here."]


def _difference(here: Value, own: Value) -> tuple[float, float]:
    """Interval of the difference of two independent estimates, from those of each.

    Source: Zou & Donner 2008 (MOVER).
    """
    numbers = (here.estimate, here.low, here.high, own.estimate, own.low, own.high)
    if None in numbers:
        return -np.inf, np.inf
    a, a_low, a_high, b, b_low, b_high = (float(one or 0) for one in numbers)
    below = np.hypot(a - a_low, b_high - b)
    above = np.hypot(a_high - a, b - b_low)
    return float(a - b - below), float(a - b + above)


def _calibration(cohort: Cohort) -> list[str]:
    found = []
    for one in cohort.calibration:
        told = (
            f"“{one.label}”: {text.percent(one.predicted)} of the cases are expected to have it, "
            f"{text.percent(one.observed)} do"
        )
        shift, slope = one.shift, one.slope
        wrong = (
            shift.low is not None and shift.high is not None and not shift.low <= 0 <= shift.high
        )
        verdict = "which chance may explain"
        if wrong:
            verdict = (
                f"so that probabilities are too {'low' if (shift.estimate or 0) > 0 else 'high'}"
            )
        extreme = slope.high is not None and slope.high < 1
        more = f" They are too extreme, too (slope {written(slope)})." if extreme else ""
        found.append(f"{told}, {verdict}.{more}")
    return found


def _drift(cohort: Cohort) -> list[str]:
    drift = cohort.drift
    found = []
    apart = drift.told_apart
    if apart is not None and apart.estimate is not None:
        unlike = "unlike" if (apart.low or 0) > FAR else "not clearly unlike"
        found.append(
            f"The cases are {unlike} those that were trained on: embeddings tell the two apart "
            f"with AUROC {written(apart)} (0.5: not at all)."
        )
    if drift.unfamiliar is not None:
        found.append(
            f"{text.percent(drift.unfamiliar)} of the cases lie further from the training cases "
            "than 95 % of the run’s own do."
        )
    if drift.features:
        found.append(
            f"{drift.large} of {drift.features} features differ by more than half a standard "
            "deviation."
        )
    return found


def _decision_plot(decisions: Sequence[Decision], name: str) -> Plot | None:
    if not decisions:
        return None
    curves = []
    for place, one in enumerate(decisions):
        colour = "accent" if len(decisions) == 1 else class_colour(place)
        x = np.array(one.thresholds)
        curves.append(Curve(f"act on “{one.label}” as predicted", x, np.array(one.model), colour))
        if len(decisions) == 1:
            everyone = np.array(one.everyone)
            curves.append(Curve("act on all", x, everyone, series_colour(0), dashes=1))
    what = f"“{decisions[0].label}”" if len(decisions) == 1 else "each class"
    caption = (
        f"What acting on {what} at a probability is worth, in true positives a case, false ones "
        "weighed by the threshold’s odds. Where the curve is above acting on all and above 0 "
        "(acting on none), the model helps."
    )
    return Plot(
        "Decision curve", figures.decision(curves, name, f"Decision curve. {caption}"), caption
    )


def _subgroup_rows(cohort: Cohort, names: Sequence[str]) -> list[tuple[str, ...]]:
    rows = []
    for one in cohort.subgroups:
        cells = [written(one.metrics.get(name)) for name in names]
        per_class = ", ".join(f"{count} {label}" for label, count in one.per_class.items())
        told = f"{one.cases} ({per_class})" if per_class else str(one.cases)
        rows.append((f"{one.column}: {one.value}", told, *cells))
    return rows
