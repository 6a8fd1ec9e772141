"""What the checks share: how they complain, compare, and pass things through pickle."""

from __future__ import annotations

import functools
import json
import pickle
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from rdfc_core.errors import RdfcError

T = TypeVar("T")
P = ParamSpec("P")


def require(condition: object, message: str) -> None:
    """Raise `AssertionError` with the message unless the condition holds.

    Not a bare ``assert``: these checks have to hold under ``python -O`` too.
    """
    if not condition:
        raise AssertionError(message)


def conformance(check: Callable[P, T]) -> Callable[P, T]:
    """A check that complains in one form: an error that the component lets out counts as well."""

    @functools.wraps(check)
    def complaining(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return check(*args, **kwargs)
        except (AssertionError, RdfcError):
            raise
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            who = type(args[0]).__name__ if args else "The component"
            raise AssertionError(
                f"{who} raised {type(error).__name__} where rdfc relies on a result: "
                f"{' '.join(str(error).split()) or 'no message'} (in {frame.name}, "
                f"{Path(frame.filename).name} line {frame.lineno}); mend that."
            ) from error

    return complaining


def require_kind(component: object, kind: type) -> str:
    """The component's name for messages, once it is known to be of this kind."""
    name = type(component).__name__
    require(
        isinstance(component, kind),
        f"{name} is no {kind.__name__}: derive it from rdfc_core.interfaces.{kind.__name__}.",
    )
    return name


@contextmanager
def expect_error(expected: type[RdfcError], action: str) -> Iterator[None]:
    """The block has to raise this error; another one, or none, is a complaint."""
    try:
        yield
    except expected as error:
        require(str(error), f"{action} raised {expected.__name__} without a message: say why.")
        return
    except Exception as error:
        raise AssertionError(
            f"{action} raised {type(error).__name__} ({error}); raise {expected.__name__} with a "
            "sentence that says what to do."
        ) from error
    raise AssertionError(
        f"{action} raised nothing; raise {expected.__name__} with a sentence that says what to do."
    )


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch with one thread: on busy cores two wait for each other, thirty times as long."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def through_pickle(component: T, who: str) -> T:
    """The component as a worker process receives it."""
    try:
        copy: T = pickle.loads(pickle.dumps(component))
    except Exception as error:  # whatever the component holds decides what pickle raises
        raise AssertionError(
            f"{who} cannot be pickled ({error}), and worker processes receive it that way: keep "
            "open files, locks and lambdas out of its attributes."
        ) from error
    return copy


def require_recipe(recipe: Any, again: Any, who: str) -> None:
    """A recipe is a JSON object, and the same at every call."""
    require(isinstance(recipe, dict) and recipe, f"{who}.recipe() has to be a non-empty dict.")
    try:
        text = json.dumps(recipe, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AssertionError(
            f"{who}.recipe() is no JSON ({error}): use plain strings, numbers, lists and dicts."
        ) from error
    require(
        text == json.dumps(again, sort_keys=True),
        f"{who}.recipe() changed between calls or in pickling; make it depend on options only.",
    )


def same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Equal in shape, type and every value; NaN equals NaN."""
    return (
        one.shape == other.shape
        and one.dtype == other.dtype
        and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    )


def require_missing(
    values: NDArray[Any], names: tuple[str, ...], missing: Mapping[str, str], who: str
) -> None:
    """NaN where, and only where, a reason is given."""
    unknown = sorted(set(missing) - set(names))
    require(not unknown, f"{who}: missing names {unknown[:3]}, which are no features; mend that.")
    for name, value in zip(names, values, strict=True):
        require(
            not np.isinf(value), f"{who}: feature {name} is infinite; return NaN with a reason."
        )
        require(
            bool(np.isnan(value)) == (name in missing),
            f"{who}: feature {name} is {value} and its reason in missing is "
            f"{missing.get(name)!r}; give a reason for every NaN and for nothing else.",
        )
    empty = [name for name, reason in missing.items() if not reason]
    require(not empty, f"{who}: features {empty[:3]} are missing without a reason; say why.")
