"""The check of query strategies: what a sound one passes, and what a broken one is told."""

from __future__ import annotations

import re

import numpy as np
import pytest

from rdfc_core.evaluation.random_queries import RandomQueries
from rdfc_core.interfaces import Query, QueryStrategy
from rdfc_core.plugin.component import NoOptions
from rdfc_core.testing import check_query_strategy


class Sound(QueryStrategy):
    """Sound, but for what is done to it below."""

    def choose(self, pool, budget, generator):
        order = generator.permutation(len(pool))[:budget]
        return [Query(int(place), "because") for place in order]


class Fewer(Sound):
    def choose(self, pool, budget, generator):
        return super().choose(pool, budget, generator)[: max(1, budget - 1)]


class Twice(Sound):
    def choose(self, pool, budget, generator):
        return [Query(0, "because")] * budget


class Beyond(Sound):
    def choose(self, pool, budget, generator):
        return [Query(len(pool) + k, "because") for k in range(budget)]


class Silent(Sound):
    def choose(self, pool, budget, generator):
        return [Query(one.place, " ") for one in super().choose(pool, budget, generator)]


class Changes(Sound):
    def choose(self, pool, budget, generator):
        pool.embeddings[0] = 0
        return super().choose(pool, budget, generator)


class Remembers(Sound):
    def __init__(self):
        self.calls = 0

    def choose(self, pool, budget, generator):
        self.calls += 1
        return [Query((k + self.calls) % len(pool), "because") for k in range(budget)]


class OfItsOwn(Sound):
    def choose(self, pool, budget, generator):
        return super().choose(pool, budget, np.random.default_rng())


class NeedsProbabilities(Sound):
    """Asks a model, and does not say so."""

    def choose(self, pool, budget, generator):
        order = np.argsort(pool.probabilities[:, 0])[:budget]
        return [Query(int(place), "because") for place in order]


class SaysSo(NeedsProbabilities):
    needs_model = True


class Plain(Sound):
    def choose(self, pool, budget, generator):
        return [int(place) for place in generator.permutation(len(pool))[:budget]]


@pytest.mark.parametrize("strategy", [RandomQueries(NoOptions()), Sound(), SaysSo()])
def test_a_sound_one_passes(strategy):
    check_query_strategy(strategy)


@pytest.mark.parametrize(
    ("strategy", "told"),
    [
        (Fewer(), "gave 9 candidates and was asked for 10"),
        (Twice(), "gave a candidate twice"),
        (Beyond(), "of 30 candidates; give their rows"),
        (Silent(), "gave the reason ' '"),
        (Changes(), "changed what it was given"),
        (Remembers(), "chose others for the same candidates"),
        (OfItsOwn(), "chose others for the same candidates"),
        (NeedsProbabilities(), "raised TypeError"),
        (Plain(), "something else than rdfc_core.interfaces.Query"),
    ],
    ids=lambda one: one if isinstance(one, str) else type(one).__name__,
)
def test_a_broken_one_is_told(strategy, told):
    with pytest.raises(AssertionError, match=re.escape(told)):
        check_query_strategy(strategy)
