"""Importing what a plugin brings: what else that does to the process is undone, and told."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator

from rdfc_core.contract.global_state import GlobalState, touched

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
