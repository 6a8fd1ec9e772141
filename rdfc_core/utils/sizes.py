"""How large files are, for messages."""

from __future__ import annotations

import os
from pathlib import Path


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; links are not followed."""
    if not path.is_dir() or path.is_symlink():
        return path.lstat().st_size
    return sum(
        Path(parent, name).lstat().st_size for parent, _, names in os.walk(path) for name in names
    )


def in_words(size: int) -> str:
    """A size such as ``12.3 MB``: powers of 1000, three digits."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB"):
        if amount < 999.5:
            return f"{size} bytes" if unit == "bytes" else f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} GB"
