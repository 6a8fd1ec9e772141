"""Where in whose code an error happened."""

from __future__ import annotations

import traceback


def place_in(error: BaseException, package: str) -> str:
    """Module and line of the deepest frame of a package's own code; "" if there is none.

    What the code calls (pydantic, torch, rdfc itself) lies deeper, and its author does not look
    there.

    Args:
        error: As it was caught.
        package: The first part of the name of its modules.
    """
    found = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] == package:
            found = f"{module}, line {line}"
    return found
