"""Query strategy: which cases are worth a label next. Loads NumPy, and no torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class QueryPool:
    """N candidates for a label, and what is known already. All of it are copies.

    A candidate is what a label is bought for (``evaluate.label_unit``): a case, or a patient, whose
    row is then the mean of that patient's cases. The budget counts candidates.

    Args:
        embeddings: (N, D), what the towers of all views have learnt of the candidates, side by
            side, rows of unit length.
        patients: (N,) names, equal for candidates of one patient.
        labelled: (L, D), the same of cases that are labelled; L may be 0.
        labelled_patients: (L,) their patients.
        truth: (L,) class indices of the labelled cases; 0 where labels are numbers.
        classes: Names of the C classes; none while nobody has named one.
        probabilities: (N, C), what a linear probe on the labelled cases says of the candidates,
            whose rows sum to 1; None before two classes have a labelled case.
    """

    embeddings: NDArray[np.float64]
    patients: tuple[str, ...]
    labelled: NDArray[np.float64]
    labelled_patients: tuple[str, ...] = ()
    truth: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    classes: tuple[str, ...] = ()
    probabilities: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        """The number of candidates, N."""
        return len(self.patients)


@dataclass(frozen=True)
class Query:
    """A candidate that is to be labelled.

    Args:
        place: Its row in the pool.
        reason: Why, for the person who labels: part of a sentence of at most 200 characters, such
            as ``typical of 31 cases of which none is labelled``.
        score: What it was chosen by, in the strategy's own measure; NaN where there is none.
    """

    place: int
    reason: str
    score: float = float("nan")


class QueryStrategy(ABC):
    """Chooses the cases to label next. Built as ``Class(config)``.

    It sees no label but those that were bought, and no test case.

    Attributes:
        needs_model: Whether it asks for `QueryPool.probabilities`. Without labels of two classes
            ``rdfc suggest`` then refuses it, and the simulation draws at random.
    """

    needs_model: ClassVar[bool] = False

    @abstractmethod
    def choose(
        self, pool: QueryPool, budget: int, generator: np.random.Generator
    ) -> Sequence[Query]:
        """The candidates to label next, the most useful first.

        Equal arguments, with a generator in the same state, give the same choice. The global
        generators of Python, NumPy and torch are seeded from it and put back afterwards.

        Args:
            pool: N candidates.
            budget: How many to choose, from 1 to N.
            generator: For all that is random.

        Returns:
            ``budget`` different candidates.

        Called:
            By ``rdfc suggest``, once; and by the simulation (``evaluate.query_strategies``) once
            for each number of labels, repetition and split, on training cases alone.
        """
