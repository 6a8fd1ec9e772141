"""Files that are written whole or not at all, and never through a link."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOST_TEXT = 2**30
"""Bytes of a text file of a run: results of thousands of methods take some megabytes."""
MOST_WEIGHTS = 2**36
"""Bytes of a file of weights: 64 GiB."""

NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # Windows has none, and links only for administrators


def partial_name(path: Path) -> Path:
    """A name beside the path that nobody can have put something under."""
    return path.with_name(f"partial-{secrets.token_hex(8)}-{path.name}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new file beside the path to write to; renamed to it at the end, removed if anything fails.

    Whoever reads the path finds the old file or the new one, and a full disk leaves no half of one.
    A link at the path is replaced, and what it points to stays as it is.
    """
    partial = partial_name(path)
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY | NO_LINK, 0o666))
    try:
        yield partial
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def append_only(name: str, flags: int) -> int:
    """An ``opener`` for `open` that refuses to follow a link.

    Raises:
        OSError: If the name is a link.
    """
    return os.open(name, flags | NO_LINK, 0o666)


def within(path: Path, most_bytes: int) -> Path:
    """The path, if what is there is a file of a plausible size; a link is followed.

    A run folder may come from somebody else: a device never ends, and a file may be larger than
    the memory.

    Args:
        path: About to be read whole.
        most_bytes: More than a run ever writes there.

    Raises:
        OSError: If there is nothing at the path.
        ValueError: If it is no file, or larger.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("it is not a regular file")
    if found.st_size > most_bytes:
        raise ValueError(f"it has {found.st_size} bytes, more than the limit of {most_bytes}")
    return path
