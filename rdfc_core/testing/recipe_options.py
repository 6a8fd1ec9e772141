"""Options that change values and are forgotten in the recipe, so that old values are used."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, get_args

from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from rdfc_core.contract.arrays import same
from rdfc_core.contract.promises import require
from rdfc_core.errors import RdfcError
from rdfc_core.plugin.component import part_fields


def check_options_in_recipe(component: Any, made: Callable[[Any], NDArray[Any]], who: str) -> None:
    """Change each option in turn: where values change, the recipe has to.

    Looks at options of a component that keeps them as ``config``: numbers, switches, choices and
    lists. Those that it refuses with other values are passed over, and so are texts and paths.

    Args:
        component: Built; has a ``recipe``.
        made: What a component makes of one tumour.
        who: The component, for messages.

    Raises:
        ContractError: If an option changes values and not the recipe.
    """
    config = getattr(component, "config", None)
    if not isinstance(config, BaseModel):
        return
    parts = {name: getattr(component, name, None) for name in part_fields(type(config))}
    try:
        inspect.signature(type(component)).bind(config, **parts)
    except (TypeError, ValueError):  # it is built in another way
        return
    values, recipe = made(component), component.recipe()
    for option, other in _changed(config):
        try:
            changed = type(component)(other, **parts)
            differ = not same(values, made(changed))
        except (RdfcError, ValueError):  # these values do not suit it
            continue
        require(
            not differ or changed.recipe() != recipe,
            f"{who}: the option {option!r} changes values and not recipe(), so that values that "
            f"were stored under {getattr(config, option)!r} would be used for "
            f"{getattr(other, option)!r}; add it to the recipe.",
        )


def _changed(config: BaseModel) -> Iterator[tuple[str, BaseModel]]:
    """Each option with another value that its model allows."""
    for name, info in type(config).model_fields.items():
        for value in _others(getattr(config, name), info.annotation):
            try:
                yield name, type(config).model_validate({**dict(config), name: value})
            except ValidationError:
                continue
            break


def _others(value: Any, annotation: Any) -> list[Any]:
    choices = [one for one in _literals(annotation) if one != value]
    if choices:
        return choices
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [2 * value + 1, value + 1, value - 1, value // 2]
    if isinstance(value, float):
        return [0.5 * value + 0.1, 1.5 * value + 0.1, 0.9 * value]
    if isinstance(value, list | tuple) and len(value) > 1:
        return [value[:-1], value[::-1], _scaled(value)]
    if isinstance(value, list | tuple):
        return [_scaled(value)]
    return []


def _scaled(values: Any) -> Any:
    numbers = all(isinstance(one, int | float) for one in values)
    return type(values)(2 * one + 1 for one in values) if numbers else ()


def _literals(annotation: Any) -> Iterator[Any]:
    for one in get_args(annotation):
        if isinstance(one, str | int | float):
            yield one
        else:
            yield from _literals(one)
