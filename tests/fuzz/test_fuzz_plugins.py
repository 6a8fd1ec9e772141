"""Malformed plugins: entry points that name nothing, modules that announce nonsense.

A plugin is code that its user installed, so it may run; but it takes no other plugin down.
"""

from __future__ import annotations

import importlib
import itertools
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdfc_core.errors import PluginError
from rdfc_core.plugin.component import KINDS, Component
from rdfc_core.plugin.registry import discover
from tests.fuzz.guard import Guard
from tests.fuzz.mutations import altered, text, values
from tests.fuzz.shares import share

SOURCE = '''"""A plugin."""

from rdfc_core import Component, hookimpl

rdfc_interface = {interface}


@hookimpl
def rdfc_components():
    return [Component({component})]


@hookimpl
def rdfc_epoch_ended(folder, split, metrics):
    pass
'''
SOUND = {
    "kind": "view",
    "name": "greys",
    "summary": "The histogram of grey values",
    "target": "tests.support.small_parts:GreyView",
    "config": "tests.support.small_parts:GreyViewConfig",
    "requires": {"numpy": "It needs NumPy"},
}
OTHER = EntryPoint("core", "rdfc_core.plugin.builtin", "rdfc")
names = (f"fuzzed_plugin_{number}" for number in itertools.count())


def source(fields: dict[str, Any], interface: Any = 1) -> str:
    """A plugin that announces a component of these fields."""
    component = ", ".join(f"{key}={value!r}" for key, value in fields.items())
    return SOURCE.format(interface=interface, component=component)


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """What is loaded once is loaded."""
    _use([OTHER])


@pytest.fixture(scope="module")
def announce(guard: Guard) -> Any:
    def judge(content: str) -> None:
        name = next(names)
        file = guard.inputs / f"{name}.py"
        file.write_text(content, encoding="utf-8", errors="replace")
        importlib.invalidate_caches()
        points = [EntryPoint("fuzzed", name, "rdfc"), OTHER]
        try:
            guard.judge("plugin", lambda: _use(points), guard.inputs)
        finally:
            sys.modules.pop(name, None)
            Path(file).unlink()

    judge(source(SOUND))
    return judge


def _use(points: list[EntryPoint]) -> None:
    """What listing, completion and a study do with plugins."""
    registry = discover(points)
    offered = list(registry.components())
    assert ("reader", "pictures") in {(component.kind, component.name) for component, _ in offered}
    registry.twice()
    assert registry.unknown("nothing")
    refusals = [str(broken) for broken in (*registry.broken, *registry.doubtful)]
    for component, given_by in offered:
        assert f"{component.label} {component.summary} {given_by}"
        try:
            registry.get(component.kind, component.name).load()
            component.load_config()
        except PluginError as error:
            refusals.append(str(error))
    if refusals:
        raise PluginError(refusals[0])


@share(30)
@given(st.builds(lambda name, value: EntryPoint(name, value, "rdfc"), text(), text()))
def test_an_entry_point_that_names_nothing_is_reported(guard: Guard, point: EntryPoint) -> None:
    guard.judge("plugin", lambda: _use([point, OTHER]), guard.inputs)


@share(30)
@given(
    st.sampled_from(sorted(SOUND)),
    values() | st.sampled_from(["rdfc_core:Component", "os:system", "json:dumps", "", ":", *KINDS]),
)
def test_a_component_of_nonsense_is_reported(announce: Any, field: str, value: Any) -> None:
    announce(source({**SOUND, field: value}))


@share(20)
@given(altered(source(SOUND)))
def test_a_plugin_with_faults_in_its_source_is_reported(announce: Any, content: str) -> None:
    announce(content)


@share(5)
@given(values())
def test_an_interface_version_of_nonsense_is_reported(announce: Any, interface: Any) -> None:
    announce(source(SOUND, repr(interface)))


def test_a_sound_plugin_is_taken(announce: Any) -> None:
    assert Component(**SOUND).load().__name__ == "GreyView"
