"""A new plugin to start from: a distribution that works, with its tests."""

from __future__ import annotations

import json
import keyword
import re
from importlib.resources import files
from pathlib import Path

from rdfc_core import __version__
from rdfc_core.errors import StudyError, with_article
from rdfc_core.plugin.component import KINDS
from rdfc_core.plugin.registry import installed
from rdfc_core.scaffold.kinds import TEMPLATES

HOOK = "hook"
"""A plugin that offers no component and listens to runs."""

WRITTEN = (*KINDS, HOOK)
"""What there is a template for."""

LONGEST_NAME = 30
"""So that the lines of the generated files stay within their limit."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def write_plugin(kind: str, name: str, folder: Path) -> Path:
    """Write a working plugin that offers one component, or hooks, and its tests.

    Args:
        kind: One of `WRITTEN`.
        name: The component's name in a study: lower case, digits and single hyphens.
        folder: Where the distribution's own folder, ``rdfc-<kind>-<name>``, is made.

    Returns:
        The distribution's folder.

    Raises:
        StudyError: If the kind is unknown, the name does not serve as a name of a distribution
            and of a module or is taken, or the folder exists.
    """
    if kind not in WRITTEN:
        raise StudyError(f"There is no kind {kind!r}. Use one of: {', '.join(WRITTEN)}.")
    _check_name(kind, name)
    target = folder / _distribution(kind, name)
    if target.exists():
        raise StudyError(f"{target} exists. Choose another name, or remove it first.")
    contents = plugin_files(kind, name)
    try:
        for path, text in contents.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StudyError(
            f"{target} cannot be written: {error.strerror}. Choose another folder."
        ) from error
    return target


def _check_name(kind: str, name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:LONGEST_NAME]
        near = f" How about {plain.strip('-')!r}?" if plain else ""
        raise StudyError(
            f"{name!r} cannot name a plugin: use at most {LONGEST_NAME} lower-case letters, digits "
            f"and single hyphens, and begin with a letter.{near}"
        )
    if kind in KINDS and name in installed().names(kind):
        raise StudyError(
            f"There is {with_article(kind.replace('_', ' '))} {name!r} already, and two of one "
            "name exclude each other. Choose another name."
        )


def plugin_files(kind: str, name: str) -> dict[str, str]:
    """What a new plugin consists of: path within the distribution → text.

    Args:
        kind: One of `WRITTEN`.
        name: The component's name in a study.
    """
    return _hook_files(name) if kind == HOOK else _component_files(kind, name)


def _component_files(kind: str, name: str) -> dict[str, str]:
    template = TEMPLATES[kind]
    source = _template(f"{kind}/{template.module}.py")
    package, words = _words(kind, name, template.summary, template.needs)
    words |= {
        "EXAMPLE_KIND_ID": kind,
        "EXAMPLE_KIND": kind.replace("_", " "),
        "EXAMPLE_MODULE": template.module,
        "EXAMPLE_USE": template.use,
        "example-name": name,
        '"example"': f'"{name}"',  # in recipes
        "Example": _class_name(name, source),
    }
    return _rendered(
        {
            "pyproject.toml": _template("pyproject.toml.txt"),
            "README.md": _template("README.md.txt"),
            f"{package}/__init__.py": _template("init.py.txt"),
            f"{package}/py.typed": "",
            f"{package}/config.py": _template(f"{kind}/config.py"),
            f"{package}/{template.module}.py": source,
            f"tests/test_{name.replace('-', '_')}.py": _template(f"{kind}/test.py.txt"),
        },
        words,
    )


def _hook_files(name: str) -> dict[str, str]:
    package, words = _words(HOOK, name, "Stops a run when a file asks it to", ())
    return _rendered(
        {
            "pyproject.toml": _template("pyproject.toml.txt"),
            "README.md": _template("hook/README.md.txt"),
            f"{package}/__init__.py": _template("hook/__init__.py"),
            f"{package}/py.typed": "",
            f"tests/test_{name.replace('-', '_')}.py": _template("hook/test.py.txt"),
        },
        {**words, "example-name": name},
    )


def _words(
    kind: str, name: str, summary: str, needs: tuple[str, ...]
) -> tuple[str, dict[str, str]]:
    """The package's name, and what stands for the words of every template; in this order."""
    distribution = _distribution(kind, name)
    package = distribution.replace("-", "_")
    release = ".".join(__version__.split(".")[:2])
    below = f"{release.split('.')[0]}.{int(release.split('.')[1]) + 1}"
    own = () if kind == HOOK else ("pydantic>=2.9",)
    trains = any(need.startswith("torch") for need in needs)
    core = f"{'rdfc-core[train]' if trains else 'rdfc-core'}>={release},<{below}"
    return package, {
        "example_package": package,
        "example-distribution": distribution,
        "example_name": name.replace("-", "_"),
        "EXAMPLE_SUMMARY": summary,
        "EXAMPLE_DEPENDENCIES": json.dumps(sorted([*own, core, *needs])),
    }


def _template(path: str) -> str:
    root = files("rdfc_core.scaffold.templates")
    return root.joinpath(*path.split("/")).read_text(encoding="utf-8")


def _rendered(texts: dict[str, str], words: dict[str, str]) -> dict[str, str]:
    for word, value in words.items():
        texts = {path: text.replace(word, value) for path, text in texts.items()}
    return texts


def _distribution(kind: str, name: str) -> str:
    return f"rdfc-{kind.replace('_', '-')}-{name}"


def _class_name(name: str, source: str) -> str:
    """``conv-next`` → ``ConvNext``; with a suffix where the template's module uses that word."""
    camel = "".join(part.capitalize() for part in name.split("-"))
    words = set(re.findall(r"\w+", source))
    return f"{camel}Plugin" if camel in words or keyword.iskeyword(camel) else camel
