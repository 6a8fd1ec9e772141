"""Promises of a metric, on a few made-up predictions. No torch."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from rdfc_core.contract.global_state import left_alone
from rdfc_core.contract.promises import require
from rdfc_core.errors import ContractError, RdfcError, out_of_memory
from rdfc_core.interfaces.metric import Metric, Task

LONGEST_TITLE = 40
CASES_A_CLASS, RESAMPLES = 12, 5
NEAR = 1e-6
"""How far sums in another order may be apart, of a value and of 1."""


@dataclass(frozen=True)
class _Said:
    """Made-up cases, and what was said of them."""

    truth: NDArray[Any]
    predictions: NDArray[np.float64]

    def at(self, places: NDArray[np.int64]) -> _Said:
        return _Said(self.truth[places], self.predictions[places])


def values_of(
    metric: Metric,
    truth: NDArray[Any],
    predictions: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """What a metric says, held to its form.

    Args:
        metric: Built; it knows the classes.
        truth: (N,).
        predictions: (N, C), or (N,) in regression.
        weights: (R, N).

    Returns:
        (R,), NaN where it is undefined.

    Raises:
        ContractError: If it raises, or gives anything but finite numbers and NaN.
    """
    who = f"{type(metric).__name__}.values()"
    try:
        # What is undefined is NaN, and needs no warning for each of a thousand resamples.
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            given = metric.values(truth, predictions, weights)
    except RdfcError:
        raise
    except Exception as error:
        if out_of_memory(error):
            raise
        raise ContractError(
            f"{who} raised {type(error).__name__}: {error}. Give NaN where the metric is undefined."
        ) from error
    found = np.asarray(given)
    require(
        found.shape == (len(weights),) and found.dtype.kind in "fiub",
        f"{who} gave {found.dtype} {found.shape} for {len(weights)} weightings; give numbers "
        f"({len(weights)},).",
    )
    found = found.astype(np.float64)
    require(
        not np.isinf(found).any(),
        f"{who} gave infinity; give NaN where the metric is undefined, or clip.",
    )
    low, high = metric.bounds
    beyond = found[(found < low - NEAR) | (found > high + NEAR)]
    require(
        not beyond.size,
        f"{who} gave {beyond[:1]}, which is out of its bounds {low:g} to {high:g}; correct one of "
        "them.",
    )
    return found


def require_metric(metric: Metric, classes: int = 2) -> None:
    """Check a metric on made-up predictions: random, certain, all right, all wrong, of one class.

    Args:
        metric: Built; it knows the classes.
        classes: How many there are.

    Raises:
        ContractError: If it is undefined where it has to be a number, depends on the order of
            cases, takes a weight of 2 for anything but a repeated row, changes what it is given,
            says something else when it is asked again, or touches the state of the process.
    """
    who = type(metric).__name__
    _require_described(metric, who)
    said = _made_up(metric.task, classes)
    cases = len(said.truth)
    rng = np.random.default_rng(1)
    drawn = rng.multinomial(cases, np.full(cases, 1 / cases), RESAMPLES).astype(np.float64)
    weights = np.concatenate([np.ones((1, cases)), drawn])
    given = [said.truth.copy(), said.predictions.copy(), weights.copy()]
    with left_alone(f"{who}.values()"):
        found = values_of(metric, given[0], given[1], given[2])
    require(
        all(
            np.array_equal(*two)
            for two in zip(given, (said.truth, said.predictions, weights), strict=True)
        ),
        f"{who}.values() changed the arrays that it was given; work on copies.",
    )
    require(
        np.isfinite(found[0]),
        f"{who}.values() gave NaN for {cases} cases of all classes; it has to be a number there.",
    )
    again = values_of(metric, said.truth, said.predictions, weights)
    require(
        np.array_equal(found, again, equal_nan=True),
        f"{who}.values() gave something else when it was asked again; draw nothing at random.",
    )
    _require_weights(metric, said, weights, found)
    _require_defined(metric, said, classes)


def _require_described(metric: Metric, who: str) -> None:
    title = getattr(metric, "title", None)
    require(
        isinstance(title, str) and len(title.strip()) > 0 and len(title) <= LONGEST_TITLE,
        f"{who}.title is {title!r:.60}; give a heading of up to {LONGEST_TITLE} letters.",
    )
    require(
        metric.task in get_args(Task),
        f"{who}.task is {metric.task!r}; use one of {', '.join(get_args(Task))}.",
    )
    require(
        isinstance(metric.higher_is_better, bool),
        f"{who}.higher_is_better is {metric.higher_is_better!r}; use True or False.",
    )
    bounds = metric.bounds
    require(
        isinstance(bounds, tuple)
        and len(bounds) == 2
        and all(isinstance(one, int | float) for one in bounds)
        and bounds[0] < bounds[1],
        f"{who}.bounds is {bounds!r:.60}; give the lowest and the highest value.",
    )
    require(
        type(metric).values is not Metric.values or type(metric).score is not Metric.score,
        f"{who} implements neither values() nor score(); write one of them.",
    )


def _made_up(task: Task, classes: int) -> _Said:
    """Cases of all classes in turn with random predictions, some of them equal."""
    rng = np.random.default_rng(0)
    cases = CASES_A_CLASS * classes
    if task == "regression":
        truth = rng.normal(size=cases)
        return _Said(truth, np.round(truth + rng.normal(size=cases), 1))
    predictions = np.round(rng.dirichlet(np.ones(classes), cases), 1)
    predictions[:, 0] += 1 - predictions.sum(axis=1)
    predictions = np.clip(predictions, 0, 1)
    return _Said(np.arange(cases) % classes, predictions / predictions.sum(axis=1, keepdims=True))


def _require_weights(
    metric: Metric, said: _Said, weights: NDArray[np.float64], found: NDArray[np.float64]
) -> None:
    """The order of cases means nothing, and a weight of 2 is a repeated row."""
    who = type(metric).__name__
    cases = len(said.truth)
    order = np.random.default_rng(2).permutation(cases)
    mixed = said.at(order)
    turned = values_of(metric, mixed.truth, mixed.predictions, weights[:, order])
    require(
        np.allclose(found, turned, NEAR, NEAR, equal_nan=True),
        f"{who}.values() depends on the order of the cases; it may not.",
    )
    for row, value in zip(weights, found, strict=True):
        rows = said.at(np.repeat(np.arange(cases), row.astype(np.int64)))
        repeated = values_of(metric, rows.truth, rows.predictions, np.ones((1, len(rows.truth))))
        require(
            np.allclose(value, repeated[0], NEAR, NEAR, equal_nan=True),
            f"{who}.values() gave {value:.6g} for weights and {repeated[0]:.6g} for the same cases "
            "as repeated rows; a weight of 2 has to count as two equal rows.",
        )
    if type(metric).score is not Metric.score:
        score = metric.score(said.truth, said.predictions)
        require(
            np.allclose(score, found[0], NEAR, NEAR),
            f"{who}.score() gave {score!r:.20} and values() {found[0]:.6g} for the same cases; "
            "leave one of them out.",
        )


def _require_defined(metric: Metric, said: _Said, classes: int) -> None:
    """A number or NaN, and no error, where methods are certain and where a class is missing."""
    weights = np.stack([np.ones(len(said.truth)), np.zeros(len(said.truth))])
    values_of(metric, said.truth, said.predictions, weights)
    if metric.task == "regression":
        values_of(metric, said.truth, said.truth, weights)
        values_of(metric, np.zeros_like(said.truth), said.predictions, weights)
        return
    certain = np.eye(classes)
    for shift in range(classes):
        values_of(metric, said.truth, certain[(said.truth + shift) % classes], weights)
        values_of(metric, np.full_like(said.truth, shift), said.predictions, weights)
