"""The report's words: methods and numbers in sentences, and how numbers are written."""

from __future__ import annotations

from typing import Literal

from rdfc_core.report.run_data import Method
from rdfc_core.results.schema import Importance, Row
from rdfc_core.results.vocabulary import (
    BOTH_VIEWS,
    CLASSIFIER_HEADINGS,
    CONTROL,
    CONTROLS,
    FINETUNED_SUFFIX,
    IN_UNITS,
    INPUT_HEADINGS,
    MAE,
    METHODS,
    OPPONENTS,
    R2,
    RAW,
    RMSE,
    SELECTED,
    START,
    in_sentence,
)

NBSP = "\u00a0"
"""A space at which no line breaks."""

Outcome = Literal["better", "open", "worse"]
"""How a method stands against another: ``open`` if the data do not tell them apart."""

PARTS = {"pretext": "Only pretraining", "train": "Training", "test": "Held back"}


def is_control(row: Row) -> bool:
    """Whether the row is there for comparison."""
    return row.table == CONTROL or row.method.removesuffix(FINETUNED_SUFFIX) in CONTROLS


def is_learnt(row: Row) -> bool:
    """Whether the row's features were learnt without labels before they were judged."""
    of_evaluator = row.layer == RAW and row.method not in METHODS
    return not is_control(row) and is_learnt_name(row.method) and not of_evaluator


def is_learnt_name(method: str) -> bool:
    """Whether a method of this name begins from what a pretext task learnt."""
    if method.startswith(START):  # weights from elsewhere, without the pretext
        return False
    return method.removesuffix(FINETUNED_SUFFIX) not in OPPONENTS


def held_back(judged: Row | Importance) -> str:
    """``24 held-back cases``, or patients where these are judged."""
    return count(judged.n_cases, f"held-back {judged.unit}")


def metric_in_sentence(metric: str) -> str:
    """``a weighted F1``, ``an AUROC``: the metric's name inside a sentence, with its article."""
    name = in_sentence(metric)
    vowel = name[:1].lower() in "aeiou" or metric in (R2, MAE, RMSE)  # as the letters are spoken
    return f"{'an' if vowel else 'a'} {name}"


def describe(key: Method) -> str:
    """Input, layer and classifier in words: ``both views, features, logistic regression``."""
    if key.method == SELECTED:
        return "chosen by inner folds of the training cases"
    name, plus, calibrated = key.classifier.partition("+")
    classifier = CLASSIFIER_HEADINGS.get(name, name) + (
        f", calibrated by {calibrated}" if plus else ""
    )
    source = INPUT_HEADINGS.get(key.input, key.input)
    if key.method.endswith(FINETUNED_SUFFIX):  # its input names the setting
        source = f"{INPUT_HEADINGS[BOTH_VIEWS]}, setting “{key.input}”"
    parts = [source, key.layer, classifier]
    return ", ".join(part for part in parts if part)


def number(value: float | None) -> str:
    """Three decimals, or a dash where there is none."""
    return "–" if value is None else f"{value:z.3f}"


def interval(row: Row) -> str:
    """``0.858 [0.801, 0.907]``; without an interval, the spread over folds or seeds if known."""
    if row.mean is None:
        return "–"
    shown = in_units if row.metric in IN_UNITS else number
    if row.ci_low is not None and row.ci_high is not None:
        return f"{shown(row.mean)} [{shown(row.ci_low)}, {shown(row.ci_high)}]"
    if row.sd is not None:
        return f"{shown(row.mean)} ± {shown(row.sd)}"
    return shown(row.mean)


def in_units(value: float) -> str:
    """Three digits that count: a number in the units of the label, which may be of any size."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def signed(value: float) -> str:
    """`in_units` with its sign: ``+0.12``, ``−3.4``."""
    return f"{'−' if value < 0 else '+'}{in_units(abs(value))}"


def percent(fraction: float) -> str:
    """``0.05`` → ``5 %``, which does not break over two lines."""
    return f"{100 * fraction:.3g}{NBSP}%"


def duration(seconds: float) -> str:
    """``3725`` → ``1 h 2 min``."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def listed(words: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(([", ".join(words[:-1])] if words[:-1] else []) + words[-1:])


def count(n: int, one: str, many: str | None = None) -> str:
    """``1 case``, ``2 cases``; thousands are set apart by a thin space."""
    return f"{n:,}".replace(",", "\u202f") + " " + (one if n == 1 else many or one + "s")


def p_value(p: float | None) -> str:
    """Two digits that count, or ``< 0.001``; a dash where there is none."""
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
