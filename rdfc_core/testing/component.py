"""What rdfc relies on in what a plugin announces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import BaseModel

from rdfc_core.contract.promises import require
from rdfc_core.errors import ContractError, PluginError
from rdfc_core.plugin.component import Component, part_fields

_NAME = re.compile(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*")
_LONGEST_SUMMARY = 100


def check_component(component: Component) -> None:
    """Check that a component can be listed, configured and loaded.

    Where the component is not available (see `Component.requires`) its class is not loaded.

    Raises:
        AssertionError: If its name or summary is unfit for lists, its configuration is not a
            frozen, closed, described pydantic model, or its class is abstract, undocumented, not
            of its kind, or cannot be built from the configuration.
        PluginError: If its class or configuration cannot be imported.
    """
    who = component.label
    require(
        _NAME.fullmatch(component.name),
        f"The name of the {who} has to be lower case: letters, digits, and - _ . between them.",
    )
    summary = component.summary
    require(
        summary and "\n" not in summary and len(summary) <= _LONGEST_SUMMARY,
        f"The summary of the {who} has to be one line of at most {_LONGEST_SUMMARY} characters, "
        f"and is {summary!r}.",
    )
    with _as_breach():
        config = component.load_config()
    _check_config(config, who)
    if component.unavailable is None:
        with _as_breach():
            target = component.load()
        require(_documented(target), f"{target.__name__}, the {who}, has no docstring; write one.")


@contextmanager
def _as_breach() -> Iterator[None]:
    """A broken promise as what an author's test expects; what cannot be imported stays as it is."""
    try:
        yield
    except PluginError as error:
        if isinstance(error.__cause__, ContractError):
            raise error.__cause__ from error
        raise


def _check_config(config: type[BaseModel], who: str) -> None:
    require(_documented(config), f"{config.__name__} of the {who} has no docstring; write one.")
    parts = part_fields(config)
    for name, info in config.model_fields.items():
        require(
            info.description or name in parts,
            f"Option {name!r} of the {who} has no description; add Field(description=…).",
        )


def _documented(thing: type) -> bool:
    """Whether it has a docstring of its own: an inherited one is another class's."""
    return bool((thing.__dict__.get("__doc__") or "").strip())
