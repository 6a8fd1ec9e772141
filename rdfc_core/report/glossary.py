"""Words of the first screen that not every reader knows, each explained in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rdfc_core.results.vocabulary import (
    ACCURACY,
    AUROC,
    BALANCED_ACCURACY,
    BRIER,
    ECE,
    ENSEMBLE,
    F1_WEIGHTED,
    MAE,
    R2,
    RMSE,
    SHAPE_ONLY,
    SIZE_ONLY,
    SPEARMAN,
    metric_heading,
)

METRIC_MEANINGS: Mapping[str, str] = {
    F1_WEIGHTED: "mean over the classes, by their size, of the harmonic mean of how many called "
    "one are one and how many that are one are called so; 1 is perfect",
    ACCURACY: "share of cases whose class was said rightly",
    BALANCED_ACCURACY: "mean over the classes of the share that was said rightly; chance is 0.5 of "
    "two classes",
    AUROC: "how likely a case of one class gets a higher score than one of another; chance is 0.5",
    BRIER: "mean squared distance of the probabilities from what was true; 0 is perfect",
    ECE: "how far probabilities lie from the shares that came true, on average; 0 is perfect",
    R2: "share of the numbers' variance that is predicted; 0 is no better than their mean",
    MAE: "mean distance of the prediction from the truth, in the units of the label",
    RMSE: "root of the mean squared distance, in the units of the label",
    SPEARMAN: "how well the order of the cases is predicted; 1 is perfect, 0 is none",
}

WORDS: Mapping[str, str] = {
    "pretraining": "training without diagnoses: the network learns which handcrafted features and "
    "which picture belong to the same tumour",
    "training from scratch": "the same network trained with the same labels, but from random "
    "weights",
    "untrained network": "the same network with random weights; a linear probe reads its features",
    "linear probe": "a linear classifier on features of a network that is not changed any more",
    "fine-tuned": "the pretrained network, trained on with labels",
    ENSEMBLE: "the average of the calibrated probabilities of several models",
    "inner folds": "parts of the training cases that are held back in turn to choose by; the test "
    "part is never seen",
    "p corrected": "how likely a difference of this size is by chance alone, after Holm's "
    "correction for the number of comparisons",
    SIZE_ONLY: "a classifier that sees the tumour's size and nothing else",
    SHAPE_ONLY: "a classifier that sees the shape features of the outline and nothing else",
}

BRACKETS = "[0.72, 0.81]"
"""How an interval looks: it stands for those of the page."""


def explained(said: str, metrics: Iterable[str], confidence: float) -> tuple[tuple[str, str], ...]:
    """What is used in a text, in the order of this page: a word, and what it means.

    Args:
        said: The text.
        metrics: Names of metrics that it may speak of.
        confidence: Coverage of its intervals.
    """
    low = said.lower()
    found = [
        (metric_heading(metric), METRIC_MEANINGS[metric])
        for metric in metrics
        if metric in METRIC_MEANINGS and metric_heading(metric).lower() in low
    ]
    if "[" in said:
        found.append(
            (
                BRACKETS,
                f"the {100 * confidence:g} % interval: values that fit the held-back patients, who "
                "are drawn anew many times; a difference is shown where it excludes 0",
            )
        )
    return (*found, *((word, meaning) for word, meaning in WORDS.items() if word in low))
