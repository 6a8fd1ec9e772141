"""Find plugins through entry points, list their components, and build the ones a study names.

A plugin that is broken, incompatible or a duplicate is reported by name and distribution; it never
takes the others down.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

import pluggy

from rdfc_core.errors import PluginError, did_you_mean, with_article
from rdfc_core.plugin import hookspecs, listeners
from rdfc_core.plugin.component import INTERFACE_VERSION, KINDS, Component, Kind
from rdfc_core.plugin.importing import LONGEST, side_effects
from rdfc_core.plugin.switched_off import VARIABLE, switched_off
from rdfc_core.utils.tracebacks import place_in

log = logging.getLogger("rdfc")

GROUP = "rdfc"
ENTRY_POINT = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
WRITABLE = re.compile(r"[A-Za-z0-9][\w.-]*")
"""Names that a study and the command line can hold."""
MARKED_AS_HOOK = "rdfc_impl"
"""The attribute by which pluggy knows the functions that `hookimpl` marked."""


@dataclass(frozen=True)
class Source:
    """Where a plugin comes from: its entry point and its distribution."""

    plugin: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}".strip()


@dataclass(frozen=True)
class BrokenPlugin:
    """A plugin with which something is wrong, and what."""

    source: Source
    reason: str

    def __str__(self) -> str:
        return f"Plugin {self.source.plugin!r} of {self.source}: {self.reason}"


@dataclass
class Registry:
    """The components that are installed, by kind and name."""

    hooks: pluggy.PluginManager
    found: dict[tuple[str, str], list[tuple[Component, Source]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    broken: list[BrokenPlugin] = field(default_factory=list)
    doubtful: list[BrokenPlugin] = field(default_factory=list)
    """Plugins that work, with what their authors may have forgotten."""
    listening: list[tuple[Source, tuple[str, ...]]] = field(default_factory=list)
    """Plugins that implement hooks of a run, and which."""
    off: list[Source] = field(default_factory=list)
    """Plugins that the user has switched off; nothing of them was imported."""

    def components(self, kind: str | None = None) -> Iterator[tuple[Component, Source]]:
        """All components with their sources, by kind and name."""
        order = {name: place for place, name in enumerate(KINDS)}
        for key in sorted(self.found, key=lambda key: (order[key[0]], key[1])):
            if kind in (None, key[0]):
                yield from self.found[key]

    def names(self, kind: str) -> list[str]:
        """The names installed for a kind."""
        return sorted({name for found_kind, name in self.found if found_kind == kind})

    def twice(self) -> list[str]:
        """A sentence for each component that several distributions offer."""
        return [_offered_by_several(found) for found in self.found.values() if len(found) > 1]

    def get(self, kind: Kind, name: str) -> Component:
        """The component of this kind and name.

        Raises:
            PluginError: If there is none (the message lists what is installed and the nearest
                match), if two distributions offer it, or if it is not available here.
        """
        candidates = self.found.get((kind, name), [])
        if len(candidates) > 1:
            raise PluginError(_offered_by_several(candidates))
        if not candidates:
            raise PluginError(self.unknown(name, kind))
        component = candidates[0][0]
        if component.unavailable:
            raise PluginError(f"The {component.label} is not available: {component.unavailable}.")
        return component

    def tell(self, event: str, **facts: Any) -> str | None:
        """Call a run event's hook in every plugin, as `rdfc_core.plugin.listeners.tell` does."""
        return listeners.tell(self.hooks, event, facts)

    def tell_started(self, **facts: Any) -> None:
        """Tell every plugin that a run begins.

        Raises:
            StoppedError: If one of them asks to stop it.
        """
        asked = self.tell("rdfc_run_started", **facts)
        if asked:
            raise listeners.stopped("before its first step", asked)

    def unknown(self, name: str, kind: str | None = None) -> str:
        """A sentence about a name that is not there: what is, and which plugins are broken."""
        kinds = KINDS if kind is None else (kind,)
        installed = sorted({name for each in kinds for name in self.names(each)})
        hint = "" if self.broken else did_you_mean(name, installed)
        listing = f"Installed: {', '.join(installed)}." if installed else "None is installed."
        broken = "".join(f" {plugin}" for plugin in self.broken)
        if self.off:
            off = ", ".join(sorted({source.distribution for source in self.off}))
            broken += f" Switched off (--without, {VARIABLE}): {off}."
        what = "component" if kind is None else kind.replace("_", " ")
        extra = f" It is an extra: {EXTRAS[name]}." if name in EXTRAS else ""
        return f"There is no {what} {name!r}.{extra or hint} {listing}{broken}"


EXTRAS = {"pyradiomics": "pip install 'rdfc-core[pyradiomics]', on Python 3.11 (docs/install.md)"}
"""Components that the presets name and the extra ``paper`` does not bring; how to get them."""


@cache
def installed() -> Registry:
    """The registry of this environment; found once a process."""
    return discover(entry_points(group=GROUP))


def discover(points: Iterable[EntryPoint]) -> Registry:
    """Load the plugins behind the entry points and collect what they offer."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    registry = Registry(manager)
    found = _distinct(points)
    off = switched_off((point.name, source.distribution) for point, source in found)
    for point, source in found:
        if (point.name, source.distribution) in off:
            registry.off.append(source)
            continue
        try:
            with side_effects() as effects:
                module, components = _announced(point)
                _register(manager, module, f"{source.distribution}:{point.name}")
        except (Exception, SystemExit) as error:  # whatever a plugin does, the others go on
            told = isinstance(error, PluginError)
            reason = str(error) if told else _reason(error, point.value.partition(".")[0])
            registry.broken.append(BrokenPlugin(source, reason))
            continue
        for component in components:
            offered = component.offered(source), source
            registry.found[(component.kind, component.name)].append(offered)
        events = tuple(sorted(_hooks_of(module) - {"rdfc_components"}))
        if events:
            registry.listening.append((source, events))
        doubts = [*_doubts(module), *(f"importing it {effect}." for effect in effects)]
        registry.doubtful += [BrokenPlugin(source, doubt) for doubt in doubts]
    return registry


def _announced(point: EntryPoint) -> tuple[object, list[Component]]:
    """The module behind an entry point, and the components that it announces.

    Raises:
        PluginError: If it is no plugin for this rdfc.
    """
    if not ENTRY_POINT.fullmatch(point.value):
        raise PluginError(
            f"its entry point is {point.value!r}, which is no module. Write package.module "
            "in its pyproject.toml, and install it again."
        )
    module = cast(object, point.load())
    _check_interface(module)
    return module, _components_of(module)


def _offered_by_several(found: Sequence[tuple[Component, Source]]) -> str:
    sources = " and ".join(sorted(str(source) for _, source in found))
    return f"The {found[0][0].label} is offered by {sources}. Uninstall one of them."


def _distinct(points: Iterable[EntryPoint]) -> list[tuple[EntryPoint, Source]]:
    """Each entry point once, though an editable install may be listed twice."""
    seen: dict[tuple[str, str, str], tuple[EntryPoint, Source]] = {}
    for point in points:
        distribution = point.dist.name if point.dist else "unknown distribution"
        version = point.dist.version if point.dist else ""
        source = Source(point.name, distribution, version)
        seen.setdefault((distribution, point.name, point.value), (point, source))
    return [seen[key] for key in sorted(seen)]


def _check_interface(module: object) -> None:
    wanted = getattr(module, "rdfc_interface", INTERFACE_VERSION)
    if not isinstance(wanted, int):
        raise PluginError(
            f"its rdfc_interface is {wanted!r} and must be a whole number, such as "
            f"{INTERFACE_VERSION}. Upgrade or report the plugin."
        )
    if wanted != INTERFACE_VERSION:
        upgrade = "rdfc-core" if wanted > INTERFACE_VERSION else "the plugin"
        raise PluginError(
            f"it was written for interface {wanted} and this rdfc-core has {INTERFACE_VERSION}. "
            f"Upgrade {upgrade}."
        )


def _register(manager: pluggy.PluginManager, module: object, name: str) -> None:
    known = {hook for hook in vars(hookspecs) if hook.startswith("rdfc_")}
    marked = _hooks_of(module)
    for hook in sorted(marked - known):  # pluggy ignores an unknown hook in silence
        raise PluginError(
            f"it implements the hook {hook}, which this rdfc-core does not know."
            f"{did_you_mean(hook, known)} Correct its name, or upgrade rdfc-core."
        )
    for hook in sorted(known - marked):
        if callable(getattr(module, hook, None)):
            raise PluginError(f"its function {hook} is not marked; put @hookimpl before it.")
    try:
        manager.register(module, name=name)
    except pluggy.PluginValidationError as error:  # its text has the module's whole repr first
        manager.unregister(name=name)
        raise PluginError(
            f"{str(error).splitlines()[-1].strip()}. Give the hook the arguments that "
            "rdfc_core.plugin.hookspecs names."
        ) from error


def _hooks_of(module: object) -> set[str]:
    return {name for name in dir(module) if hasattr(getattr(module, name, None), MARKED_AS_HOOK)}


def _doubts(module: object) -> Iterator[str]:
    if not hasattr(module, "rdfc_interface"):
        yield (
            "it does not say for which interface it was written, so a later rdfc-core cannot "
            f"refuse it. Add rdfc_interface = {INTERFACE_VERSION}."
        )
    if not _hooks_of(module):
        yield (
            "its entry point announces nothing. Write a function rdfc_components() with @hookimpl "
            "there, or remove the entry point."
        )


def _components_of(module: object) -> list[Component]:
    announce = getattr(module, "rdfc_components", None)
    components = announce() if callable(announce) else announce or []
    if not isinstance(components, list | tuple):
        raise PluginError(
            f"rdfc_components() returned {_short(components)}, which is no list of Component. "
            "Upgrade or report the plugin."
        )
    seen: set[tuple[str, str]] = set()
    for component in components:
        if not isinstance(component, Component):
            raise PluginError(
                f"rdfc_components() returned {_short(component)}, which is no Component. "
                "Upgrade or report the plugin."
            )
        if not WRITABLE.fullmatch(component.name):
            raise PluginError(
                f"it announces {with_article(component.label)}, which a study cannot name. Use "
                "letters, digits, and - _ . between them."
            )
        if (component.kind, component.name) in seen:
            raise PluginError(f"it announces the {component.label} twice. Take one out.")
        seen.add((component.kind, component.name))
    return list(components)


def _short(thing: object) -> str:
    text = repr(thing)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _reason(error: BaseException, package: str) -> str:
    place = place_in(error, package)
    where = f" (in {place})" if place else ""
    return f"{type(error).__name__}: {error}{where}. Reinstall, upgrade or uninstall it."
