"""How far cases are from those that a model was trained on, feature by feature and as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LARGE = 0.5
"""A difference of means, in standard deviations of the training cases, that is called large."""
NEIGHBOUR = 5
"""The training case whose distance tells how far a case lies: the fifth nearest."""
FAMILIAR = 0.95
"""Share of familiar cases that lie within the distance beyond which a case is called unfamiliar."""
FOLDS = 5
LEAST = 20
"""Cases without which nothing is said of a distribution."""


@dataclass(frozen=True)
class FeatureDrift:
    """One feature here and among the training cases.

    Args:
        name: The feature.
        trained: Its mean among the training cases.
        here: Its mean here.
        difference: The difference in standard deviations of the training cases.
        ks: Largest distance of the two distribution functions (Kolmogorov–Smirnov), 0 to 1.
    """

    name: str
    trained: float
    here: float
    difference: float
    ks: float


def feature_drift(
    names: Sequence[str], trained: NDArray[np.float64], here: NDArray[np.float64]
) -> list[FeatureDrift]:
    """Every feature that both have, the largest difference first.

    Args:
        names: F features.
        trained: (N, F), NaN where a case lacks one.
        here: (M, F).
    """
    found = []
    for place, name in enumerate(names):
        a, b = (table[:, place][np.isfinite(table[:, place])] for table in (trained, here))
        if len(a) < 2 or not len(b):
            continue
        spread = float(a.std(ddof=1))
        if spread <= 1e-12 * max(1.0, abs(float(a.mean()))):
            continue  # a constant tells no scale
        difference = (float(b.mean()) - float(a.mean())) / spread
        found.append(FeatureDrift(name, float(a.mean()), float(b.mean()), difference, _ks(a, b)))
    return sorted(found, key=lambda one: -abs(one.difference))


def _ks(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    both = np.concatenate([a, b])
    of_a = np.searchsorted(np.sort(a), both, side="right") / len(a)
    of_b = np.searchsorted(np.sort(b), both, side="right") / len(b)
    return float(np.abs(of_a - of_b).max())


def told_apart(
    trained: NDArray[np.float32],
    here: NDArray[np.float32],
    patients: Sequence[str],
    seed: int,
) -> NDArray[np.float64]:
    """How surely a classifier that has not seen a case tells where it is from.

    Args:
        trained: (N, E) embeddings of training cases.
        here: (M, E).
        patients: (N + M,), whom no fold divides; those of different places are never alike.
        seed: Decides the folds.

    Returns:
        (N + M,), a probability of being from here: by its AUROC, 0.5 is indistinguishable.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    table = np.concatenate([trained, here]).astype(np.float64)
    place = np.repeat([0, 1], [len(trained), len(here)])
    regression = LogisticRegression(C=0.1, class_weight="balanced", max_iter=2000)
    cut = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    said = cross_val_predict(
        make_pipeline(StandardScaler(), regression),
        table,
        place,
        groups=list(patients),
        cv=cut,
        method="predict_proba",
    )
    return np.asarray(said[:, 1], np.float64)


def distances(
    trained: NDArray[np.float32], cases: NDArray[np.float32], leave_out: bool = False
) -> NDArray[np.float64]:
    """(M,): of each case, the distance to its fifth nearest training case.

    Args:
        trained: (N, E) embeddings of training cases.
        cases: (M, E).
        leave_out: Whether the cases are the training cases: the nearest is then each itself.
    """
    from sklearn.neighbors import NearestNeighbors

    wanted = min(NEIGHBOUR + leave_out, len(trained))
    near, _ = NearestNeighbors(n_neighbors=wanted).fit(trained).kneighbors(cases)
    return np.asarray(near[:, -1], np.float64)


def furthest_familiar(trained: NDArray[np.float32], held_back: NDArray[np.float32]) -> float:
    """The distance within which 95 % of familiar cases lie.

    Args:
        trained: (N, E) embeddings of training cases.
        held_back: (M, E) of cases of the same collection that were not trained on; where they are
            fewer than 20, the training cases themselves, each without itself.
    """
    if len(held_back) >= LEAST:
        return float(np.quantile(distances(trained, held_back), FAMILIAR))
    return float(np.quantile(distances(trained, trained, leave_out=True), FAMILIAR))
