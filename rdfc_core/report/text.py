"""The report's words: names of methods and numbers, and how numbers are written."""

from __future__ import annotations

from typing import Literal, NamedTuple

from rdfc_core.report.run_data import Method
from rdfc_core.results.schema import Row

NBSP = "\u00a0"
"""A space at which no line breaks."""

METRICS = {
    "f1_weighted": "Weighted F1",
    "auroc": "AUROC",
    "balanced_accuracy": "Balanced accuracy",
    "accuracy": "Accuracy",
    "brier": "Brier score",
    "ece": "Calibration error",
}
"""In the order in which the report prefers them."""

LOWER_IS_BETTER = {"brier", "ece"}

TABLES = {
    "linear": "Linear evaluation of pretext tasks (Table 1 of the paper)",
    "supervised": "Training with labels (Table 2 of the paper)",
    "control": "Controls",
    "label-efficiency": "Label efficiency (Figure 2 of the paper)",
}
TABLE_NOTES = {
    "linear": "Frozen features of each pretrained network, a simple classifier on top; one variant "
    "a method, named beforehand.",
    "supervised": "All labels, from the start: conventional radiomics, networks from scratch, and "
    "the network that goes on from the pretrained weights.",
    "control": "What a method has to beat before its score says anything about the method.",
    "label-efficiency": "The same methods with a share of the training labels, on the same "
    "held-back cases.",
}


class Control(NamedTuple):
    """A method that the learnt one is compared with: what it is, and what not beating it means."""

    what: str
    unbeaten: str


CONTROLS = {
    "random-init": Control(
        "the same network before training",
        "no gain from pretraining is shown",
    ),
    "radiomics": Control(
        "the handcrafted features themselves",
        "no gain over plain radiomics is shown",
    ),
    "shape-only": Control(
        "shape features of the mask alone",
        "the outlines alone may carry the label",
    ),
    "size-only": Control("the tumour's size alone", "size alone may tell the classes apart"),
    "no-shape": Control("radiomics without shape features", "texture and intensity may suffice"),
    "shuffled-labels": Control("training on labels drawn at random", "the score may be chance"),
    "shuffled-correspondence": Control(
        "the same pretraining on features and pictures of different tumours",
        "no gain from correspondence itself is shown",
    ),
}
"""Known controls; a row of the table ``control`` is one whatever its name."""

COMPARED = CONTROLS | {
    name: Control(
        "trained with labels from the start", "no gain over training from scratch is shown"
    )
    for name in ("resnet-scratch", "hybrid-scratch")
}
COMPARED["radiomics-logistic"] = Control(
    "logistic regression on handcrafted features", "no gain over plain radiomics is shown"
)
"""Everything the learnt method is compared with."""

START = "start-"
"""Begins the name of networks that are judged as their published weights are."""
Outcome = Literal["better", "open", "worse"]
"""How a method stands against another: ``open`` if the data do not tell them apart."""

SELECTED = "selected"

INPUTS = {"both": "both views", "image": "image", "radiomics": "radiomics"}
CLASSIFIERS = {
    "logistic": "logistic regression",
    "sgd": "linear layer (SGD)",
    "knn": "nearest neighbours",
    "svm": "linear SVM",
    "head": "linear head",
}
PARTS = {"pretext": "Only pretraining", "train": "Training", "test": "Held back"}


def is_control(row: Row) -> bool:
    """Whether the row is there for comparison."""
    return row.table == "control" or row.method.removesuffix("-finetune") in CONTROLS


def is_learnt(row: Row) -> bool:
    """Whether the row's features were learnt without labels before they were judged."""
    return not is_control(row) and is_learnt_name(row.method)


def is_learnt_name(method: str) -> bool:
    """Whether a method of this name begins from what a pretext task learnt."""
    if method.startswith(START):  # weights from elsewhere, without the pretext
        return False
    return method.removesuffix("-finetune") not in COMPARED


def metric_name(metric: str) -> str:
    """``f1_weighted`` → ``Weighted F1``; unknown metrics keep their name."""
    return METRICS.get(metric, metric.replace("_", " "))


def metric_in_sentence(metric: str) -> str:
    """``a weighted F1``, ``an AUROC``: the metric's name inside a sentence, with its article."""
    name = metric_name(metric)
    name = name if name[:2].isupper() else name[:1].lower() + name[1:]
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def describe(key: Method) -> str:
    """Input, layer and classifier in words: ``both views, features, logistic regression``."""
    if key.method == SELECTED:
        return "chosen by inner folds of the training cases"
    name, plus, calibrated = key.classifier.partition("+")
    classifier = CLASSIFIERS.get(name, name) + (f", calibrated by {calibrated}" if plus else "")
    source = INPUTS.get(key.input, key.input)
    if key.method.endswith("-finetune"):  # its input names the setting
        source = f"both views, setting “{key.input}”"
    parts = [source, key.layer, classifier]
    return ", ".join(part for part in parts if part)


def number(value: float | None) -> str:
    """Three decimals, or a dash where there is none."""
    return "–" if value is None else f"{value:z.3f}"


def interval(row: Row) -> str:
    """``0.858 [0.801, 0.907]``; without an interval, the spread over folds or seeds if known."""
    if row.mean is None:
        return "–"
    if row.ci_low is not None and row.ci_high is not None:
        return f"{row.mean:z.3f} [{row.ci_low:z.3f}, {row.ci_high:z.3f}]"
    if row.sd is not None:
        return f"{row.mean:z.3f} ± {row.sd:.3f}"
    return f"{row.mean:z.3f}"


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
