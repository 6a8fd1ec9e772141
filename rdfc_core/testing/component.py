"""What rdfc relies on in what a plugin announces."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from rdfc_core.plugin.component import RESERVED, Component, PartOf
from rdfc_core.testing.assertions import require

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

INTERFACES = {
    "dataset": "Dataset",
    "reader": "Reader",
    "feature_extractor": "FeatureExtractor",
    "image_encoder": "ImageEncoder",
    "view": "View",
    "objective": "Objective",
    "memory_store": "MemoryStore",
    "pretext": "Pretext",
    "executor": "Executor",
}
"""Kind → the class in `rdfc_core.interfaces` that components of the kind derive from."""

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
    config = component.load_config()
    _check_config(config, who)
    if component.unavailable is None:
        _check_class(component.load(), component.kind, config, who)


def _check_config(config: Any, who: str) -> None:
    require(
        inspect.isclass(config) and issubclass(config, BaseModel),
        f"The configuration of the {who} is no pydantic model; derive it from BaseModel.",
    )
    settings = config.model_config
    require(
        settings.get("frozen") is True and settings.get("extra") == "forbid",
        f"{config.__name__} of the {who} has to set "
        'model_config = ConfigDict(frozen=True, extra="forbid").',
    )
    require(_documented(config), f"{config.__name__} of the {who} has no docstring; write one.")
    for name, info in config.model_fields.items():
        require(
            name not in RESERVED,
            f"Option {name!r} of the {who} cannot be written in a study, where {name!r} stands "
            "beside the component's name; call it something else.",
        )
        require(
            info.description or _part_kind(info),
            f"Option {name!r} of the {who} has no description; add Field(description=…).",
        )


def _check_class(target: Any, kind: str, config: type[BaseModel], who: str) -> None:
    import rdfc_core.interfaces

    interface = getattr(rdfc_core.interfaces, INTERFACES[kind])
    require(
        inspect.isclass(target) and issubclass(target, interface),
        f"The {who} is no {interface.__name__}; derive it from "
        f"rdfc_core.interfaces.{interface.__name__}.",
    )
    missing = sorted(getattr(target, "__abstractmethods__", ()))
    require(
        not missing,
        f"{target.__name__}, the {who}, does not implement {', '.join(missing)}; add them.",
    )
    require(_documented(target), f"{target.__name__}, the {who}, has no docstring; write one.")
    parts = [name for name, info in config.model_fields.items() if _part_kind(info)]
    try:
        inspect.signature(target).bind(object(), **dict.fromkeys(parts))
    except TypeError as error:
        call = ", ".join(["config", *(f"{name}=…" for name in parts)])
        raise AssertionError(
            f"{target.__name__}, the {who}, cannot be built as {target.__name__}({call}): {error}; "
            "adapt its __init__."
        ) from error


def _documented(thing: type) -> bool:
    """Whether it has a docstring of its own: an inherited one is another class's."""
    return bool((thing.__dict__.get("__doc__") or "").strip())


def _part_kind(info: FieldInfo) -> str | None:
    return next((mark.kind for mark in info.metadata if isinstance(mark, PartOf)), None)
