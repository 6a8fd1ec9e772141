"""What safeguards come to where labels are known, in words; for pages and terminals alike."""

from __future__ import annotations

from rdfc_core.report import text
from rdfc_core.results.safeguards import JudgedPoint, JudgedSafeguards, JudgedSets
from rdfc_core.results.validation import Value


def written(value: Value | None) -> str:
    """``0.812 [0.74, 0.88]``."""
    if value is None or value.estimate is None:
        return "–"
    told = f"{value.estimate:.3f}"
    if value.low is not None and value.high is not None:
        told += f" [{value.low:.2f}, {value.high:.2f}]"
    return told.replace("-", "−")


def share(value: Value | None) -> str:
    """``91 % [88, 94]``."""
    if value is None or value.estimate is None:
        return "–"
    told = text.percent(value.estimate)
    if value.low is not None and value.high is not None:
        told += f" [{100 * value.low:.0f}, {100 * value.high:.0f}]"
    return told


def aim(name: str) -> str:
    """``sensitivity_0.95`` → ``sensitivity ≥ 0.95``."""
    return name.replace("_", " ≥ ")


def left_out(judged: int, known: int) -> str:
    """How many labelled cases no score is made of, since the run has learnt from them."""
    which = f"{known} of the labelled cases" if judged else f"all {known} labelled cases"
    return f"The run has learnt from {which}: no score is made of these."


def sentences(judged: JudgedSafeguards) -> tuple[str, ...]:
    """What they come to, and what is missing."""
    found: list[str] = []
    if judged.sets is not None:
        found += _of_sets(judged.sets)
    if judged.flagged is not None and judged.quantile is not None:
        found.append(
            f"Called unlike the training cases: {share(judged.flagged)} of the cases, where "
            f"{text.percent(1 - judged.quantile)} are to be expected of familiar ones."
        )
    return (*found, *judged.why_not)


def _of_sets(sets: JudgedSets) -> list[str]:
    what = "Intervals" if sets.width is not None else "Prediction sets"
    low, high = sets.coverage.low, sets.coverage.high
    verdict = ""
    if low is not None and high is not None:
        if high < sets.nominal:
            verdict = ": less often than they should"
        elif low > sets.nominal:
            verdict = ": more often than they would have to"
        else:
            verdict = ", as they should within chance"
    found = [
        f"{what} made to hold the label of {text.percent(sets.nominal)} of the cases hold it in "
        f"{share(sets.coverage)} ({text.count(sets.patients, 'patient')}, each counting "
        f"once){verdict}."
    ]
    if sets.width is not None:
        found.append(f"They are {text.number(sets.width)} wide.")
        return found
    told = f"{share(sets.certain)} of the cases have a single class in their set"
    if sets.certain_right is not None and sets.certain_right.estimate is not None:
        told += f", and of these {share(sets.certain_right)} are right"
    empty = f"; {text.percent(sets.empty)} have an empty set" if sets.empty else ""
    return [*found, f"{told}{empty}: for all others the model abstains."]


def coverage_rows(sets: JudgedSets) -> list[tuple[str, str]]:
    """Class → its coverage."""
    return [(name, share(value)) for name, value in sets.coverage_of.items()]


def point_rows(judged: JudgedSafeguards) -> tuple[list[str], list[tuple[str, ...]]]:
    """Headings, and a line an operating point."""
    headings = ["chosen for", "positive", "threshold", "sensitivity", "specificity", "PPV", "NPV"]
    return headings, [_row(one) for one in judged.operating_points]


def _row(one: JudgedPoint) -> tuple[str, ...]:
    thresholds = sorted(one.thresholds.values())
    told = f"{thresholds[0]:.3f}"
    if thresholds[-1] - thresholds[0] > 5e-4:
        told += f" to {thresholds[-1]:.3f}"
    numbers = (one.sensitivity, one.specificity, one.ppv, one.npv)
    return (aim(one.name), one.positive, told, *map(written, numbers))
