"""Malformed inputs, made of sound ones: bytes damaged, text altered, structures bent."""

from __future__ import annotations

import copy
import datetime
import re
import struct
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

CANARY = "canary"
"""A module that lies in the inputs' folder, which is on the path: to import it is to run it."""

NUMBERS = (0, 1, -1, 2, 127, 255, 256, 32767, 65535, 2**31 - 1, -(2**31), 2**32, 10**15, 2**63 - 1)
WIDTHS = {"b": 8, "h": 16, "i": 32, "q": 64}
FLOATS = (0.0, -1.0, float("nan"), float("inf"), -float("inf"), 1e-38, 1e38)

WORDS = (
    *("", " ", "~", "null", "yes", "-1", "0", "1e400", "nan", ".inf", "1_000", "0x7f", "1" * 5000),
    *(
        "10" * 8,
        "999999999999999",
        "1e308",
        "2020-99-99",
        "12:99:99",
        "é",
        "日本",
        "\u202e",
        "\x7f",
    ),
    *("\x00", "a\nb", "\x1b[2J", "\ud7ff", "x" * 5000, "a" * 300, "[" * 2000, "{a: " * 500),
    *("../../../etc/passwd", "/dev/zero", "/", ".", "..", "~root", "C:\\a", "file:///etc/passwd"),
    *("|touch canary-file", "$(touch canary-file)", "`touch canary-file`", "=cmd|' /C calc'!A0"),
    *("{{ 7 * 7 }}", "{0.__class__}", "%s%n%d", "<script>", "[red]", "__class__", "__import__"),
    f"!!python/name:{CANARY}.boom",
    "!!python/object/apply:os.system ['touch canary-file']",
    f"!!python/module:{CANARY}",
    f"{CANARY}:boom",
    CANARY,
    f"timm:model={CANARY}",
    "manifest:root=/dev",
)

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 10**15, -(10**15), 10**400, 0.5, 1e308, -1e308),
    *(float("nan"), float("inf"), [], {}, [[]], [None], {"": None}, {None: 1}, {1: {2: 3}}),
    *(datetime.date(2020, 1, 1), b"\x00\xff", {"name": None}, {"name": "", "options": []}),
    *({"name": CANARY}, {"name": "timm", "options": {"name": 1}}, ["a"] * 50),
)


@st.composite
def damaged(draw: st.DrawFn, original: bytes, words: Sequence[bytes] = ()) -> bytes:
    """The bytes with up to six faults: bits turned, parts cut, repeated, blanked, overwritten."""
    data = bytearray(original)
    faults = ["bit", "number", "float", "cut", "blank", "repeat", "insert", "swell"]
    faults += ["word"] * bool(words)
    for fault in draw(st.lists(st.sampled_from(faults), min_size=1, max_size=6)):
        end = max(1, len(data) if draw(st.booleans()) else min(len(data), 400))
        place = draw(st.integers(0, end - 1))
        if fault == "bit" and data:
            data[place] ^= 1 << draw(st.integers(0, 7))
        elif fault == "number":
            _overwrite(data, place, draw(numbers()))
        elif fault == "float":
            _overwrite(data, place, struct.pack(draw(st.sampled_from("<>")) + "f", draw(floats())))
        elif fault == "cut":
            del data[place:]
        elif fault == "blank":
            _overwrite(data, place, bytes(draw(st.integers(1, 64))))
        elif fault == "repeat":
            data[place:place] = data[place : place + draw(st.integers(1, 64))]
        elif fault == "insert":
            data[place:place] = draw(st.binary(min_size=1, max_size=16))
        elif fault == "swell":
            filler = draw(st.sampled_from([b"x", b"9", b"1 ", b"(1,0,0) "]))
            data[place:place] = filler * draw(st.integers(30, 1000))
        elif fault == "word":
            _overwrite(data, place, draw(st.sampled_from(list(words))))
    return bytes(data)


def numbers() -> st.SearchStrategy[bytes]:
    """Whole numbers that headers stumble over, in every width and byte order."""
    return st.builds(
        lambda number, order, kind: struct.pack(
            f"{order}{kind.upper()}", number % 2 ** WIDTHS[kind]
        ),
        st.sampled_from(NUMBERS),
        st.sampled_from("<>"),
        st.sampled_from(sorted(WIDTHS)),
    )


def floats() -> st.SearchStrategy[float]:
    """Numbers that are none, or far away."""
    return st.sampled_from(FLOATS)


def _overwrite(data: bytearray, place: int, piece: bytes) -> None:
    data[place : place + len(piece)] = piece


def text() -> st.SearchStrategy[str]:
    """A word that has tripped readers before, or any text."""
    return st.sampled_from(WORDS) | st.text(max_size=20)


@st.composite
def altered(draw: st.DrawFn, original: str) -> str:
    """The text with up to four words replaced, lines doubled, dropped or moved."""
    for fault in draw(
        st.lists(
            st.sampled_from(["word", "word", "word", "drop", "double", "move", "cut", "insert"]),
            min_size=1,
            max_size=4,
        )
    ):
        words = [found.span() for found in re.finditer(r"[^\s,:\[\]{}=\"']+", original)]
        lines = original.splitlines(keepends=True) or [""]
        line = draw(st.integers(0, len(lines) - 1))
        if fault == "word" and words:
            start, stop = draw(st.sampled_from(words))
            original = original[:start] + draw(text()) + original[stop:]
        elif fault == "cut":
            original = original[: draw(st.integers(0, len(original)))]
        elif fault == "insert":
            place = draw(st.integers(0, len(original)))
            original = original[:place] + draw(text()) + original[place:]
        else:
            moved = lines[line : line + 1]
            kept = lines[:line] + lines[line + (fault != "double") :]
            place = draw(st.integers(0, len(kept)))
            original = "".join(kept if fault == "drop" else kept[:place] + moved + kept[place:])
    return original


def values() -> st.SearchStrategy[Any]:
    """Anything that YAML or JSON can hold."""
    leaves = st.sampled_from(VALUES).map(copy.deepcopy) | text()  # they will be altered
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text(), inner, max_size=3),
        max_leaves=5,
    )


@st.composite
def bent(draw: st.DrawFn, original: Any) -> Any:
    """The structure with up to four values replaced, dropped, renamed, added or wrapped."""
    data = copy.deepcopy(original)
    faults = st.sampled_from(["replace", "replace", "replace", "drop", "rename", "add", "wrap"])
    for fault in draw(st.lists(faults, min_size=1, max_size=4)):
        places = list(_places(data))
        if not places:
            return draw(values())
        holder, key = draw(st.sampled_from(places))
        if fault == "replace":
            holder[key] = draw(values())
        elif fault == "drop":
            del holder[key]
        elif fault == "wrap":
            holder[key] = draw(st.sampled_from([[holder[key]], {"name": holder[key]}]))
        elif isinstance(holder, dict):
            value = holder.pop(key) if fault == "rename" else draw(values())
            holder[draw(text())] = value
        else:
            holder.append(draw(values()))
    return data


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every value inside, as its holder and its key."""
    if isinstance(data, dict | list):
        for key in list(data) if isinstance(data, dict) else range(len(data)):
            yield data, key
            yield from _places(data[key])
