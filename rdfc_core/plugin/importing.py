"""Importing what a plugin brings: what else that does to the process is undone, and told."""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Iterator
from typing import Any

from rdfc_core.contract.global_state import GlobalState, touched
from rdfc_core.errors import PluginError, out_of_memory
from rdfc_core.utils.tracebacks import place_in

LONGEST = 60
"""Letters of what was printed that are told."""


@contextlib.contextmanager
def side_effects() -> Iterator[list[str]]:
    """A list that holds, after the block, what an import did besides, in words; it is undone.

    What it prints is kept from standard output, which belongs to the command. Standard error is
    left alone: a progress bar may be drawn there at the same time. Draws from Python's and NumPy's
    global generators are undone without a word, since libraries that are imported make some.
    """
    found: list[str] = []
    printed, before = io.StringIO(), GlobalState.now()
    try:
        with contextlib.redirect_stdout(printed):
            yield found
    finally:
        after = GlobalState.now()
        if after != before:
            before.restore()
        text = " ".join(printed.getvalue().split())
        if text:
            shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
            found.append(f"prints {shown!r}; take the print out, or use logging")
        found += touched(before, after, draws=False)


def imported(path: str, label: str) -> Any:
    """What stands at ``package.module:Name``.

    Args:
        path: Names it.
        label: The component that it belongs to, for messages.

    Raises:
        PluginError: If its module fails to import, or there is nothing of that name.
    """
    module_name, _, attribute = path.partition(":")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except (Exception, SystemExit) as error:  # a plugin may fail in any way: say which one
        if out_of_memory(error):  # it is no plugin's fault then
            raise MemoryError(str(error)) from error
        remedy = "Reinstall or upgrade the plugin."
        own = module_name.partition(".")[0]
        if isinstance(error, AttributeError) or not attribute:
            remedy = "Write package.module:Class in its Component."
        elif isinstance(error, ModuleNotFoundError) and error.name:
            outside = error.name.partition(".")[0] != own
            remedy = (
                f"Install {error.name}, or announce it by requires= in the plugin's Component."
                if outside
                else "Correct the module's name in the plugin's Component."
            )
        place = place_in(error, own)
        where = f" (in {place})" if place else ""
        raise PluginError(
            f"The {label} could not be loaded from {path}: {type(error).__name__}: {error}{where}. "
            f"{remedy}"
        ) from error
