"""Whose fault an unexpected error is: a plugin's, the machine's, or rdfc's own.

The files and options that a user can mend are refused with an `RdfcError`. What is left comes out
of code, and the traceback tells whose.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import requires
from types import TracebackType

from packaging.requirements import Requirement

from rdfc_core.errors import ContractError, PluginError, out_of_memory
from rdfc_core.interfaces.executor import WorkerDiedError
from rdfc_core.plugin.component import Component
from rdfc_core.plugin.registry import Source, installed

CORE = "rdfc-core"
EXTRAS = ("combat", "dicom", "mlflow", "monai", "paper", "pyradiomics", "suggest", "table")
"""Of core: each names plugins of this project."""


class UnexpectedError(Exception):
    """An error that was explained where it happened: in a worker, whose traceback is then lost."""


def explain(error: BaseException) -> str:
    """One sentence for an error that is no `RdfcError`: what happened, whose code, what next."""
    if isinstance(error, UnexpectedError | WorkerDiedError):
        return str(error)
    what = f"{type(error).__name__}: {' '.join(str(error).split()) or 'no message'}"
    if out_of_memory(error):
        return (
            f"Out of memory ({what[:200]}). If a limit is set on this process (ulimit -v, a job's "
            "or container's), raise it. Otherwise use fewer workers (--executor "
            "local:workers=1), smaller batches (--set pretrain.batch_size=16), or smaller images."
        )
    culprit = _culprit(error.__traceback__)
    if culprit is None:
        return (
            f"This is a fault of rdfc: {what}. Please report it with the output of the same "
            "command and --debug."
        )
    source, component, place = culprit
    which = f", which offers the {component.label}" if component else ""
    check = f"check_{component.kind}" if component else "its checks"
    return (
        f"This is a fault of the plugin {source}{which}: {what} (at {place}). Report it to its "
        f"author, who finds it with rdfc_core.testing ({check}); --debug shows the traceback."
    )


def origin(part: object) -> str:
    """What a component is called in messages: kind, name and the distribution that offers it."""
    offered = _offer_of(part)
    if offered:
        return f"{offered[0].label} of {offered[1]}"
    sources = {str(source) for _, source in _offered_by(type(part).__module__)}
    return f"component {type(part).__name__}{f' of {min(sources)}' if sources else ''}"


@contextmanager
def held_to_contract(part: object) -> Iterator[None]:
    """Inside, a promise that a component breaks is told as its plugin's fault.

    Raises:
        PluginError: With what it is called, which distribution offers it, and what it did.
    """
    try:
        yield
    except ContractError as error:
        part = part if error.component is None else error.component
        offered = _offer_of(part)
        check = f"check_{offered[0].kind}" if offered else "its check"
        raise PluginError(
            f"The {origin(part)} breaks its contract: {error} Its author finds it with "
            f"rdfc_core.testing.{check}."
        ) from error


def third_party(parts: Iterable[object]) -> dict[str, str]:
    """Those of the parts that neither rdfc nor its own plugins offer.

    Returns:
        What each is called in messages → the check of `rdfc_core.testing` that is meant for it.
    """
    offers = [offered for part in parts if (offered := _offer_of(part))]
    return {
        f"{component.label} of {source}": f"check_{component.kind}"
        for component, source in offers
        if source.distribution not in bundled()
    }


@cache
def bundled() -> frozenset[str]:
    """Rdfc and the plugins that it brings along: those of its extras."""
    wanted = [Requirement(text) for text in requires(CORE) or ()]
    plugins = [
        one.name
        for one in wanted
        if one.name.startswith("rdfc-")
        and one.marker
        and any(one.marker.evaluate({"extra": extra}) for extra in EXTRAS)
    ]
    return frozenset({CORE, *plugins})


def _offer_of(part: object) -> tuple[Component, Source] | None:
    """Which plugin offers the part: the one that names its class, or else a class above it.

    Of classes above it those of the part's own package come first; that of rdfc's own plugins are
    not blamed for what others derive from them.
    """
    own, module = type(part), type(part).__module__
    offers = list(installed().components())
    for offered in offers:
        name, _, attribute = offered[0].target.partition(":")
        if offered[0].target == f"{module}:{own.__qualname__}":
            return offered
        if getattr(sys.modules.get(name), attribute, None) is own:  # defined elsewhere
            return offered
    derived = [offered for offered in offers if _derives(own, offered[0])]
    near = [offered for offered in _offered_by(module) if offered in derived]
    foreign = [offered for offered in derived if offered[1].distribution not in bundled()]
    return next(iter([*near, *foreign]), None)


def _derives(own: type, component: Component) -> bool:
    """Whether a class derives from the component's, as far as that is loaded."""
    name, _, attribute = component.target.partition(":")
    base = getattr(sys.modules.get(name), attribute, None)
    return isinstance(base, type) and issubclass(own, base)


def _culprit(trace: TracebackType | None) -> tuple[Source, Component | None, str] | None:
    """The plugin whose code stands deepest in the traceback, what it is, and the place in it."""
    found: tuple[Source, list[Component], str] | None = None
    for frame, line in reversed(list(traceback.walk_tb(trace))):
        module = str(frame.f_globals.get("__name__", ""))
        offered = _offered_by(module)
        if not offered or (found and offered[0][1] != found[0]):
            continue
        components = [component for component, _ in offered]
        if found is None:
            found = offered[0][1], components, f"{module}, line {line}"
        # A method of a component's class tells which of several it was.
        target = f"{module}:{frame.f_code.co_qualname.partition('.')[0]}"
        for component in components:
            if component.target == target:
                return found[0], component, found[2]
    if found is None:
        return None
    source, components, place = found
    return source, components[0] if len(components) == 1 else None, place


def _offered_by(module: str) -> list[tuple[Component, Source]]:
    """What the package that the module belongs to offers; rdfc's own core is no plugin."""
    if module.partition(".")[0] == "rdfc_core":
        return []
    return [
        (component, source)
        for component, source in installed().components()
        if f"{module}.".startswith(f"{_package(component)}.")
    ]


def _package(component: Component) -> str:
    """The package in which a component's class stands; what else a namespace holds is not its."""
    module = component.target.partition(":")[0]
    return module.rpartition(".")[0] or module
