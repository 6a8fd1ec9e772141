"""What lies in the repository: the fixed top level, whole plugins, and no registry's address."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOP_LEVEL = {
    ".ci",
    ".gitignore",
    ".python-version",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "docs",
    "noxfile.py",
    "plugins",
    "pyproject.toml",
    "rdfc_core",
    "tests",
}
REGISTRY = re.compile(
    r"https?://[^\s\"')]*(pypi|/simple|artifactory|nexus|index-url)", re.IGNORECASE
)
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


def test_the_paper_extra_and_the_pip_install_name_every_plugin():
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = {path.name for path in PLUGINS}
    assert set(about["project"]["optional-dependencies"]["paper"]) == names
    assert set(about["tool"]["uv"]["sources"]) == names | {"rdfc-core"}
    install = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\./plugins/(rdfc-[\w-]+)", install)) == names
