"""Options against a pydantic model: what does not fit becomes one sentence with its path."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from rdfc_core.errors import StudyError, did_you_mean

Model = TypeVar("Model", bound=BaseModel)


def validate(model: type[Model], options: Any, path: str) -> Model:
    """The options as the model, or one sentence about the first thing that does not fit.

    Raises:
        StudyError: With the path of the option, what is wrong, and the nearest known name.
    """
    _refuse_no_numbers(options, path)
    try:
        found = model.model_validate(options)
    except ValidationError as error:
        raise StudyError(_sentence(error, model, options, path)) from error
    _refuse_logic(options, found, path)
    return found


def _refuse_no_numbers(options: Any, path: str) -> None:
    """NaN and infinity pass most bounds, and would train networks on nothing."""
    if isinstance(options, float) and not math.isfinite(options):
        raise StudyError(f"{path}: a finite number is needed (given: {options}).")
    for step, value in _inner(options):
        _refuse_no_numbers(value, f"{path}.{step}" if path else str(step))


def _refuse_logic(options: Any, found: Any, path: str) -> None:
    """Pydantic takes yes and no for 1 and 0 where a number is asked for."""
    if isinstance(options, bool) and isinstance(found, int | float) and found is not options:
        word = "true" if options else "false"
        raise StudyError(f"{path}: a number is needed (given: {word}, as YAML also reads yes, no).")
    for step, value in _inner(options):
        if isinstance(found, BaseModel):
            inner = getattr(found, str(step), None)
        elif isinstance(found, Mapping):
            inner = found.get(step)
        else:
            same = isinstance(found, list | tuple) and len(found) == len(options)
            inner = found[step] if same else None
        _refuse_logic(value, inner, f"{path}.{step}" if path else str(step))


def _inner(options: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(options, Mapping):
        return options.items()
    return enumerate(options) if isinstance(options, list | tuple) else ()


def _sentence(error: ValidationError, model: type[BaseModel], options: Any, path: str) -> str:
    errors = error.errors()
    first, steps = errors[0], _steps(errors[0], options)
    where = ".".join(str(step) for step in ([path] if path else []) + steps)
    alternatives = [one for one in errors if _steps(one, options) == steps]  # of a union
    more = len(errors) - len(alternatives)
    tail = and_more(more)
    if first["type"] == "extra_forbidden":
        holder = _holder(model, steps[:-1])
        known = sorted([*holder.model_fields, *getattr(holder, "shorthand", ())])
        hint = did_you_mean(first["loc"][-1], known)
        return f"{where}: there is no such option.{hint} Known here: {', '.join(known)}.{tail}"
    if first["type"] == "missing":
        return f"{where}: this is needed and missing.{tail}"
    message = ", or ".join(plain_message(one) for one in alternatives)
    given = repr(first["input"])
    shown = f" (given: {given if len(given) <= 60 else given[:57] + '...'})"
    if isinstance(first["input"], Mapping) and first["type"] == "value_error":
        shown = ""  # a rule about several options, which the message names
    return f"{where}: {message}{shown}.{tail}"


def plain_message(error: Mapping[str, Any], lower: bool = True) -> str:
    """What pydantic says of one error, as a part of a sentence.

    Args:
        error: One of ``ValidationError.errors()``.
        lower: Whether it stands after a colon, in a small letter.
    """
    message: str = error["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:] if lower else message


def and_more(count: int) -> str:
    """How many errors beside the one that is told, in parentheses; nothing of none."""
    return f" ({count} more like this.)" if count else ""


def first_fault(error: ValidationError) -> str:
    """The first thing that does not fit, by its place: of a file that a program wrote."""
    first = error.errors()[0]
    where = ".".join(str(step) for step in first["loc"])
    return f"{where}: {plain_message(first)}" if where else plain_message(first)


def _steps(error: Mapping[str, Any], options: Any) -> list[str | int]:
    """Where in the options the error is, without pydantic's names for the members of a union."""
    steps: list[str | int] = []
    for step in error["loc"]:
        in_mapping = isinstance(options, Mapping) and step in options
        in_list = isinstance(options, list | tuple) and step in range(len(options))
        if in_mapping or in_list:
            options = options[step]
        elif error["type"] != "missing" or step != error["loc"][-1]:
            continue
        steps.append(step)
    return steps


def _holder(model: type[BaseModel], steps: Sequence[Any]) -> type[BaseModel]:
    for step in steps:
        info = model.model_fields.get(str(step))
        if info is None or not isinstance(info.annotation, type):
            break
        if not issubclass(info.annotation, BaseModel):
            break
        model = info.annotation
    return model
