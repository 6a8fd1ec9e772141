"""Strategies that look at what a model says of the candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rdfc_core import NoOptions
from rdfc_core.interfaces import Query, QueryPool, QueryStrategy
from rdfc_query_strategies.cold import TypiClust, filled
from rdfc_query_strategies.config import TypiClustConfig, UncertainTypiClustConfig
from rdfc_query_strategies.library import asked, said, seed_of


class Margin(QueryStrategy):
    """The cases whose two likeliest classes are closest."""

    needs_model = True

    def __init__(self, config: NoOptions) -> None:
        self.config = config

    def choose(
        self, pool: QueryPool, budget: int, generator: np.random.Generator
    ) -> Sequence[Query]:
        """Rank by the margin; ties by the generator."""
        doubt = doubts(pool)
        order = np.lexsort((generator.random(len(pool)), -doubt))[:budget]
        return [Query(place, wavers(pool, place), float(doubt[place])) for place in order.tolist()]


class Badge(QueryStrategy):
    """Cases that would change the model most, and in different ways (Ash et al. 2020)."""

    needs_model = True

    def __init__(self, config: NoOptions) -> None:
        self.config = config

    def choose(
        self, pool: QueryPool, budget: int, generator: np.random.Generator
    ) -> Sequence[Query]:
        """k-means++ on the gradients of the last layer."""
        from skactiveml.pool import Badge as Library

        strategy = Library(random_state=seed_of(generator))
        places, _ = asked(strategy, pool, budget, clf=said(pool), fit_clf=False)
        doubt = doubts(pool)
        found = [
            Query(
                place, f"differs from those before it; {wavers(pool, place)}", float(doubt[place])
            )
            for place in places.tolist()
        ]
        return filled(found, pool, budget, generator)


class UncertainTypiClust(QueryStrategy):
    """TypiClust among the candidates that the model doubts most."""

    needs_model = True

    def __init__(self, config: UncertainTypiClustConfig) -> None:
        self.config = config

    def choose(
        self, pool: QueryPool, budget: int, generator: np.random.Generator
    ) -> Sequence[Query]:
        """Keep the most doubtful share, at least as many as are asked for; then TypiClust."""
        kept = max(budget, round(self.config.share * len(pool)))
        order = np.lexsort((generator.random(len(pool)), -doubts(pool)))[:kept]
        own = replace(
            pool,
            embeddings=pool.embeddings[order],
            patients=tuple(pool.patients[place] for place in order),
            probabilities=None,
        )
        found = TypiClust(self.config).choose(own, budget, generator)
        return [
            replace(
                one,
                place=int(order[one.place]),
                reason=f"{one.reason}; {wavers(pool, int(order[one.place]))}",
            )
            for one in found
        ]


def doubts(pool: QueryPool) -> NDArray[np.float64]:
    """(N,), 1 where two classes are equally likely, 0 where one is certain."""
    from skactiveml.pool import uncertainty_scores

    return np.asarray(uncertainty_scores(pool.probabilities, method="margin_sampling"))


def wavers(pool: QueryPool, place: int) -> str:
    """``the model says malignant 52 %, benign 48 %``."""
    assert pool.probabilities is not None
    row = pool.probabilities[place]
    first, second = np.argsort(-row, kind="stable")[:2]
    told = ", ".join(f"{short(pool.classes[one])} {row[one]:.0%}" for one in (first, second))
    return f"the model says {told}".replace("%", " %")


def short(name: str) -> str:
    """A class name that leaves room for the rest of the reason."""
    return name if len(name) <= 24 else f"{name[:23]}…"


class Auto(QueryStrategy):
    """The default: TypiClust, which is published as better than random draws for few labels."""

    def __init__(self, config: NoOptions) -> None:
        self.config = config

    def choose(
        self, pool: QueryPool, budget: int, generator: np.random.Generator
    ) -> Sequence[Query]:
        """TypiClust."""
        return TypiClust(TypiClustConfig()).choose(pool, budget, generator)
