"""How a broken promise is told. Free of torch and NumPy, as the command line loads it."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from rdfc_core.errors import ContractError, RdfcError

T = TypeVar("T")


def require(condition: object, message: str) -> None:
    """Raise `ContractError` with the message unless the condition holds.

    Not a bare ``assert``: these checks have to hold under ``python -O`` too.
    """
    if not condition:
        raise ContractError(message)


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
        raise ContractError(
            f"{action} raised {type(error).__name__} ({error}); raise {expected.__name__} with a "
            "sentence that says what to do."
        ) from error
    raise ContractError(
        f"{action} raised nothing; raise {expected.__name__} with a sentence that says what to do."
    )


def through_pickle(component: T, who: str) -> T:
    """The component as a worker process receives it."""
    try:
        copy: T = pickle.loads(pickle.dumps(component))
    except Exception as error:  # whatever the component holds decides what pickle raises
        raise ContractError(
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
        raise ContractError(
            f"{who}.recipe() is no JSON ({error}): use plain strings, numbers, lists and dicts."
        ) from error
    require(
        text == json.dumps(again, sort_keys=True),
        f"{who}.recipe() changed between calls or in pickling; make it depend on options only.",
    )
