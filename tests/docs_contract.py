"""The pages of the contract: what a component of each kind has to do, read from the interfaces.

A kind that joins `INTERFACES` gets its page by itself: its interface says what is asked, and the
plugin that `rdfc plugins new` writes is its example.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path

import griffe
from pydantic import BaseModel

from rdfc_core import interfaces
from rdfc_core.cli.option_help import options_in_words
from rdfc_core.plugin.class_contract import INTERFACES
from rdfc_core.scaffold.writer import HOOK, plugin_files
from tests.docs_reference import GENERATED, option_table

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "reference" / "contract"
NAME = "sample"
"""What the examples' components are called."""

INDEX = """# The contract of plugins

What rdfc gives a component, what it expects of it, and when it asks. Every kind has a page, with
its methods, the types that go with them and a complete example. [What holds for all
kinds](rules.md): shapes, formats, units, readers, random numbers, processes. [What components are
given, and give](types.md): cases, tumours, volumes, parts, errors. [How to write a
plugin](../../how-to/plugins.md) begins at the beginning, and [the compatibility
policy](../compatibility.md) says what a new version may change.

## Kinds

| kind | class in `rdfc_core.interfaces` | what it is |
| --- | --- | --- |
"""

TYPES = """# What components are given, and give

Types that belong to several kinds. Those of one kind stand on its page. Import them from where
their heading says; everything else in `rdfc_core` is internal.

"""

SHARED = {
    "What is announced and configured": ("Component", "Part", "PartOf", "NoOptions"),
    "Cases and images": ("Case", "Tumour", "Volume", "interfaces.Needs", "interfaces.Prepared"),
    "Errors": ("DataError", "StudyError", "ShapeError", "PluginError", "ContractError"),
    "What a run says": ("Stop", "Results"),
}
"""Heading → names in `rdfc_core` that scaffolds and contracts use, and no single kind owns."""

TOLD = {"Component": (), "Case": ("of_images", "load"), "Results": ("read", "to_dataframe")}
"""Of classes with many methods those that a plugin may want."""

HOOKS = """
## Hooks

Functions that a plugin's module marks with `rdfc_core.hookimpl`. An implementation takes those of
the arguments that it needs, by name. All run in the first process of a run.

"""


def index() -> str:
    """What holds for all kinds."""
    lines = [GENERATED, INDEX]
    for kind, name in INTERFACES.items():
        summary = _sentence(_of_class(name))
        lines.append(f"| [`{kind}`]({kind}.md) | `{name}` | {summary} |\n")
    lines.append(HOOKS)
    hookspecs = _source()["plugin.hookspecs"]
    lines += [
        f"### `{_signature(hook)}`\n\n{_words(hook)}\n"
        for hook in _members(hookspecs)
        if isinstance(hook, griffe.Function) and hook.name.startswith("rdfc_")
    ]
    files = plugin_files(HOOK, NAME)
    lines.append(
        f"### A complete example\n\nWhat `rdfc plugins new {HOOK} {NAME}` writes, beside a "
        "`pyproject.toml` and a README; its tests are run with those of rdfc.\n"
    )
    lines += [f"\n`{p}`:\n\n```python\n{t}```\n" for p, t in files.items() if p.endswith(".py")]
    return "".join(lines).rstrip("\n") + "\n"


def types() -> str:
    """What several kinds are given, and give."""
    parts = [f"{GENERATED}\n{TYPES.rstrip()}\n"]
    for heading, names in SHARED.items():
        parts.append(f"## {heading}\n")
        for name in names:
            home, _, own = f"rdfc_core.{name}".rpartition(".")
            thing = getattr(importlib.import_module(home), own)
            found = _source()[f"{thing.__module__.removeprefix('rdfc_core.')}.{own}"]
            assert isinstance(found, griffe.Class)
            parts += [f"### `{home}.{own}`\n", _words(found), *_of_instance(found)]
    return "\n".join(parts).rstrip("\n") + "\n"


def _of_instance(own: griffe.Class) -> Iterator[str]:
    """Methods and properties that are told, a line each."""
    rows = [
        f"| `{_cell(_signature(one))}` | {_sentence(one)} |"
        for one in _members(own)
        if _is_method(one) and one.docstring and one.name in TOLD.get(own.name, (one.name,))
    ]
    if rows:
        yield "\n".join(["| method or property | meaning |", "| --- | --- |", *rows, ""])


def page(kind: str) -> str:
    """The contract of one kind."""
    name = INTERFACES[kind]
    own = _of_class(name)
    files = plugin_files(kind, NAME)
    use = _between(files["README.md"], "```yaml\n", "```")
    parts = [
        f"{GENERATED}\n# `{kind}`\n",
        f"`rdfc_core.interfaces.{name}`, checked by `rdfc_core.testing.check_{kind}`.\n",
        _words(own),
        *_attributes(own, "Attributes"),
        "## Methods\n",
        *(_method(method) for method in _methods(name)),
        *_calls(name),
        *_related(own),
        "## In a study\n",
        f"```yaml\n{use}```\n",
        "## A complete example\n",
        f"What `rdfc plugins new {kind} {NAME}` writes, beside a `pyproject.toml` and a README; "
        "its tests are run with those of rdfc.\n",
        *(
            f"`{path}`:\n\n```python\n{text}```\n"
            for path, text in files.items()
            if path.endswith(".py")
        ),
    ]
    return "\n".join(parts)


PAGES: dict[Path, Callable[[], str]] = {
    FOLDER / "index.md": index,
    FOLDER / "types.md": types,
    **{FOLDER / f"{kind}.md": functools.partial(page, kind) for kind in INTERFACES},
}
"""Page → what gives it."""


@functools.cache
def _source() -> griffe.Module:
    """All of core, read and not imported."""
    found = griffe.load("rdfc_core", search_paths=[str(ROOT)])
    assert isinstance(found, griffe.Module)
    return found


def _of_class(name: str) -> griffe.Class:
    """A class of `rdfc_core.interfaces`, as its source has it."""
    module = getattr(interfaces, name).__module__.removeprefix("rdfc_core.")
    found = _source()[f"{module}.{name}"]
    assert isinstance(found, griffe.Class)
    return found


def _members(holder: griffe.Object) -> Iterator[griffe.Object]:
    """What is defined there, in order; nothing that is imported or private."""
    for member in holder.members.values():
        if isinstance(member, griffe.Object) and not member.name.startswith("_"):
            yield member


def _methods(name: str) -> list[griffe.Object]:
    """Methods and properties, also of the interfaces that it derives from; the required first."""
    found: dict[str, griffe.Object] = {}
    for base in getattr(interfaces, name).__mro__:
        if base.__module__.startswith("rdfc_core.interfaces"):
            place = f"{base.__module__}.{base.__name__}".removeprefix("rdfc_core.")
            for member in _members(_source()[place]):
                if _is_method(member):
                    found.setdefault(member.name, member)
    return sorted(found.values(), key=lambda member: "abstractmethod" not in member.labels)


def _is_method(member: griffe.Object) -> bool:
    return isinstance(member, griffe.Function) or "property" in member.labels


def _method(member: griffe.Object) -> str:
    required = "required" if "abstractmethod" in member.labels else "optional"
    what = "property" if "property" in member.labels else "method"
    return f"### `{_signature(member)}`\n\n*{required} {what}*\n\n{_words(member)}"


def _signature(member: griffe.Object) -> str:
    if isinstance(member, griffe.Function):
        shown = [p for p in member.parameters if p.name not in ("self", "cls")]
        rest = griffe.ParameterKind.var_keyword
        arguments = ", ".join(
            f"**{p.name}: {p.annotation}"
            if p.kind is rest
            else f"{p.name}: {p.annotation}" + (f" = {p.default}" if p.default is not None else "")
            for p in shown
        )
        return f"{member.name}({arguments}) -> {member.returns}"
    return f"{member.name}: {getattr(member, 'annotation', '')}"


def _attributes(own: griffe.Class, heading: str = "") -> Iterator[str]:
    """A table of them, below a heading where one is given."""
    described = {
        one.name: one.description
        for section in _sections(own)
        if section.kind is griffe.DocstringSectionKind.attributes
        for one in section.value
    }
    rows = []
    for member in _members(own):
        if isinstance(member, griffe.Attribute) and not _is_method(member):
            text = member.docstring.value if member.docstring else described.get(member.name, "")
            default = f"default `{member.value}`" if member.value is not None else "to be set"
            facts = f"*{_cell(str(member.annotation))}*; {default}"
            rows.append(f"| `{member.name}` | {_cell(text)}<br>{facts} |")
    if rows:
        yield from [f"## {heading}\n"] if heading else []
        yield "\n".join(["| attribute | meaning |", "| --- | --- |", *rows, ""])


def _calls(name: str) -> Iterator[str]:
    """Who calls what, and when, where the interface says so."""
    rows = [
        f"| `{method.name}` | {_cell(section.value.contents)} |"
        for method in _methods(name)
        for section in _sections(method)
        if section.title == "Called"
    ]
    if rows:
        yield "## When it is called\n"
        yield "\n".join(["| method | by whom, and when |", "| --- | --- |", *rows, ""])


BESIDE = {"View": ("interfaces.tower.Tower",)}
"""What goes with an interface and has a module of its own."""


def _related(own: griffe.Class) -> Iterator[str]:
    """Public names of the same module, or that it exports: what the methods are given, and give."""
    exported = own.module.exports or []
    others: list[griffe.Object] = [_source()[place] for place in BESIDE.get(own.name, ())]
    for name, member in own.module.members.items():
        if name in interfaces.__all__ and name != own.name:
            if isinstance(member, griffe.Object):
                others.append(member)
            elif name in exported and isinstance(member.final_target, griffe.Object):
                others.append(member.final_target)
    if others:
        yield "## What goes with it\n"
    for member in others:
        word = _signature(member) if isinstance(member, griffe.Function) else member.name
        yield f"### `{word}`\n\n{_words(member)}"
        arguments = griffe.DocstringSectionKind.parameters
        told = any(section.kind is arguments for section in _sections(member))
        kind = getattr(interfaces, member.name)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield option_table(options_in_words(kind.model_json_schema(), {}), {})
        elif isinstance(member, griffe.Class) and not told:
            yield from _attributes(member)
        if isinstance(member, griffe.Class) and not _is_kind(member):
            yield from _of_instance(member)


def _is_kind(own: griffe.Class) -> bool:
    """Whether it has a page of its own."""
    return own.name in INTERFACES.values()


def _sections(member: griffe.Object) -> list[griffe.DocstringSection]:
    return member.docstring.parse("google", warnings=False) if member.docstring else []


def _sentence(member: griffe.Object) -> str:
    """The first line of what is said about it."""
    return _cell(member.docstring.value.split("\n\n")[0]) if member.docstring else ""


def _words(member: griffe.Object) -> str:
    """What is said about it, as Markdown; when it is called stands in a table of its own."""
    kinds = griffe.DocstringSectionKind
    found = []
    for section in _sections(member):
        if section.kind is kinds.text:
            found.append(section.value.replace("``", "`") + "\n")
        elif section.kind in (kinds.parameters, kinds.raises, kinds.returns):
            heading = {kinds.raises: "Raises", kinds.returns: "Gives"}.get(section.kind, "Takes")
            found.append(f"{heading}:\n\n" + "".join(map(_item, section.value)))
        elif section.kind is kinds.admonition and section.title != "Called":
            found.append(f"{section.title}: {_cell(section.value.contents)}\n")
    return "\n".join(found)


def _item(one: griffe.DocstringNamedElement) -> str:
    named = getattr(one, "name", "") or (
        str(one.annotation) if isinstance(one, griffe.DocstringRaise) else ""
    )
    return f"- {f'`{named}`: ' if named else ''}{_cell(one.description)}\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("``", "`").split())


def _between(text: str, start: str, end: str) -> str:
    return text.partition(start)[2].partition(end)[0]
