"""Names of files that were written on another system."""

from __future__ import annotations

import unicodedata
from pathlib import Path


def as_stored(path: Path) -> Path:
    """The path as the disk spells it, where it is there in another Unicode normal form.

    macOS takes ``é`` as one letter apart and as two for the same name, and lists that are made
    there hold either; other systems keep them apart. A path that is there as it is, or in no form,
    is returned unchanged.
    """
    if str(path).isascii() or _exists(path):
        return path
    found = Path(path.anchor)
    for name in path.parts[1 if path.anchor else 0 :]:
        if not _exists(found / name):
            composed = unicodedata.normalize("NFC", name)
            try:
                there = sorted(other.name for other in found.iterdir())
            except OSError:
                return path
            same = [one for one in there if unicodedata.normalize("NFC", one) == composed]
            if not same:
                return path
            name = same[0]
        found /= name
    return found


def undecodable(text: str) -> str:
    """How to show a name whose bytes are no UTF-8 (each such byte as its number); "" if it is text.

    Systems allow any bytes in the names of files, and tables and JSON hold text alone.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        pass
    else:
        return ""
    try:
        return text.encode(errors="surrogateescape").decode(errors="backslashreplace")
    except UnicodeEncodeError:  # half of a pair, which is of no name but of JSON
        return text.encode(errors="backslashreplace").decode()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long
        return False
