"""Evaluator: a method of one's own that labels train, or a control, judged like rdfc's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rdfc_core.interfaces.metric import Task

if TYPE_CHECKING:
    from rdfc_core.interfaces.collated import Collated

Input = Literal["features", "embeddings", "handcrafted", "columns", "views"]
"""What an evaluator may ask for: a field of `EvaluatorCases`."""

Role = Literal["method", "control"]
"""A method stands in the tables of methods, at every share of the labels; a control among those."""

OF_PRETEXT = ("features", "embeddings")
"""Inputs that a pretext has learnt."""


@dataclass(frozen=True, eq=False)
class EvaluatorCases:
    """n cases as an evaluator sees them: what it asked for, and no label. All of it are copies.

    Args:
        patients: (n,) names, equal for cases of one patient; for folds of the evaluator's own.
        features: View → (n, F), what the towers have learnt, rows of unit length.
        embeddings: View → (n, D), what the projectors make of them; a pretext may have none.
        handcrafted: (n, F) as they were measured, or as the view harmonises them; NaN where one is
            missing; without columns if not asked for.
        names: Of the handcrafted features.
        columns: View of columns → (n, F), on the scale of the pretext cases.
        views: View → its cases as it collates them, such as pictures (n, C, H, W).
    """

    patients: tuple[str, ...]
    features: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    embeddings: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    handcrafted: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    names: tuple[str, ...] = ()
    columns: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    views: Mapping[str, Collated] = field(default_factory=dict)

    def __len__(self) -> int:
        """The number of cases, n."""
        return len(self.patients)

    def table(self) -> NDArray[np.float64]:
        """All that is one number a column, side by side, (n, F): for estimators on tables."""
        tables = [*self.features.values(), *self.embeddings.values()]
        whole = [self.handcrafted] if self.handcrafted.size else []
        return np.concatenate(
            [np.zeros((len(self), 0)), *tables, *whole, *self.columns.values()],
            axis=1,
            dtype=np.float64,
        )


@dataclass(frozen=True, eq=False)
class Labels:
    """The labels of the cases that an evaluator learns from.

    Args:
        truth: (n,) class indices, a class may be missing; numbers in regression.
        weights: (n,) of the cases: by the rarity of their class (``evaluate.class_weight``), or 1.
        classes: How many classes there are, C; 0 in regression.
    """

    truth: NDArray[np.int64] | NDArray[np.float64]
    weights: NDArray[np.float64]
    classes: int


class Predictor(Protocol):
    """What an evaluator has learnt."""

    def predict(self, cases: EvaluatorCases) -> NDArray[np.float64]:
        """Class probabilities of cases that it has not seen, (n, C), whose rows sum to 1.

        In regression numbers, (n,).

        What it says of a case does not depend on the cases beside it.

        Args:
            cases: With the inputs that the evaluator asked for.

        Called:
            After each training, for the held-back cases of a split or of an inner fold.
        """


class Evaluator(ABC):
    """Learns from labelled cases in a way of its own. Built as ``Class(config)``.

    It is trained like each of rdfc's methods, on every split and share of the labels, and has rows,
    intervals and paired tests under its name. It never gets the label of a held-back case.

    Attributes:
        inputs: What it looks at: any of ``features``, ``embeddings``, ``handcrafted``, ``columns``
            and ``views``, or nothing. Those that the study has not are refused before training.
            Where an option decides, an attribute of the object.
        tasks: What labels it learns: ``classification``, ``regression`` or both.
        role: ``method``, or ``control``: what a method has to beat. Controls stand in their own
            table, with all labels, and in the comparisons of the headline.
    """

    inputs: tuple[Input, ...]
    tasks: ClassVar[tuple[Task, ...]] = ("classification",)
    role: ClassVar[Role] = "method"

    @abstractmethod
    def fit(self, cases: EvaluatorCases, labels: Labels, seed: int) -> Predictor:
        """Learn from labelled cases.

        Equal arguments give equal predictions: what is random follows ``seed``. The global
        generators of Python, NumPy and torch are seeded with it and put back afterwards. Nothing
        is kept from one call to the next; a predictor stays what it is when another is fitted.

        Args:
            cases: n cases of the training part, with the inputs that were asked for.
            labels: Theirs.
            seed: Of this split and draw of the labels.

        Returns:
            A new `Predictor`.

        Called:
            On each split, for every share of the labels and draw; and with
            ``evaluate.temperature_scaling`` once more for each inner fold of the training cases.
        """
