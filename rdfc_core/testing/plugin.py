"""What rdfc relies on in a plugin as a whole."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution
from importlib.util import find_spec

from rdfc_core.contract.promises import require
from rdfc_core.testing.component import check_component

HEAVY = (
    "torch",
    "torchvision",
    "timm",
    "SimpleITK",
    "radiomics",
    "numba",
    "scipy",
    "sklearn",
    "pandas",
)
"""What listing and completing must not load: each costs a user a second or more."""

_PROBE = """
import sys
from importlib.metadata import EntryPoint
from rdfc_core.plugin.registry import discover
registry = discover([EntryPoint(name, name, "rdfc") for name in sys.argv[1].split(",")])
for component, _ in registry.components():
    component.load_config()
print(*[name for name in sys.argv[2].split(",") if name in sys.modules])
"""


def check_plugin(distribution_or_module: str) -> None:
    """Check a plugin: that it is found, loads nothing heavy, and that its components are sound.

    One that implements hooks and offers no component is a plugin, too.

    Args:
        distribution_or_module: The name of an installed distribution with entry points of the
            group ``rdfc``, or of an importable module that announces components or
            implements hooks.

    Raises:
        AssertionError: If the plugin is broken, announces nothing, does not name its interface
            version, or loads heavy modules when it is listed; or as `check_component`.
        PluginError: If a component's class or configuration cannot be imported.
    """
    from rdfc_core.plugin.registry import discover

    points = _entry_points(distribution_or_module)
    registry = discover(points)
    require(not registry.broken, " ".join(str(plugin) for plugin in registry.broken))
    components = [component for component, _ in registry.components()]
    require(
        components or registry.listening,
        f"{distribution_or_module} announces no component and implements no hook; return "
        "components from a function rdfc_components() marked with @hookimpl.",
    )
    for point in points:
        require(
            isinstance(getattr(sys.modules[point.module], "rdfc_interface", None), int),
            f"{point.module} does not say for which interface it was written; add "
            "rdfc_interface = 1.",
        )
    for component in components:
        check_component(component)
    _check_light(points)


def _entry_points(name: str) -> Sequence[EntryPoint]:
    try:
        points = list(distribution(name).entry_points.select(group="rdfc"))
    except PackageNotFoundError:
        require(
            name.isidentifier() and find_spec(name) is not None,
            f"{name} is neither an installed distribution nor a module; install the plugin first.",
        )
        return [EntryPoint(name, name, "rdfc")]
    require(
        points,
        f"The distribution {name} has no entry point of the group rdfc; add "
        "[project.entry-points.rdfc] to its pyproject.toml.",
    )
    return points


def _check_light(points: Sequence[EntryPoint]) -> None:
    """In a process of its own, since this one has loaded much already."""
    modules = ",".join(point.module for point in points)
    probe = subprocess.run(
        [sys.executable, "-c", _PROBE, modules, ",".join(HEAVY)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    require(probe.returncode == 0, f"Listing {modules} failed: {probe.stderr.strip()[-300:]}")
    loaded = probe.stdout.split()
    require(
        not loaded,
        f"Listing {modules} and reading its options loads {', '.join(loaded)}; import them in the "
        "module of the component's class, not in __init__.py or config.py.",
    )
