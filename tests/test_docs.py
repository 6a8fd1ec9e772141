"""What the documentation says beside its commands: messages, files, names, and where links lead."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

import rdfc_core
from rdfc_core import interfaces, testing
from rdfc_core.cli.study_sections import option, section
from rdfc_core.config.load import load_study
from rdfc_core.config.resolve import resolve
from rdfc_core.utils.serialization import parse_yaml

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SOURCES = [*ROOT.glob("rdfc_core/**/*.py"), *ROOT.glob("plugins/*/rdfc_*/**/*.py")]
LINK = re.compile(r"(?<=\]\()(?![a-z]+:)([^)#\s]*)(?:#([^)\s]+))?")
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
"""In which brackets may follow each other without being a link."""
FLAGS = re.MULTILINE | re.DOTALL
JOURNALS = ("results", "performance", "decisions")
BESIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


def cells(page: Path, heading: str) -> list[str]:
    """The code in the first column of the tables whose first heading is the given one."""
    found, inside = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        first = line.split("|")[1].strip() if line.startswith("|") else None
        inside = first == heading or (inside and first is not None)
        if inside and first and first.startswith("`"):
            found.append(first.strip("`"))
    return found


def test_every_message_of_the_troubleshooting_is_one_of_rdfc():
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    messages = cells(DOCS / "how-to" / "troubleshooting.md", "message")
    assert len(messages) > 20
    assert [message for message in messages if message not in code] == []


def test_the_page_on_the_run_folder_names_what_a_run_writes(finished, finished_tables):
    named = {name.rstrip("/") for name in cells(DOCS / "reference" / "run-folder.md", "file")}
    written = {path.name for run in (finished, finished_tables) for path in run.iterdir()}
    assert written - {".lock"} <= named
    assert named - written <= {
        *("trials", "attention.parquet"),  # where a study asks for them
        "report.html",  # drawn by the command
        *("checklist.md", "checklist.html"),  # where somebody asks for them
        "sections.json",  # where a plugin adds to the report
        "loggers",  # where others than the default are told
        "stability.parquet",  # where a view keeps stable features alone
    }


def test_every_public_name_has_its_place_in_the_reference():
    pages = [DOCS / "reference" / name for name in ("python.md", "plugin-interfaces.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    listed = re.findall(r"^::: ([\w.]+)$", text, re.MULTILINE)
    shown = set(listed)
    assert len(listed) == len(shown)  # each in one place
    for module in (rdfc_core, interfaces, testing):
        names = {f"{module.__name__}.{name}" for name in module.__all__ if name[0] != "_"}
        assert names <= shown
        shown -= names
    assert not shown


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_studies_on_a_page_are_valid(page, registry, monkeypatch, tmp_path):
    """Those that are named as files: each option is known, each value fits."""
    monkeypatch.chdir(tmp_path)
    for block in re.findall(
        r"^```yaml\n(# [\w.-]+\.yaml\n.*?)^```", page.read_text("utf-8"), FLAGS
    ):
        resolve(load_study(parse_yaml(block)), registry)


def test_options_that_pages_set_are_options_of_a_study():
    """``--set`` on any page: the path is looked up; values are checked where commands run."""
    found = {
        (page.stem, path)
        for page in DOCS.rglob("*.md")
        if page.stem not in JOURNALS
        for path in re.findall(
            r"(?:--set \"?|`)((?:split|pretrain|evaluate)\.[\w.]+)", page.read_text("utf-8")
        )
    }
    assert len(found) > 20
    for page, path in sorted(found):
        assert option(path) or section(path), f"{page}: {path}"


@pytest.mark.parametrize(
    "page",
    [*(ROOT / name for name in BESIDE), *sorted(DOCS.rglob("*.md")), *ROOT.glob("plugins/*/*.md")],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_links_lead_to_files_of_the_repository(page):
    """As who reads them without the site follows them; the site's own build checks headings."""
    for target, _ in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        if target:
            assert (page.parent / target).exists(), target


def test_the_site_rewrites_links_and_leaves_code_alone():
    hooks = runpy.run_path(str(DOCS / "hooks.py"))
    code = "```python\nfeatures = towers[name](batch.draw(name))\n```\n"
    text = f"[changes](../../../CHANGELOG.md)\n\n{code}\n[here](../files.md)\n"
    found = hooks["_with_links"](text, "docs/reference/contract/x.md", "reference/contract/x.md")
    assert code in found
    assert "[here](../files.md)" in found
    assert "CHANGELOG" not in found
