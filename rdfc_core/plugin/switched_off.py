"""Plugins that the user has switched off: by name, before they are imported."""

from __future__ import annotations

import os
from collections.abc import Iterable

from rdfc_core.errors import StudyError, did_you_mean

VARIABLE = "RDFC_PLUGINS"
"""``-NAME,-OTHER`` switches these off; ``NAME,OTHER`` leaves these alone, beside rdfc itself."""

CORE = "rdfc-core"


def switch_off(names: Iterable[str]) -> None:
    """Switch further plugins off, here and in the processes that this one starts.

    Args:
        names: Of entry points or distributions.
    """
    before = [word for word in os.environ.get(VARIABLE, "").split(",") if word.strip()]
    os.environ[VARIABLE] = ",".join([*before, *(f"-{name}" for name in names)])


def switched_off(plugins: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the plugins that are switched off.

    Args:
        plugins: Entry point and distribution of each.

    Raises:
        StudyError: If a name is none of theirs, or is rdfc's own.
    """
    known = set(plugins)
    words = [word.strip() for word in os.environ.get(VARIABLE, "").split(",") if word.strip()]
    without = {_required(word[1:], known) for word in words if word.startswith("-")}
    only = {_required(word, known) for word in words if not word.startswith("-")}
    core = {one for one in known if _alike(one[1]) == CORE}
    if any(_named(one, without) for one in core):
        raise StudyError(f"{CORE} cannot be switched off: its readers and views are rdfc itself.")
    off = {one for one in known if _named(one, without) or (only and not _named(one, only))}
    return off - core


def _named(plugin: tuple[str, str], names: set[str]) -> bool:
    return bool({_alike(name) for name in plugin} & names)


def _required(name: str, known: set[tuple[str, str]]) -> str:
    names = sorted({one for pair in known for one in pair if one})
    if _alike(name) not in map(_alike, names):
        raise StudyError(
            f"There is no plugin {name!r} to switch on or off (--without, {VARIABLE})."
            f"{did_you_mean(name, names)} Installed: {', '.join(names)}."
        )
    return _alike(name)


def _alike(name: str) -> str:
    """Distributions are the same whatever dashes their names are written with."""
    return name.lower().replace("_", "-").replace(".", "-")
