"""Files that are written whole or not at all, and never through a link."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
