"""The contract's pages say what the interfaces ask, and their examples are what the tests run."""

from __future__ import annotations

import ast
import re

import pytest

from rdfc_core import interfaces
from rdfc_core.plugin import hookspecs
from rdfc_core.plugin.class_contract import INTERFACES
from rdfc_core.plugin.component import KINDS
from rdfc_core.scaffold.writer import WRITTEN, plugin_files, write_plugin
from tests.docs_contract import FOLDER, NAME, PAGES

BLOCK = re.compile(r"^`([\w/]+\.py)`:\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_what_the_code_gives(page):
    assert page.read_text(encoding="utf-8") == PAGES[page](), "Renew it: nox -s docs -- --write"


@pytest.mark.parametrize("kind", KINDS)
def test_every_method_of_a_kind_is_told(kind):
    text = (FOLDER / f"{kind}.md").read_text(encoding="utf-8")
    interface = getattr(interfaces, INTERFACES[kind])
    required = set(interface.__abstractmethods__)
    told = re.findall(r"^### `(\w+).*\n\n\*(required|optional) (?:method|property)\*$", text, re.M)
    assert required == {name for name, how in told if how == "required"}
    own = {name for name, thing in vars(interface).items() if callable(thing) and name[0] != "_"}
    assert own <= {name for name, _ in told}
    # What only core calls need not say when; what an author has to write does.
    calls = set(re.findall(r"^\| `(\w+)` \| [A-Z]", text, re.M))
    assert required <= calls or not calls


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_is_the_plugin_whose_own_tests_pass(kind, tmp_path):
    """tests/scaffold/test_writer.py runs those tests."""
    folder = write_plugin(kind, NAME, tmp_path)
    shown = dict(BLOCK.findall((FOLDER / f"{kind}.md").read_text(encoding="utf-8")))
    assert set(shown) == {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")}
    for path, text in shown.items():
        assert (folder / path).read_text(encoding="utf-8") == text


def test_every_hook_is_told_with_its_arguments():
    text = (FOLDER / "index.md").read_text(encoding="utf-8")
    hooks = {name: thing for name, thing in vars(hookspecs).items() if name.startswith("rdfc_")}
    assert len(hooks) >= 4
    for name, hook in hooks.items():
        (arguments,) = re.findall(rf"^### `{name}\((.*)\) ->", text, re.M)
        for argument in hook.__code__.co_varnames[: hook.__code__.co_argcount]:
            assert f"{argument}: " in arguments


def scaffolded_names() -> set[str]:
    """What the plugins that rdfc writes import from `rdfc_core` and `rdfc_core.interfaces`."""
    found = set()
    for kind in WRITTEN:
        for path, text in plugin_files(kind, NAME).items():
            for node in ast.walk(ast.parse(text)) if path.endswith(".py") else ():
                if isinstance(node, ast.ImportFrom) and str(node.module).startswith("rdfc_core"):
                    assert node.module in ("rdfc_core", "rdfc_core.interfaces", "rdfc_core.testing")
                    if node.module != "rdfc_core.testing":
                        found |= {alias.name for alias in node.names}
    return found


def test_every_name_that_a_written_plugin_imports_is_told_on_a_page():
    """And plugins are written against public names alone."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in FOLDER.glob("*.md"))
    told = set(re.findall(r"^### `(?:rdfc_core\.(?:interfaces\.)?)?(\w+)", text, re.M))
    told |= set(INTERFACES.values()) | {"hookimpl"}
    names = scaffolded_names()
    assert {"Case", "Volume", "Batch", "Prepared", "Part"} <= names | {"Part"}
    assert names <= told, names - told


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("types", ["`crop(margin: int = 0) -> Tumour`", "`spacing_mm`", "`any_image`"]),
        ("types", ["### `rdfc_core.PartOf`", "### `rdfc_core.interfaces.Needs`"]),
        ("pretext", ["`draw(view: str, variations"]),
        ("report_section", ["| `png` | The file's bytes"]),
    ],
)
def test_what_goes_with_a_kind_is_told_with_its_methods_and_fields(page, words):
    text = (FOLDER / f"{page}.md").read_text(encoding="utf-8")
    assert [word for word in words if word not in text] == []


def test_there_is_a_page_for_each_kind_and_no_other():
    assert {path.name for path in FOLDER.glob("*.md")} == {path.name for path in PAGES} | {
        "rules.md"
    }
