"""The house stands: imports point downwards, core knows no plugin, plugins know only the ground."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import rdfc_core

CORE = Path(rdfc_core.__file__).parent
PLUGINS = CORE.parent / "plugins"

FLOORS: list[set[str]] = [
    {"cli", "__main__"},
    {"api"},
    {"doctor", "scaffold", "testing"},
    {"export"},
    {"pipeline", "report"},
    {"evaluation"},
    {"models"},
    {"training"},
    {"data", "distributed", "views"},
    {"config", "extraction"},
    {"plugin", ""},
    {"contract"},
    {"interfaces", "radiomics"},
    {"case", "results"},
    {"mask_grid", "utils", "volume"},
    {"errors"},
]
"""From the roof to the ground, by package; "" is what `rdfc_core` itself offers. Names of `api` are
among it, and are looked up on first use: importing it loads nothing of a floor above."""

OPEN_TO_PLUGINS = {
    "",
    "case",
    "data.cells",
    "errors",
    "interfaces",
    "plugin.component",
    "radiomics",
    "testing",
    "utils.state_dict",
    "volume",
}


def modules_under(folder: Path, package: str) -> dict[str, Path]:
    """Dotted name → file, of a package and everything below it."""
    found = {}
    for file in sorted(folder.rglob("*.py")):
        parts = [package, *file.relative_to(folder).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


MODULES = modules_under(CORE, "rdfc_core")
TEMPLATES = {name: file for name, file in MODULES.items() if ".scaffold.templates" in name}
OWN = {name: file for name, file in MODULES.items() if name not in TEMPLATES}


def imports_of(file: Path, types_too: bool = True) -> Iterator[str]:
    """Every module that a file imports, at its top or inside a function."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    only_types: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            only_types |= {id(inner) for statement in node.body for inner in ast.walk(statement)}
    for node in ast.walk(tree):
        if not types_too and id(node) in only_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:  # others stay in the package
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in MODULES else str(node.module)


def package_of(module: str) -> str:
    """What stands on a floor: a package, or a module at the root; "" is `rdfc_core` itself."""
    return module.removeprefix("rdfc_core").removeprefix(".").partition(".")[0]


def floor_of(module: str) -> int:
    """Counted from the roof; larger is lower."""
    name = package_of(module)
    for number, floor in enumerate(FLOORS):
        if name in floor:
            return number
    raise AssertionError(f"{module} stands on no floor: give {name} one in FLOORS")


def core_imports(file: Path, types_too: bool = True) -> set[str]:
    return {m for m in imports_of(file, types_too) if m.partition(".")[0] == "rdfc_core"}


@pytest.mark.parametrize("module", OWN)
def test_imports_point_downwards(module):
    here = floor_of(module)
    upwards = [
        f"{module} (floor {here}) imports {other} (floor {floor_of(other)})"
        for other in core_imports(OWN[module], types_too=module != "rdfc_core")
        if other not in TEMPLATES and floor_of(other) < here
    ]
    assert not upwards


def test_no_module_imports_itself_in_a_circle():
    graph = {module: core_imports(file, types_too=False) for module, file in OWN.items()}
    for module, others in graph.items():
        others.discard(module)
        # A package that collects its modules is imported by its modules' own path.
        others -= {other for other in others if module.startswith(f"{other}.")}
    list(TopologicalSorter(graph).static_order())


def test_no_package_imports_itself_in_a_circle():
    """Packages of one floor may know each other one way, never both ways."""
    graph: dict[str, set[str]] = {}
    for module, file in OWN.items():
        for other in core_imports(file, types_too=module != "rdfc_core"):
            if package_of(other) != package_of(module):
                graph.setdefault(package_of(module), set()).add(package_of(other))
    list(TopologicalSorter(graph).static_order())


def test_core_imports_no_plugin():
    for module, file in MODULES.items():
        roots = {name.partition(".")[0] for name in imports_of(file)}
        assert not {root for root in roots if root.startswith("rdfc_")} - {"rdfc_core"}, module


def plugin_modules() -> dict[str, Path]:
    found = {}
    for package in sorted(PLUGINS.glob("*/rdfc_*")):
        found |= modules_under(package, package.name)
    return found


def test_there_are_plugins_to_look_at():
    assert len({name.partition(".")[0] for name in plugin_modules()}) >= 6


@pytest.mark.parametrize("module", [*plugin_modules(), *TEMPLATES])
def test_plugins_import_the_ground_floors_and_themselves_and_never_each_other(module):
    file = {**plugin_modules(), **TEMPLATES}[module]
    own = module.partition(".")[0]
    for name in imports_of(file):
        root, _, rest = name.partition(".")
        if root == "rdfc_core":
            assert {rest, rest.partition(".")[0]} & OPEN_TO_PLUGINS, f"{module} imports {name}"
        elif root.startswith("rdfc_"):
            assert root == own, f"{module} imports {name}"


@pytest.mark.parametrize("package", sorted(p.name for p in PLUGINS.glob("*/rdfc_*")))
def test_every_plugin_says_which_interface_it_was_written_for(package):
    module = plugin_modules()[package]
    names = {
        target.id
        for node in ast.parse(module.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert "rdfc_interface" in names


def test_every_floor_holds_what_it_names():
    for name in set().union(*FLOORS):
        assert f"rdfc_core.{name}".rstrip(".") in MODULES, f"{name} is gone: take it from FLOORS"
