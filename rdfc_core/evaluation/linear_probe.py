"""Linear evaluation of a split: the learnt features, and the controls they must beat."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Case
from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.data.splits import Split
from rdfc_core.data.targets import Truth
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.label_fractions import draw
from rdfc_core.evaluation.tasks import EvaluationTask, task_of
from rdfc_core.interfaces import Prepared
from rdfc_core.models.linear_model import FeatureTables, LinearModel
from rdfc_core.results.vocabulary import (
    ALL_VIEWS,
    BOTH_VIEWS,
    CALIBRATED,
    CONTROL,
    EMBEDDING,
    FEATURES,
    KNN,
    LINEAR,
    NO_SHAPE,
    RADIOMICS,
    RANDOM_INIT,
    RAW,
    SHAPE_ONLY,
    SHUFFLED_CORRESPONDENCE,
    SHUFFLED_LABELS,
    SIZE_ONLY,
)

log = logging.getLogger("rdfc")

RANDOM_NETWORKS = 3
SHUFFLES = 20

Outputs = Mapping[str, Mapping[str, NDArray[np.float32]]]
"""Layer (``features``, ``embedding``) → view name → (N, F) for the cases of a `LabelledSplit`."""


@dataclass(frozen=True)
class Variant:
    """What is judged: a method on an input, by a classifier; one line of a table."""

    table: str
    method: str
    input: str
    layer: str
    classifier: str
    label_fraction: float = 1.0

    def scaled(self) -> Variant:
        """The same with probabilities that a temperature calibrates."""
        return replace(self, classifier=self.classifier.removesuffix(CALIBRATED) + CALIBRATED)


def main_classifier(settings: EvaluateSettings) -> str:
    """The first linear classifier: the one that is saved, and that judges the controls."""
    linear = [name for name in settings.classifiers if name != KNN]
    return linear[0] if linear else task_of(settings).linear


def main_variant(settings: EvaluateSettings, views: Sequence[str]) -> dict[str, str]:
    """The variant that is judged, named before any result is seen: all views' features.

    Choosing the best of several on the test cases would flatter the method.
    """
    return {
        "input": together(views),
        "layer": FEATURES,
        "classifier": main_classifier(settings),
    }


def together(views: Sequence[str]) -> str:
    """How tables call all views joined."""
    return views[0] if len(views) == 1 else BOTH_VIEWS if len(views) == 2 else ALL_VIEWS


@dataclass(frozen=True)
class LabelledSplit:
    """The labelled cases of a split, and how to try features on them.

    Args:
        split: Which of them train and which test.
        cases: The labelled cases, training cases first.
        truth: (N,) class indices, or numbers.
        classes: C, the number of classes, or 1: how many numbers are said of a case.
        settings: Classifiers and their options.
        seed: Decides the SGD layer's weights and the shuffled labels.
    """

    split: Split
    cases: Sequence[Case]
    truth: Truth
    classes: int
    settings: EvaluateSettings
    seed: int

    @classmethod
    def of(
        cls,
        split: Split,
        cases: Mapping[str, Case],
        classes: Sequence[str],
        settings: EvaluateSettings,
        seed: int,
    ) -> LabelledSplit:
        """The labelled cases of a split."""
        chosen = [cases[case_id] for case_id in (*split.train, *split.test)]
        task = task_of(settings)
        truth, count = task.targets.encoded(chosen, classes), task.output.width(classes)
        return cls(split, chosen, truth, count, settings, seed)

    @property
    def task(self) -> EvaluationTask:
        """How labels are learnt, chosen by and judged."""
        return task_of(self.settings)

    def judge(
        self,
        features: FeatureTables,
        name: str,
        layer: str,
        repeat: int = 0,
        truth: Truth | None = None,
    ) -> tuple[Prediction, LinearModel | None]:
        """Train a classifier on the training cases; what it says of the test cases.

        Args:
            features: View name → (N, F), rows in the order of `cases`.
            name: Of the classifier, as ``evaluate.classifiers`` has it.
            layer: ``features`` or ``embedding``.
            repeat: Number of the repetition.
            truth: Other labels to train on (the shuffled control).
        """
        train = len(self.split.train)
        learner = self.task.classifier(name, self.settings, self.seed, layer)
        taught = self.truth if truth is None else truth
        learner.fit({k: v[:train] for k, v in features.items()}, taught[:train], self.classes)
        said = learner.predict({k: v[train:] for k, v in features.items()})
        return self.prediction(said, repeat), getattr(learner, "model", None)

    def labelled(self, fraction: float, seed: int) -> NDArray[np.int64]:
        """The places of the training cases whose labels a share of them takes, (n,)."""
        cases = self.task.targets.with_strata(self.cases[: len(self.split.train)])
        return np.array(draw(cases, fraction, seed, self.settings.label_unit), np.int64)

    def prediction(
        self,
        probabilities: NDArray[np.float64],
        repeat: int = 0,
        labelled: NDArray[np.int64] | None = None,
    ) -> Prediction:
        """What was said of the test cases, with what they are.

        Args:
            probabilities: (N, C), as models say it.
            repeat: Number of the repetition.
            labelled: (n,) places of the cases that it was learnt from; None: all training cases.
        """
        train = len(self.split.train)
        tested = self.cases[train:]
        taught = [self.cases[p] for p in (range(train) if labelled is None else labelled.tolist())]
        return Prediction(
            split=self.split.name,
            case_ids=tuple(case.case_id for case in tested),
            patients=tuple(case.patient_id for case in tested),
            truth=self.truth[train:],
            probabilities=self.task.flat(probabilities),
            repeat=repeat,
            labelled_cases=len(taught),
            labelled_patients=len({case.patient_id for case in taught}),
        )


def judge_learnt(
    data: LabelledSplit, outputs: Outputs, method: str
) -> tuple[list[tuple[Variant, Prediction]], LinearModel | None]:
    """Every input, layer and classifier of the learnt network.

    Returns:
        Variants with predictions, and the linear model on all views' features, to be saved.
    """
    found: list[tuple[Variant, Prediction]] = []
    kept: LinearModel | None = None
    for layer, views in outputs.items():
        for name, features in inputs(views):
            for chosen in data.settings.classifiers:
                prediction, model = data.judge(features, chosen, layer)
                found.append((Variant(LINEAR, method, name, layer, chosen), prediction))
                if (layer, chosen, len(features)) == (
                    FEATURES,
                    main_classifier(data.settings),
                    len(views),
                ):
                    kept = model
    if kept is None:  # neighbours alone are asked for, and they cannot be saved
        everything = outputs[FEATURES]
        _, kept = data.judge(everything, main_classifier(data.settings), FEATURES)
    return found, kept


def judge_compared(
    data: LabelledSplit, outputs: Outputs, method: str
) -> Iterator[tuple[Variant, Prediction]]:
    """Another network than the study's own; the control by its main classifier alone."""
    if method != SHUFFLED_CORRESPONDENCE:
        yield from judge_learnt(data, outputs, method)[0]
        return
    chosen = main_classifier(data.settings)
    for name, features in inputs(outputs[FEATURES]):
        variant = Variant(CONTROL, method, name, FEATURES, chosen)
        yield variant, data.judge(features, chosen, FEATURES)[0]


def judge_random(
    data: LabelledSplit, networks: Sequence[Outputs]
) -> Iterator[tuple[Variant, Prediction]]:
    """Untrained networks with the same views, one repetition each."""
    for repeat, outputs in enumerate(networks):
        for name, features in inputs(outputs[FEATURES]):
            chosen = main_classifier(data.settings)
            variant = Variant(CONTROL, RANDOM_INIT, name, FEATURES, chosen)
            yield variant, data.judge(features, chosen, FEATURES, repeat)[0]


def judge_shuffled(data: LabelledSplit, outputs: Outputs) -> Iterator[tuple[Variant, Prediction]]:
    """The learnt features with the training labels dealt out at random: must end at chance."""
    name, features = list(inputs(outputs[FEATURES]))[-1]
    rng = np.random.default_rng(data.seed)
    train = len(data.split.train)
    for repeat in range(SHUFFLES):
        shuffled = data.truth.copy()
        shuffled[:train] = rng.permutation(shuffled[:train])
        chosen = main_classifier(data.settings)
        variant = Variant(CONTROL, SHUFFLED_LABELS, name, FEATURES, chosen)
        yield variant, data.judge(features, chosen, FEATURES, repeat, shuffled)[0]


def judge_handcrafted(
    data: LabelledSplit, names: Sequence[str], table: NDArray[np.float32], size: Sequence[Prepared]
) -> Iterator[tuple[Variant, Prediction]]:
    """Handcrafted features alone: all, only shape, all but shape, and only size.

    Args:
        data: The labelled cases.
        names: Of the F features.
        table: (N, F) of the labelled cases, on the scale of the split's pretext cases.
        size: Their sizes, as `Size` gives them.
    """
    chosen = main_classifier(data.settings)
    shape = np.array(["shape" in name.lower() for name in names])
    sizes = np.stack([one.array for one in size]).astype(np.float32)
    columns: dict[str, Callable[[], NDArray[np.float32]]] = {
        RADIOMICS: lambda: table,
        SHAPE_ONLY: lambda: table[:, shape],
        NO_SHAPE: lambda: table[:, ~shape],
        SIZE_ONLY: lambda: sizes,
    }
    for method, of_table in columns.items():
        if method not in data.settings.controls:
            continue
        features = of_table()
        if features.shape[1] == 0:
            continue
        if method == NO_SHAPE and not shape.any():
            continue  # the same as all features
        variant = Variant(CONTROL, method, RADIOMICS, RAW, chosen)
        yield variant, data.judge({RAW: features}, chosen, EMBEDDING)[0]


def inputs(views: Mapping[str, NDArray[np.float32]]) -> Iterator[tuple[str, FeatureTables]]:
    """Each view alone, then all together (``both`` if they are two)."""
    for name, features in views.items():
        yield name, {name: features}
    if len(views) > 1:
        yield together(list(views)), dict(views)
