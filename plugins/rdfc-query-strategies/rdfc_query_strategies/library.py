"""What strategies of scikit-activeml are given, and what they give."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.interfaces import QueryPool

Found = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Places among the candidates, (n,), and what each was chosen by."""


def asked(strategy: Any, pool: QueryPool, budget: int, **more: Any) -> Found:
    """What a strategy of scikit-activeml chooses from the pool.

    Args:
        strategy: Built, for missing labels that are NaN.
        pool: Candidates, and what is labelled.
        budget: How many.
        more: Further arguments of its ``query``.

    Returns:
        Different candidates. Where the library names one twice, as it may where cases are alike,
        there are fewer.
    """
    rows = np.concatenate([pool.embeddings, pool.labelled])
    known = np.concatenate([np.full(len(pool), np.nan), pool.truth.astype(np.float64)])
    with warnings.catch_warnings():
        # That cases are alike, or that no radius is pure: what is chosen then is told by reasons.
        warnings.simplefilter("ignore")
        places, utilities = strategy.query(
            rows, known, batch_size=budget, return_utilities=True, **more
        )
    places = np.asarray(places, np.int64)
    scores = utilities[np.arange(len(places)), places]
    _, first = np.unique(places, return_index=True)
    kept = np.sort(first)
    return places[kept], np.asarray(scores[kept], np.float64)


def seed_of(generator: np.random.Generator) -> int:
    """A seed for libraries that take a number."""
    return int(generator.integers(2**31))


def said(pool: QueryPool) -> Any:
    """A classifier of scikit-activeml that says of the candidates what the pool's probe says."""
    from skactiveml.base import SkactivemlClassifier

    class Said(SkactivemlClassifier):  # type: ignore[misc]  # the library is untyped
        """Asked of all unlabelled cases at once, which are the candidates in their order."""

        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:  # noqa: N803
            return self

        def predict_proba(self, X: Any) -> Any:  # noqa: N803
            return pool.probabilities

    return Said(classes=list(range(len(pool.classes))))
