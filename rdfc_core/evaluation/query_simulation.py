"""Labels bought one batch after another, on training cases whose labels are known: what for?

No test case is seen by a strategy: it is asked about training cases, with the labels that it has
bought and no other. The test cases judge the linear probe that these labels train.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.config.query_settings import QueryingSettings
from rdfc_core.contract.query_strategies import chosen
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.linear_probe import LabelledSplit, main_classifier
from rdfc_core.evaluation.query_pool import PoolCases
from rdfc_core.evaluation.random_queries import RandomQueries
from rdfc_core.evaluation.tasks import task_of
from rdfc_core.interfaces import QueryStrategy
from rdfc_core.models.linear_model import FeatureTables
from rdfc_core.plugin.attribution import held_to_contract
from rdfc_core.plugin.component import NoOptions
from rdfc_core.results.vocabulary import FEATURES, RANDOM_QUERIES
from rdfc_core.utils.progress import Advance

SEEDS = 1_000_003
"""Seeds of repetitions and batches lie so far apart that no two are one."""


class Bought(NamedTuple):
    """A strategy, and how many labels it bought."""

    strategy: str
    labels: int


def with_random(strategies: Mapping[str, QueryStrategy]) -> dict[str, QueryStrategy]:
    """The strategies, and the random draws that they are compared with."""
    return {RANDOM_QUERIES: RandomQueries(NoOptions()), **strategies}


def simulate(
    data: LabelledSplit,
    features: FeatureTables,
    classes: Sequence[str],
    strategies: Mapping[str, QueryStrategy],
    advance: Advance,
) -> Iterator[tuple[Bought, Prediction]]:
    """What a linear probe says of the test cases, at each number of labels that a strategy bought.

    Args:
        data: The labelled cases of a split.
        features: View → (N, F), what the towers make of them.
        classes: Names.
        strategies: By the names of their rows; random draws among them.
        advance: Told of each repetition of a strategy.
    """
    train = len(data.split.train)
    patients = [case.patient_id for case in data.cases[:train]]
    own = {name: one[:train] for name, one in features.items()}
    cases = PoolCases.of(own, patients, classes, data.settings.label_unit)
    for repeat in range(data.settings.querying.repeats):
        for name, strategy in strategies.items():
            for count, bought in purchases(
                cases,
                data.truth[:train].astype(np.int64),
                strategy,
                data.settings.querying,
                SEEDS * (data.seed + 1) + 1009 * repeat,
                lambda rows: probe(data, features, rows),
            ):
                said = probe(data, features, np.array(bought))[train:]
                labelled = np.array(bought, np.int64)
                yield Bought(name, count), data.prediction(said, repeat, labelled)
            advance(1)


def purchases(
    cases: PoolCases,
    truth: NDArray[np.int64],
    strategy: QueryStrategy,
    settings: QueryingSettings,
    seed: int,
    teach: Callable[[NDArray[np.int64]], NDArray[np.float64]],
) -> Iterator[tuple[int, list[int]]]:
    """Buy labels, batch after batch.

    Args:
        cases: M training cases.
        truth: Their class indices, (M,), told to the strategy as far as they are bought.
        strategy: Says which.
        settings: Says how many.
        seed: Of what is random.
        teach: From places of labelled cases to what is then said of all cases, (≥ M, C).

    Yields:
        How many labels were bought in all, and the places of their cases.
    """
    draws: QueryStrategy = RandomQueries(NoOptions())
    units, bought, paid = cases.units(range(len(truth))), list[int](), 0
    for step, count in enumerate(settings.labels):
        if count - paid > len(units):
            return
        known = np.array(bought, np.int64)
        said = None
        if len(np.unique(truth[known])) > 1:
            said = teach(known)[: len(truth)]
        pool = cases.pool(units, bought, truth[known], said)
        asked = draws if strategy.needs_model and said is None else strategy
        with held_to_contract(asked):
            queries = chosen(asked, pool, count - paid, seed + step)
        taken = {one.place for one in queries}
        bought += [place for one in queries for place in units[one.place]]
        units = [unit for place, unit in enumerate(units) if place not in taken]
        paid = count
        yield count, list(bought)


def probe(
    data: LabelledSplit, features: FeatureTables, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """What the linear probe of some labelled cases says of all, (N, C)."""
    truth = data.truth.astype(np.int64)
    return taught(data.settings, data.seed, features, truth, rows, data.classes)


def taught(
    settings: EvaluateSettings,
    seed: int,
    features: FeatureTables,
    truth: NDArray[np.int64],
    rows: NDArray[np.int64],
    classes: int,
) -> NDArray[np.float64]:
    """What the linear probe of some labelled cases says of all; of one class alone, that class.

    Args:
        settings: Names the probe.
        seed: Of what is random in it.
        features: View → (N, F).
        truth: Class indices of at least the labelled cases.
        rows: Places of the labelled cases.
        classes: C.

    Returns:
        (N, C).
    """
    if len(np.unique(truth[rows])) == 1:
        certain = np.zeros((len(next(iter(features.values()))), classes))
        certain[:, truth[rows[0]]] = 1
        return certain
    learner = task_of(settings).classifier(main_classifier(settings), settings, seed, FEATURES)
    learner.fit({name: one[rows] for name, one in features.items()}, truth[rows], classes)
    return learner.predict(features)
