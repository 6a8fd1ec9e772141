"""Promises of an evaluator, on a few cases."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TypeVar, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from rdfc_core.contract.global_state import own_generators
from rdfc_core.contract.promises import require
from rdfc_core.errors import ContractError, RdfcError, out_of_memory
from rdfc_core.interfaces.collated import alike
from rdfc_core.interfaces.evaluator import (
    Evaluator,
    EvaluatorCases,
    Input,
    Labels,
    Predictor,
    Role,
)
from rdfc_core.interfaces.metric import Task

T = TypeVar("T")

NEAR = 1e-5
"""How far probabilities may be apart that have to be equal: threads add in another order."""
SUM = 1e-4
"""How far the sum of a row may be from 1: single precision, over many classes."""


def fitted(evaluator: Evaluator, cases: EvaluatorCases, labels: Labels, seed: int) -> Predictor:
    """What an evaluator has learnt.

    Args:
        evaluator: Built.
        cases: That it learns from.
        labels: Theirs.
        seed: Of what is random, also by global generators, which are put back.

    Raises:
        ContractError: If it raises, or gives nothing that predicts.
    """
    who = f"{type(evaluator).__name__}.fit()"
    with own_generators(seed, who):
        found = _asked(lambda: evaluator.fit(cases, labels, seed), who)
    require(
        callable(getattr(found, "predict", None)),
        f"{who} gave {type(found).__name__}; give an object with a method predict(cases).",
    )
    return found


def predicted(
    predictor: Predictor, cases: EvaluatorCases, classes: int, seed: int, who: str
) -> NDArray[np.float64]:
    """What a predictor says of cases: (n, C) probabilities, or (n, 1) numbers.

    Args:
        predictor: As `fitted` gives it.
        cases: That are asked for.
        classes: C; 0 in regression.
        seed: Of what is random by global generators, which are put back.
        who: The evaluator's class.

    Raises:
        ContractError: If it raises, or gives anything but probabilities, or numbers.
    """
    who = f"{who}'s predict()"
    with own_generators(seed, who):
        given = _asked(lambda: predictor.predict(cases), who)
    found = np.asarray(given)
    if not classes:
        require(
            found.shape == (len(cases),) and found.dtype.kind == "f" and np.isfinite(found).all(),
            f"{who} gave {found.dtype} {found.shape} for {len(cases)} cases, or NaN or infinity; "
            f"give finite numbers, ({len(cases)},).",
        )
        return found.astype(np.float64)[:, None]
    require(
        found.shape == (len(cases), classes) and found.dtype.kind == "f",
        f"{who} gave {found.dtype} {found.shape} for {len(cases)} cases; give probabilities of all "
        f"classes, ({len(cases)}, {classes}).",
    )
    found = found.astype(np.float64)
    require(np.isfinite(found).all(), f"{who} gave NaN or infinite probabilities.")
    sums = found.sum(axis=1, keepdims=True)
    require(
        (found >= 0).all() and np.allclose(sums, 1, rtol=0, atol=SUM),
        f"{who} gave rows that are no probabilities (the first: {found[:1].round(3).tolist()}); "
        "they have to be at least 0 and sum to 1.",
    )
    return np.asarray(found / sums)


def require_described(evaluator: Evaluator) -> None:
    """An evaluator says what it looks at, and what it is.

    Raises:
        ContractError: If it does not.
    """
    who = type(evaluator).__name__
    inputs = getattr(evaluator, "inputs", None)
    known = get_args(Input)
    require(
        isinstance(inputs, tuple)
        and all(one in known for one in inputs)
        and len(set(inputs)) == len(inputs),
        f"{who}.inputs is {inputs!r:.80}; give a tuple of {', '.join(known)}, or ().",
    )
    tasks = evaluator.tasks
    require(
        isinstance(tasks, tuple) and tasks and all(one in get_args(Task) for one in tasks),
        f"{who}.tasks is {tasks!r:.80}; give a tuple of {', '.join(get_args(Task))}.",
    )
    require(
        evaluator.role in get_args(Role),
        f"{who}.role is {evaluator.role!r}; use one of {', '.join(get_args(Role))}.",
    )


def require_evaluator(evaluator: Evaluator, cases: EvaluatorCases, labels: Labels) -> None:
    """Check an evaluator on a few cases, of all classes and of all but the last of several.

    Args:
        evaluator: Built.
        cases: With its inputs.
        labels: Theirs: of at least two classes, or numbers.

    Raises:
        ContractError: If it gives anything but probabilities of all classes, says something else
            for the same seed, of a case beside others, or after another training, changes what it
            is given, or leaves the process otherwise than it was.
    """
    who, classes = type(evaluator).__name__, labels.classes
    own, taught = copy.deepcopy(cases), copy.deepcopy(labels)

    def say(predictor: Predictor, of: EvaluatorCases) -> NDArray[np.float64]:
        return predicted(predictor, of, classes, 0, who)

    predictor = fitted(evaluator, own, taught, 0)
    first = say(predictor, own)
    require(
        _same(own, cases)
        and np.array_equal(taught.truth, labels.truth)
        and np.array_equal(taught.weights, labels.weights),
        f"{who} changed the cases or labels that it was given; work on copies.",
    )
    again = say(fitted(evaluator, copy.deepcopy(cases), copy.deepcopy(labels), 0), cases)
    require(
        np.allclose(first, again, 0, NEAR),
        f"{who} said something else of the same cases for the same seed; take what is random from "
        "the seed that is given.",
    )
    half = np.arange(0, len(cases), 2)
    require(
        np.allclose(say(predictor, chosen(cases, half)), first[half], 0, NEAR),
        f"{who} says something else of a case when others are asked beside it; what it learns has "
        "to come from fit() alone.",
    )
    # Of two classes, no part that is learnt from lacks one.
    rest = np.arange(len(cases))
    if classes > 2:
        rest = rest[labels.truth != classes - 1]
    fewer = Labels(labels.truth[rest], labels.weights[rest], classes)
    say(fitted(evaluator, chosen(cases, rest), fewer, 1), cases)
    require(
        np.allclose(say(predictor, cases), first, 0, NEAR),
        f"{who}.fit() changed what an earlier fit() gave; give a new predictor every time.",
    )


def chosen(cases: EvaluatorCases, rows: NDArray[np.int64]) -> EvaluatorCases:
    """Some of the cases, copied.

    Args:
        cases: n cases.
        rows: Their places.
    """
    from rdfc_core.interfaces.collated import rows as of_rows

    table = cases.handcrafted
    return EvaluatorCases(
        patients=tuple(cases.patients[row] for row in rows),
        features={name: one[rows] for name, one in cases.features.items()},
        embeddings={name: one[rows] for name, one in cases.embeddings.items()},
        handcrafted=table[rows] if table.size else np.zeros((len(rows), 0)),
        names=cases.names,
        columns={name: one[rows] for name, one in cases.columns.items()},
        views={name: of_rows(one, rows) for name, one in cases.views.items()},
    )


def _asked(what: Callable[[], T], who: str) -> T:
    try:
        return what()
    except (RdfcError, ContractError):
        raise
    except Exception as error:
        if out_of_memory(error):
            raise
        raise ContractError(f"{who} raised {type(error).__name__}: {error}.") from error


def _same(one: EvaluatorCases, other: EvaluatorCases) -> bool:
    def equal(a: torch.Tensor, b: torch.Tensor) -> bool:
        return a.shape == b.shape and torch.equal(torch.nan_to_num(a), torch.nan_to_num(b))

    tables = ("features", "embeddings", "columns")
    return (
        all(
            np.array_equal(table, getattr(other, field)[name], equal_nan=True)
            for field in tables
            for name, table in getattr(one, field).items()
        )
        and np.array_equal(one.handcrafted, other.handcrafted, equal_nan=True)
        and one.views.keys() == other.views.keys()
        and all(alike(cases, other.views[name], equal) for name, cases in one.views.items())
    )
