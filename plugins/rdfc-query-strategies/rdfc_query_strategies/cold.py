"""Strategies that look at embeddings alone, and need no label to begin with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rdfc_core import NoOptions
from rdfc_core.interfaces import Query, QueryPool, QueryStrategy
from rdfc_query_strategies.config import MaxHerdingConfig, ProbCoverConfig, TypiClustConfig
from rdfc_query_strategies.library import asked, seed_of

LEFT_OVER = "drawn at random, since the rest are alike"
RADII = 40
"""Radii that are tried, between none and a quarter of the distances of two cases."""
LEAST = 1e-9


class TypiClust(QueryStrategy):
    """The most typical case of each large cluster that has no label (Hacohen et al. 2022)."""

    def __init__(self, config: TypiClustConfig) -> None:
        self.config = config

    def choose(
        self, pool: QueryPool, budget: int, generator: np.random.Generator
    ) -> Sequence[Query]:
        """As many clusters as there are labels, old and new; the largest without one first."""
        from skactiveml.pool import TypiClust as Library

        strategy = Library(random_state=seed_of(generator), k=self.config.neighbours)
        places, scores = asked(strategy, pool, budget)
        known = "no labelled case" if len(pool.labelled) else "no case chosen before it"
        found = [
            Query(place, f"typical of a group of similar cases with {known}", score)
            for place, score in zip(places.tolist(), scores.tolist(), strict=True)
        ]
        return filled(found, pool, budget, generator)


class ProbCover(QueryStrategy):
    """The case with most others within a radius that nothing labelled covers (Yehuda et al. 2022).

    The radius is the widest within which nearly all cases have neighbours of one cluster alone.
    """

    def __init__(self, config: ProbCoverConfig) -> None:
        self.config = config

    def choose(
        self, pool: QueryPool, budget: int, generator: np.random.Generator
    ) -> Sequence[Query]:
        """Greedily, the case that covers most."""
        from skactiveml.pool import ProbCover as Library

        strategy = Library(
            n_classes=max(2, len(pool.classes)),
            deltas=radii(np.concatenate([pool.embeddings, pool.labelled])),
            alpha=self.config.purity,
            random_state=seed_of(generator),
        )
        places, scores = asked(strategy, pool, budget)
        found = [
            Query(
                place,
                f"covers {score:.0f} cases that no labelled or chosen case is close to"
                if score > 1
                else "close to no labelled or chosen case"
                if score == 1
                else "left over: every case is close to a labelled or chosen one",
                score,
            )
            for place, score in zip(places.tolist(), scores.tolist(), strict=True)
        ]
        return filled(found, pool, budget, generator)


class CoreSet(QueryStrategy):
    """The case furthest from everything labelled or chosen (k-centre; Sener & Savarese 2018)."""

    def __init__(self, config: NoOptions) -> None:
        self.config = config

    def choose(
        self, pool: QueryPool, budget: int, generator: np.random.Generator
    ) -> Sequence[Query]:
        """Greedily, the furthest case."""
        from skactiveml.pool import CoreSet as Library

        places, scores = asked(Library(random_state=seed_of(generator)), pool, budget)
        found: list[Query] = []
        for place, score in zip(places.tolist(), scores.tolist(), strict=True):
            first = not len(pool.labelled) and not found
            far = f"furthest from everything labelled or chosen (distance {score:.2f})"
            found.append(Query(place, "begins, at random" if first else far, score))
        return filled(found, pool, budget, generator)


class MaxHerding(QueryStrategy):
    """The case that stands for most of what no label stands for yet (Bae et al. 2024)."""

    def __init__(self, config: MaxHerdingConfig) -> None:
        self.config = config

    def choose(
        self, pool: QueryPool, budget: int, generator: np.random.Generator
    ) -> Sequence[Query]:
        """Greedily, the case that adds most to how well all are represented."""
        from skactiveml.pool import MaxHerding as Library

        width = self.config.width * median_distance(pool.embeddings)
        strategy = Library(
            random_state=seed_of(generator),
            metric_dict={"gamma": 1 / max(LEAST, 2 * width**2)},
        )
        places, scores = asked(strategy, pool, budget)
        found = [
            Query(place, f"stands for {score * len(pool):.1f} cases without a label", score)
            for place, score in zip(places.tolist(), scores.tolist(), strict=True)
        ]
        return filled(found, pool, budget, generator)


def filled(
    found: list[Query], pool: QueryPool, budget: int, generator: np.random.Generator
) -> list[Query]:
    """The choice, with random draws where a strategy found no more that differ."""
    taken = {one.place for one in found}
    rest = [place for place in generator.permutation(len(pool)).tolist() if place not in taken]
    return [*found, *(Query(place, LEFT_OVER) for place in rest[: budget - len(found)])]


def distances(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of every two rows, each pair once."""
    from scipy.spatial.distance import pdist

    return np.asarray(pdist(rows))


def median_distance(rows: NDArray[np.float64]) -> float:
    """Of two rows; 1 where there is but one."""
    found = distances(rows)
    return float(np.median(found)) if found.size else 1.0


def radii(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Radii to try, from none to a quarter of the distances, denser where few pairs lie within."""
    found = distances(rows)
    if not found.size:
        return np.array([1.0])
    return np.unique(np.r_[0.0, np.quantile(found, np.linspace(0, 0.5, RADII + 1)[1:] ** 2)])
