"""The contract's pages say what the interfaces ask, and their examples are what the tests run."""

from __future__ import annotations

import re

import pytest

from rdfc_core import interfaces
from rdfc_core.plugin import hookspecs
from rdfc_core.plugin.class_contract import INTERFACES
from rdfc_core.plugin.component import KINDS
from rdfc_core.scaffold.writer import write_plugin
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


def test_there_is_a_page_for_each_kind_and_no_other():
    assert {path.name for path in FOLDER.glob("*.md")} == {path.name for path in PAGES} | {
        "rules.md"
    }
