"""Metric: one number that says how good predictions are."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

Task = Literal["classification", "regression"]
"""What is predicted: one of several classes, or a number."""


class Metric(ABC):
    """Scores what a method said of held-back cases. Built as ``Class(config)``.

    Write ``values``, for all resamples of the bootstrap at once, or ``score`` alone, as
    scikit-learn writes its metrics: ``values`` then calls it for one resample after another.

    A metric depends on nothing but its arguments, and in no way on the order of cases.

    Attributes:
        title: How tables head it, up to 40 letters; where an option decides, such as the positive
            class, an attribute of the object.
        task: ``classification`` or ``regression``: which predictions it takes.
        higher_is_better: Whether more is better.
        bounds: The lowest and the highest value that it can have; infinite where there is no bound.
    """

    title: str
    task: ClassVar[Task] = "classification"
    higher_is_better: ClassVar[bool] = True
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def set_classes(self, classes: Sequence[str]) -> None:  # noqa: B027  nothing by default
        """Look up what concerns single classes, such as which of them is the positive one.

        Args:
            classes: Their names, in the order of the columns of predictions.

        Raises:
            StudyError: If the metric is not defined for them, or an option names none of them.

        Called:
            Once in each process, before anything is scored; in classification alone.
        """

    def values(
        self,
        truth: NDArray[np.int64] | NDArray[np.float64],
        predictions: NDArray[np.float64],
        weights: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """The metric for every weighting of the cases.

        A resample is a weighting: a case that was drawn twice has the weight 2 and counts as two
        equal rows, one that was not drawn has 0.

        Args:
            truth: Class indices, (N,), or in regression numbers, (N,).
            predictions: Class probabilities, (N, C), whose rows sum to 1, or in regression numbers,
                (N,).
            weights: Whole numbers from 0 on, (R, N), one weighting a row.

        Returns:
            (R,) in the metric's own unit; NaN where a weighting leaves it undefined, as AUROC
            without cases of one class. Finite where all cases count once and no class is missing.

        Called:
            For each variant of a method, with up to a million weights at a time.
        """
        if type(self).score is Metric.score:
            raise NotImplementedError("neither values() nor score() is written; write one of them")
        found = np.full(len(weights), np.nan)
        for place, row in enumerate(weights):
            drawn = np.repeat(np.arange(len(truth)), row.astype(np.int64))
            if len(drawn):
                found[place] = self.score(truth[drawn], predictions[drawn])
        return found

    def score(
        self,
        truth: NDArray[np.int64] | NDArray[np.float64],
        predictions: NDArray[np.float64],
    ) -> float:
        """The metric of these cases, which may be resampled ones: rows repeat.

        A resample of few cases may lack a class. By default what `values` says of equal weights.

        Args:
            truth: As for `values`, at least one case.
            predictions: As for `values`.

        Returns:
            A number; NaN where it is undefined.

        Called:
            By `values`, once a resample: a thousand times for each variant of a method.
        """
        return float(self.values(truth, predictions, np.ones((1, len(truth))))[0])
