"""Promises of a component's class and configuration, which hold before anything is built."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from rdfc_core.contract.promises import require

if TYPE_CHECKING:
    from collections.abc import Iterable

INTERFACES = {
    "dataset": "Dataset",
    "reader": "Reader",
    "feature_extractor": "FeatureExtractor",
    "harmoniser": "Harmoniser",
    "image_encoder": "ImageEncoder",
    "view": "View",
    "objective": "Objective",
    "memory_store": "MemoryStore",
    "memory_queue": "MemoryQueue",
    "projector": "Projector",
    "pretext": "Pretext",
    "optimizer": "Optimizer",
    "schedule": "Schedule",
    "evaluator": "Evaluator",
    "metric": "Metric",
    "query_strategy": "QueryStrategy",
    "report_section": "ReportSection",
    "logger": "Logger",
    "executor": "Executor",
}
"""Kind → the class in `rdfc_core.interfaces` that components of the kind derive from."""


def require_config(config: Any, reserved: Iterable[str]) -> None:
    """Options are a frozen pydantic model, which refuses what it does not know.

    Args:
        config: What a component names as its configuration.
        reserved: Words that stand beside a component's name in a study.

    Raises:
        ContractError: If it is not.
    """
    require(
        inspect.isclass(config) and issubclass(config, BaseModel),
        f"its configuration {_name(config)} is no pydantic model; derive it from BaseModel.",
    )
    settings = config.model_config
    require(
        settings.get("frozen") is True and settings.get("extra") == "forbid",
        f"{config.__name__} has to set "
        'model_config = ConfigDict(frozen=True, extra="forbid"), or a misspelled option passes.',
    )
    for name in reserved:
        require(
            name not in config.model_fields,
            f"it has an option called {name!r}, which a study cannot hold beside a component's "
            "name; call it something else.",
        )


def require_class(target: Any, kind: str, parts: Iterable[str]) -> None:
    """A class derives from its kind's interface and has all its methods, with their arguments.

    Args:
        target: What a component names as its class.
        kind: The component's kind.
        parts: Options that name other components, which are given when it is built.

    Raises:
        ContractError: If it does not.
    """
    import rdfc_core.interfaces

    interface = getattr(rdfc_core.interfaces, INTERFACES[kind])
    require(
        inspect.isclass(target) and issubclass(target, interface),
        f"{_name(target)} is no {interface.__name__}; derive it from "
        f"rdfc_core.interfaces.{interface.__name__}.",
    )
    missing = sorted(getattr(target, "__abstractmethods__", ()))
    require(not missing, f"{target.__name__} does not implement {', '.join(missing)}; add them.")
    for name, promised in _methods(interface):
        _require_method(target, name, promised, interface.__name__)
    try:
        inspect.signature(target).bind(object(), **dict.fromkeys(parts))
    except (TypeError, ValueError) as error:  # ValueError: it has no signature
        call = ", ".join(["config", *(f"{name}=…" for name in parts)])
        require(
            False,
            f"{target.__name__} cannot be built as {target.__name__}({call}): {error}; adapt its "
            "__init__.",
        )


def _methods(interface: type) -> list[tuple[str, Any]]:
    """What the interface itself defines: functions and properties without an underscore."""
    return [
        (name, thing)
        for name, thing in vars(interface).items()
        if not name.startswith("_") and (inspect.isfunction(thing) or isinstance(thing, property))
    ]


def _require_method(target: type, name: str, promised: Any, interface: str) -> None:
    own = inspect.getattr_static(target, name)
    if isinstance(promised, property):
        require(
            not inspect.isfunction(own),
            f"{target.__name__}.{name} is a method and has to be a property; put @property before "
            "it.",
        )
        return
    if own is promised:
        return
    if isinstance(own, staticmethod | classmethod) or not inspect.isfunction(own):
        require(
            callable(getattr(target, name)),
            f"{target.__name__}.{name} cannot be called; it has to be a method, as of {interface}.",
        )
        return
    wanted = inspect.signature(promised)
    try:
        inspect.signature(own).bind(*[object()] * len(wanted.parameters))
    except (TypeError, ValueError) as error:  # ValueError: it has no signature
        require(
            False,
            f"{target.__name__}.{name} cannot be called as {name}"
            f"({', '.join(list(wanted.parameters)[1:])}): {error}; take the arguments of "
            f"{interface}.{name}.",
        )


def _name(thing: Any) -> str:
    return getattr(thing, "__name__", None) or repr(thing)
