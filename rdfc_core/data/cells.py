"""What the cells and the header of a table mean: no value, a number, or one of a few words.

The one place that knows how programs and people write missing values, numbers, names of columns and
parts of a split. It holds no policy: whoever reads a table decides what to accept, to say or to
refuse. Open to data set plugins.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence

PARTS = ("train", "test", "pretext")
"""What a split column may say of a case."""

MISSING = frozenset(
    {
        *("", "nan", "-nan", "na", "#na", "n/a", "#n/a", "#n/a n/a", "<na>", "n.a.", "nat"),
        *("null", "(null)", "<null>", "#nv", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"),
    }
)
"""Written by programs where there is no value (pandas, R, SQL, spreadsheets); in small letters."""

DOUBTFUL = frozenset(
    {
        *("none", "<none>", "nil", "unknown", "unk", "undefined", "undetermined", "missing"),
        *("not available", "not applicable", "not known", "unspecified", "tbd", "?", "??"),
        *("-", "--", "---", "\N{EN DASH}", "\N{EM DASH}", "\N{MINUS SIGN}", ".", "..", "/"),
    }
)
"""Written by people where there is no value, though each may be a value of its own."""

_SPREADSHEET_ERROR = re.compile(r"#[\w/]+[!?]|#{3,}")
_SHORTENED = re.compile(r"[+-]?\d[.,]\d+E\+?\d+", re.IGNORECASE)
_WHOLE = re.compile(r"([+-]?\d+)[.,]0{0,2}")
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\[^\\]")


def tidy(text: str) -> str:
    """The text without surrounding blanks, and with each letter in its composed form (NFC)."""
    return unicodedata.normalize("NFC", text).strip()


def is_missing(text: str) -> bool:
    """Whether a program wrote the text for "no value", as ``nan`` or ``<NA>``; "" counts, too."""
    return text.strip().casefold() in MISSING


def may_be_missing(text: str) -> bool:
    """Whether people write the text for "no value", as ``unknown`` or ``-``, but not only then."""
    return text.strip().casefold() in DOUBTFUL


def is_spreadsheet_error(text: str) -> bool:
    """Whether a spreadsheet failed to compute the cell: ``#NAME?``, ``#DIV/0!``, ``####``."""
    return not is_missing(text) and bool(_SPREADSHEET_ERROR.fullmatch(text.strip()))


def is_shortened_number(text: str) -> bool:
    """Whether a spreadsheet has cut the digits of a long number: ``1.23E+12``."""
    return bool(_SHORTENED.fullmatch(text.strip()))


def plain_number(text: str) -> str:
    """A whole number without the decimals that programs add (``7.0``: ``7``); other text as it is.

    Columns with missing values become floating point in pandas, and are written so.
    """
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def number(text: str) -> float | None:
    """The number that the text is, or None; a comma may stand for the point."""
    try:
        value = float(text.replace(",", ".", 1))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def alike_key(text: str) -> str:
    """Equal for texts that differ only in how they are written.

    That is in upper and lower case, blanks, dashes, underscores, invisible letters, leading zeros
    and decimals.
    """
    value = number(text)
    if value is not None:
        return f"{value:.15g}"
    text = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(
        letter
        for letter in text
        if not letter.isspace() and letter not in "-_" and unicodedata.category(letter) != "Cf"
    )
    return kept or text


def spelled_alike(texts: Iterable[str]) -> list[tuple[str, ...]]:
    """The groups of different texts that differ only in how they are written, in their order."""
    groups: dict[str, list[str]] = {}
    for text in dict.fromkeys(texts):
        groups.setdefault(alike_key(text), []).append(text)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def part_of_split(text: str) -> str | None:
    """``train``, ``test`` or ``pretext``, in capitals too; "" for no value, None for other text."""
    word = text.strip().casefold()
    if word in PARTS:
        return word
    return "" if word in MISSING or word in DOUBTFUL else None


def simple_name(name: str) -> str:
    """The letters and digits of a column's name: ``Patient ID`` and ``patient_id`` are equal."""
    return "".join(letter for letter in tidy(name).casefold() if letter.isalnum())


def find_column(header: Sequence[str], *names: str) -> str | None:
    """The first of the names that the header has, as the header writes it.

    A name that differs only in case goes before one that differs in blanks, dashes or underscores.
    """
    for key in (str.casefold, simple_name):
        known = {key(column): column for column in reversed(header)}
        for name in names:
            if key(name) in known:
                return known[key(name)]
    return None


def near_column(header: Sequence[str], *names: str) -> str | None:
    """A column whose name is one letter off one of the names, as ``pateint_id``; None without.

    Similarity of whole names would not do: ``patient_side`` is much like ``patient_id``.
    """
    for name in names:
        for column in header:
            if _one_letter_off(simple_name(column), simple_name(name)):
                return column
    return None


def _one_letter_off(a: str, b: str) -> bool:
    """Whether one letter more, less or other makes them equal, or two neighbours exchanged."""
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    a, b = a[start:], b[start:]
    swapped = len(a) > 1 and a[1::-1] + a[2:] == b
    return swapped or (a != b and b in (a[1:], b[:1] + a[1:], b[:1] + a))


def is_windows_path(text: str) -> bool:
    """Whether the text is an absolute path of Windows, with a drive or a server."""
    return bool(_WINDOWS.match(text))


def counted(n: int, one: str, many: str | None = None) -> str:
    """``1 case``, ``2 cases``."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """The first of the names, with ``…`` where there are more."""
    return ", ".join([*names[:most], *(["…"] if len(names) > most else [])])
