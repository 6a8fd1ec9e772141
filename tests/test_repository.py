"""What lies in the repository: the fixed top level, whole plugins, and no registry's address."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import rdfc_core
import tests
from tests.conftest import LONGEST

ROOT = Path(__file__).parent.parent
TOP_LEVEL = {
    ".ci",
    ".github",
    ".gitignore",
    ".pre-commit-config.yaml",
    ".python-version",
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "docs",
    "mkdocs.yml",
    "noxfile.py",
    "plugins",
    "pyproject.toml",
    "rdfc_core",
    "tests",
}
REGISTRY = re.compile(
    r"https?://[^\s\"')]*(pypi|/simple|artifactory|nexus|index-url)", re.IGNORECASE
)
PATH = re.compile(r"`((?:rdfc_core|tests|docs|plugins)/[\w./*-]+)`")
PLUGINS = sorted(
    path for path in (ROOT / "plugins").iterdir() if (path / "pyproject.toml").exists()
)


@pytest.fixture(scope="module")
def committed() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [Path(name) for name in listed.stdout.split("\0") if name]


def test_the_top_level_is_the_fixed_one(committed):
    assert {path.parts[0] for path in committed} == TOP_LEVEL


def test_no_committed_file_holds_a_registry_address(committed):
    assert not [path for path in committed if path.name == "uv.lock"]
    for path in committed:
        if path != Path(__file__).relative_to(ROOT):
            text = (ROOT / path).read_bytes().decode("utf-8", errors="replace")
            assert not REGISTRY.search(text), path


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_a_plugin_is_a_whole_distribution(plugin):
    about = tomllib.loads((plugin / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    package = plugin.name.replace("-", "_")
    assert about["name"] == plugin.name
    assert any(one.startswith("rdfc-core") for one in about["dependencies"])
    assert list(about["entry-points"]["rdfc"].values()) == [package]
    assert (plugin / package / "py.typed").exists()
    assert len((plugin / "README.md").read_text(encoding="utf-8").splitlines()) > 10
    assert list((plugin / "tests").glob("test_*.py"))


def test_one_version_for_all_distributions():
    for folder in (ROOT, *PLUGINS):
        about = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        assert about["project"]["dynamic"] == ["version"], folder
        source = folder / about["tool"]["hatch"]["version"]["path"]
        assert source.resolve() == ROOT / "rdfc_core" / "__init__.py"
    for name in ("rdfc-core", *(path.name for path in PLUGINS)):
        assert version(name) == rdfc_core.__version__, name
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == rdfc_core.__version__


def test_the_changelog_has_the_usual_form():
    """Keep a Changelog: versions, the newest first, and the six headings within them."""
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    versions = [line for line in lines if line.startswith("## ")]
    assert versions[0] == "## [Unreleased]"
    for line in versions[1:]:
        assert re.fullmatch(r"## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", line), line
    usual = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert {line[4:] for line in lines if line.startswith("### ")} <= usual


def test_every_path_that_contributing_names_is_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.count("|") == 4]
    places = {cell[0].strip(): PATH.findall(cell[1] + cell[2]) for cell in rows}
    tasks = {task: named for task, named in places.items() if named}
    assert len(tasks) == 15
    for task, named in tasks.items():
        assert len(named) >= 2, task  # where it is, and where it is tested
    for path in PATH.findall(text):
        assert list(ROOT.glob(path)), path


def test_the_extras_and_the_pip_install_name_every_plugin():
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = {path.name for path in PLUGINS}
    extras = about["project"]["optional-dependencies"]
    named = {Requirement(one).name for extra in extras.values() for one in extra}
    assert {one for one in named if one.startswith("rdfc-")} == names | {"rdfc-core"}
    assert set(about["tool"]["uv"]["sources"]) == names | {"rdfc-core"}
    install = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\./plugins/(rdfc-[\w-]+)", install)) == names


def test_helpers_of_the_tests_are_imported_as_tests_support_and_tests_fuzz():
    """By one name everywhere: pickles, entry points and other processes know no other."""
    assert Path(tests.__file__).parent == ROOT / "tests"  # and not that of a distribution
    helpers = [*ROOT.glob("tests/support/*.py"), *ROOT.glob("tests/fuzz/*.py")]
    names = "|".join(helper.stem for helper in helpers if helper.stem != "__init__")
    bare = re.compile(rf"^ *(?:import|from) (?:{names})\b", re.MULTILINE)
    for file in (*ROOT.glob("tests/**/*.py"), *ROOT.glob("plugins/*/tests/*.py")):
        assert not bare.search(file.read_text(encoding="utf-8")), file


def test_the_longest_test_files_are_there():
    assert [name for name in LONGEST if not (ROOT / name).is_file()] == []


@functools.cache
def sources() -> dict[Path, ast.Module]:
    """The modules that users install, and what they hold; templates are an author's."""
    files = [*(ROOT / "rdfc_core").rglob("*.py"), *ROOT.glob("plugins/*/rdfc_*/**/*.py")]
    return {
        file.relative_to(ROOT): ast.parse(file.read_text(encoding="utf-8"))
        for file in files
        if "templates" not in file.parts
    }


def test_a_class_name_is_given_once():
    homes: dict[str, list[str]] = {}
    for file, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(str(file))
    assert len(homes) > 200
    assert not {name: places for name, places in homes.items() if len(places) > 1}


def test_functions_and_modules_are_short():
    long = []
    for file, tree in sources().items():
        lines = len((ROOT / file).read_text(encoding="utf-8").splitlines())
        long += [(lines, str(file))] if lines > 300 else []
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                # Without its signature: a command's declares its options and their help.
                first, last = node.body[0].lineno, node.body[-1].end_lineno
                lines = (last or first) - first + 1
                long += [(lines, f"{file}: {node.name}")] if lines >= 70 else []
    assert not long


PRIVATE_TORCH = {
    ("rdfc_core/doctor.py", "torch.ops.torchvision._cuda_version"),
    ("rdfc_core/training/cpu_instructions.py", "torch.cpu._is_amx_tile_supported"),
    ("rdfc_core/training/cpu_instructions.py", "torch.cpu._is_avx512_bf16_supported"),
    ("rdfc_core/training/memory_format.py", "torch._dynamo.exc"),
}
"""Where no public way exists; a comment there says why."""


def private_names_of_torch(file: Path) -> set[str]:
    """``torch.a._b`` and ``from torch._a import b``, as far as the names begin with ``torch``."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [str(node.module)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Attribute):
            names = [ast.unparse(node)]
        for name in names:
            first, *rest = name.split(".")
            private = [part for part in rest if part.startswith("_") and part[:2] != "__"]
            if first == "torch" and private:
                found.add(name)
    return found


def test_torch_is_called_by_its_public_names():
    files = [*ROOT.glob("rdfc_core/**/*.py"), *ROOT.glob("plugins/*/rdfc_*/**/*.py")]
    found = {
        (file.relative_to(ROOT).as_posix(), name)
        for file in files
        for name in private_names_of_torch(file)
    }
    assert found == PRIVATE_TORCH
