"""Promises of a query strategy, on a few cases. No torch."""

from __future__ import annotations

import copy
import math

import numpy as np
from numpy.typing import NDArray

from rdfc_core.contract.global_state import own_generators
from rdfc_core.contract.promises import require
from rdfc_core.errors import ContractError, RdfcError, out_of_memory
from rdfc_core.interfaces.query_strategy import Query, QueryPool, QueryStrategy

LONGEST_REASON = 200
CANDIDATES, LABELLED, WIDTH = 30, 8, 6


def chosen(strategy: QueryStrategy, pool: QueryPool, budget: int, seed: int) -> list[Query]:
    """What a strategy chooses, held to its form.

    Args:
        strategy: Built.
        pool: The candidates.
        budget: How many are asked for, at most as many as there are.
        seed: Of what is random, also by global generators, which are put back.

    Raises:
        ContractError: If it raises, or gives anything but different candidates with reasons.
    """
    who = f"{type(strategy).__name__}.choose()"
    with own_generators(seed, who):
        try:
            given = list(strategy.choose(pool, budget, np.random.default_rng(seed)))
        except (RdfcError, ContractError):
            raise
        except Exception as error:
            if out_of_memory(error):
                raise
            raise ContractError(f"{who} raised {type(error).__name__}: {error}.") from error
    require(
        all(isinstance(one, Query) for one in given),
        f"{who} gave something else than rdfc_core.interfaces.Query; give one a candidate.",
    )
    require(
        len(given) == budget,
        f"{who} gave {len(given)} candidates and was asked for {budget}; give as many as asked.",
    )
    places = [int(one.place) for one in given]
    require(
        all(0 <= place < len(pool) for place in places),
        f"{who} gave the place {max(places, key=abs)} of {len(pool)} candidates; give their rows.",
    )
    require(len(set(places)) == len(places), f"{who} gave a candidate twice; give different ones.")
    for one in given:
        text = one.reason
        require(
            isinstance(text, str) and len(text.strip()) > 0 and len(text) <= LONGEST_REASON,
            f"{who} gave the reason {text!r:.60}; say why in 1 to {LONGEST_REASON} characters.",
        )
        require(
            "\n" not in text and not math.isinf(one.score),
            f"{who} gave a reason of several lines, or an infinite score; one line, and NaN where "
            "there is no score.",
        )
    return [
        Query(place, one.reason, float(one.score)) for place, one in zip(places, given, strict=True)
    ]


def require_query_strategy(strategy: QueryStrategy, pool: QueryPool) -> None:
    """Check a strategy on a few candidates: some of them, all of them, one; cold and with labels.

    Args:
        strategy: Built.
        pool: With labels of two classes, and probabilities.

    Raises:
        ContractError: If it gives anything but different candidates with reasons, chooses others
            for the same generator, changes what it is given, depends on what it chose before, or
            leaves the process otherwise than it was.
    """
    who = type(strategy).__name__
    require(
        isinstance(strategy.needs_model, bool),
        f"{who}.needs_model is {strategy.needs_model!r}; use True or False.",
    )
    some = max(1, len(pool) // 3)
    own = copy.deepcopy(pool)
    first = chosen(strategy, own, some, 0)
    require(
        np.array_equal(own.embeddings, pool.embeddings)
        and np.array_equal(own.labelled, pool.labelled)
        and np.array_equal(own.truth, pool.truth)
        and _equal(own.probabilities, pool.probabilities),
        f"{who}.choose() changed what it was given; work on copies.",
    )
    for budget in (1, len(pool)):
        chosen(strategy, copy.deepcopy(pool), budget, 1)
    if not strategy.needs_model:
        width = pool.embeddings.shape[1]
        cold = QueryPool(pool.embeddings.copy(), pool.patients, np.zeros((0, width)))
        for budget in (some, len(cold)):
            chosen(strategy, cold, budget, 2)
    alike = QueryPool(
        np.repeat(pool.embeddings[:1], len(pool), axis=0),
        pool.patients,
        pool.labelled.copy(),
        pool.labelled_patients,
        pool.truth.copy(),
        pool.classes,
        None if pool.probabilities is None else np.repeat(pool.probabilities[:1], len(pool), 0),
    )
    chosen(strategy, alike, some, 3)
    again = chosen(strategy, copy.deepcopy(pool), some, 0)
    require(
        [one.place for one in first] == [one.place for one in again],
        f"{who}.choose() chose others for the same candidates and the same generator; take what "
        "is random from the generator that is given, and keep nothing from call to call.",
    )


def _equal(one: NDArray[np.float64] | None, other: NDArray[np.float64] | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))


def example_pool() -> QueryPool:
    """Three heaps of candidates, two cases a patient, and labelled cases of two of the heaps."""
    rng = np.random.default_rng(0)
    heaps = np.eye(3, WIDTH)

    def cases(count: int, kinds: int) -> NDArray[np.float64]:
        rows = heaps[np.arange(count) % kinds] + 0.2 * rng.normal(size=(count, WIDTH))
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))

    return QueryPool(
        embeddings=cases(CANDIDATES, 3),
        patients=tuple(f"patient-{place // 2}" for place in range(CANDIDATES)),
        labelled=cases(LABELLED, 2),
        labelled_patients=tuple(f"known-{place}" for place in range(LABELLED)),
        truth=np.arange(LABELLED) % 2,
        classes=("benign", "malignant"),
        probabilities=rng.dirichlet((1, 1), CANDIDATES),
    )
