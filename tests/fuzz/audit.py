"""What the interpreter is asked to do while an input is read: seen by an audit hook.

Python tells a hook of every file it opens, every process it starts, every piece of code it runs
(PEP 578). A hook cannot be taken off again, so there is one, which looks only while it is armed.
"""

from __future__ import annotations

import dataclasses
import inspect
import os
import sys
import sysconfig
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

ROOT = Path(__file__).parents[2]
TRUSTED = tuple(
    str(folder)
    for folder in {
        ROOT / "rdfc_core",
        ROOT / "plugins",
        ROOT / "tests",
        Path(sys.prefix),
        Path(sys.base_prefix),
        *(Path(sysconfig.get_path(kind)) for kind in ("stdlib", "purelib", "platlib")),
    }
)
"""Code from below these is the project's own, or of a library that it depends on."""

COMPILED = "__pycache__"
"""Where Python, and Numba, keep what they compiled of installed code."""

READERS_OF_ANNOTATIONS = (typing.__file__, inspect.__file__, dataclasses.__file__)

HARMLESS = ("/numba/core/caching.py", "/numba/core/serialize.py", "/ctypes/util.py")
"""Numba unpickles what it compiled of installed code; ctypes asks ldconfig for libraries."""

STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn")
TALKS = ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo")
UNPICKLES = ("pickle.find_class",)
RUNS = "exec"
CHANGES = {
    "os.chmod": (0,),
    "os.link": (1,),
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "shutil.move": (0, 1),
    "shutil.rmtree": (0,),
    "sqlite3.connect": (0,),
}
"""Event → which of its arguments are paths that it changes."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class _Armed:
    """What is allowed while the hook looks, and what it saw beside that."""

    def __init__(self, allowed: tuple[Path, ...], trusted: tuple[Path, ...]) -> None:
        self.allowed = tuple(os.path.realpath(folder) for folder in allowed)
        self.trusted = (*TRUSTED, *map(str, trusted))
        self.seen: list[str] = []

    def look(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if set(mode or "") & set("wax+") or (flags or 0) & WRITING:
                self._changes("writes", path)
        elif event in CHANGES:
            for place in CHANGES[event]:
                self._changes(event, arguments[place])
        elif event in (*STARTS, *TALKS, *UNPICKLES) and not _called_from(*HARMLESS):
            self.seen.append(f"{event} {arguments!r:.200}")
        elif event == RUNS:
            self._runs(arguments[0].co_filename)

    def _changes(self, how: str, path: Any) -> None:
        if isinstance(path, int) or path == ":memory:":
            return
        name = os.fsdecode(path)
        if name.startswith("file:"):  # as SQLite takes them
            name = url2pathname(urlsplit(name).path)
        place = os.path.realpath(name)
        if COMPILED in place and _below(place, TRUSTED):
            return
        if place != os.devnull and not _below(place, self.allowed):
            self.seen.append(f"{how} {place}")

    def _runs(self, origin: str) -> None:
        if _below(origin, self.trusted) or origin.startswith("<frozen"):
            return
        if _foreign(origin) or not _libraries_own():
            self.seen.append(f"runs code from {origin or 'nowhere'}")


_armed: _Armed | None = None
_installed = False


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    global _armed
    if _armed is not None and (event == "open" or event in _LOOKED_AT):
        armed, _armed = _armed, None  # what looking itself opens is not looked at
        try:
            armed.look(event, arguments)
        finally:
            _armed = armed


_LOOKED_AT = {*CHANGES, *STARTS, *TALKS, *UNPICKLES, RUNS}


@contextmanager
def armed(*allowed: Path, trusted: tuple[Path, ...] = ()) -> Iterator[list[str]]:
    """Look at everything that happens inside; the list fills with what is not allowed.

    Args:
        allowed: Folders below which files may be written.
        trusted: Folders whose code may run, beside the project's and its libraries'.
    """
    global _armed, _installed
    if not _installed:
        sys.addaudithook(_hook)
        _installed = True
    mine = _Armed(allowed, trusted)
    _armed = mine
    try:
        yield mine.seen
    finally:
        _armed = None


def _foreign(origin: str) -> bool:
    """Whether code comes from a file, and not from text that a program has put together."""
    return Path(origin).is_absolute()


def _libraries_own() -> bool:
    """Whether a library put the text together itself: for annotations, or as it is loaded."""
    caller = next((file for file in _callers() if file != __file__), "")
    return caller in READERS_OF_ANNOTATIONS or _called_from("<frozen importlib._bootstrap>")


def _called_from(*endings: str) -> bool:
    return any(file.endswith(endings) for file in _callers())


def _callers() -> Iterator[str]:
    """The files of the code that is at work, from the innermost."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back


def _below(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(folder + os.sep) for folder in folders)
