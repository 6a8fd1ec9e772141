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

from rdfc_core.errors import did_you_mean

PARTS = ("train", "test", "pretext")
"""What a split column may say of a case."""

MISSING = frozenset(
    {
        *("", "nan", "-nan", "na", "#na", "n/a", "#n/a", "#n/a n/a", "<na>", "n.a.", "n.a", "nat"),
        *("null", "(null)", "<null>", "#nv", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"),
    }
)
"""Written by programs where there is no value (pandas, R, SQL, spreadsheets); in small letters."""

DOUBTFUL = frozenset(
    {
        *("none", "<none>", "nil", "unknown", "unk", "undefined", "undetermined", "missing"),
        *("not available", "not applicable", "not known", "unspecified", "tbd", "tba", "?", "??"),
        *("not done", "not reported", "not recorded", "not evaluated", "not determined", "n.d."),
        *("not assessed", "not tested", "no data", "no label", "unlabelled", "unlabeled", "n/d"),
        *("pending", "unclear", "unset", "<unset>", "(blank)", "<empty>", "(empty)", "k.a.", "n.d"),
        *("keine angabe", "inconnu", "anon", "anonymous", "anonymized", "anonymised", "k.a"),
        *("-", "--", "---", "\N{EN DASH}", "\N{EM DASH}", "\N{MINUS SIGN}", ".", "..", "/"),
    }
)
"""Written by people where there is no value, though each may be a value of its own."""

SENTINELS = frozenset({-1.0, -9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0})
"""Numbers that people write where there is none."""

LOGIC = (
    frozenset({"yes", "y", "true", "t", "1", "ja", "oui", "pos", "positive", "+", "present"}),
    frozenset({"no", "n", "false", "f", "0", "nein", "non", "neg", "negative", "-", "absent"}),
)
"""Words for yes and for no."""

QUOTES = "\"'\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"
_SPACED = re.compile(r"\s*([./])\s*")
_SPREADSHEET_ERROR = re.compile(r"#[\w/]+[!?]|#{3,}")
_SHORTENED = re.compile(r"[+-]?\d[.,]\d+E\+?\d+", re.IGNORECASE)
_WHOLE = re.compile(r"([+-]?\d+)[.,]0{0,2}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?[\d.]*,[\d.,]*\d", re.ASCII)
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\[^\\]")


def tidy(text: str) -> str:
    """The text without surrounding blanks and invisible letters, each letter composed (NFC)."""
    text = unicodedata.normalize("NFC", text).strip()
    while text and "Cf" in (unicodedata.category(text[0]), unicodedata.category(text[-1])):
        text = text[unicodedata.category(text[0]) == "Cf" :].strip()
        text = text[: len(text) - (unicodedata.category(text[-1:] or "a") == "Cf")].strip()
    return text


def is_missing(text: str) -> bool:
    """Whether a program wrote the text for "no value", as ``nan`` or ``<NA>``; "" counts, too."""
    return _word(text) in MISSING


def may_be_missing(text: str) -> bool:
    """Whether people write the text for "no value", as ``unknown`` or ``-``, but not only then."""
    return _word(text) in DOUBTFUL


def _word(text: str) -> str:
    """As words for "no value" are compared: small, without quotes and blanks at dots, slashes."""
    text = tidy(text).casefold().strip(QUOTES).strip()
    return _SPACED.sub(r"\1", text)


def odd_numbers(classes: Sequence[str]) -> list[str]:
    """Classes that may stand for no value: numbers among words, or -9, 999 and their like.

    -1 and 1 alone are a pair of classes.
    """
    sizes = {name: number(name) for name in classes}
    numbers = [name for name, size in sizes.items() if size is not None]
    if 0 < len(numbers) < len(classes):
        return numbers if len(numbers) <= len(classes) - len(numbers) else []
    return [name for name in numbers if sizes[name] in SENTINELS] if len(numbers) > 2 else []


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


def label_number(text: str) -> float | None:
    """The number that a label is, where numbers are predicted, or None.

    Read strictly: a comma may stand for the point or set thousands apart, and ``1_000`` is a slip.
    """
    if not _NUMBER.fullmatch(text.strip()):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def not_a_number(text: str) -> tuple[str, str]:
    """Why `label_number` takes a text for none, and what to do about it."""
    if _COMMA.fullmatch(text.strip()):
        return f"{text!r}, which has a comma", "Write a decimal point, and no thousands separator."
    fix = "Write a plain number, such as 12.5, or leave the cell empty: unlabelled."
    return f"{text!r}, which is not a finite number", fix


def plain_value(text: str) -> str:
    """A cell as a view of the table gets it: "" for no value, numbers written one way, tidy text.

    ``63``, ``63.0`` and ``63,0`` are one number. Depends on the cell alone, so that it means the
    same in the list of a study and in one of a single new case.
    """
    text = tidy(text)
    if is_missing(text):
        return ""
    value = number(text)
    return text if value is None else f"{value:.15g}"


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


def same_logic(texts: Iterable[str]) -> list[tuple[str, ...]]:
    """The groups of different texts that are words for yes, or for no, as ``yes`` and ``True``."""
    words = list(dict.fromkeys(texts))
    groups = [tuple(word for word in words if tidy(word).casefold() in kind) for kind in LOGIC]
    return [group for group in groups if len({word.casefold() for word in group}) > 1]


def part_of_split(text: str) -> str | None:
    """``train``, ``test`` or ``pretext``, in capitals too; "" for no value, None for other text."""
    word = text.strip().casefold()
    if word in PARTS:
        return word
    return "" if is_missing(text) or may_be_missing(text) else None


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


def unlisted_label(label: str, count: int, classes: Sequence[str]) -> tuple[str, str]:
    """What is said of a label that is none of the classes, and what to do about it.

    Args:
        label: As it stands in the list.
        count: Cases that have it.
        classes: Those that were named.
    """
    message = (
        f"{counted(count, 'case has', 'cases have')} the label {label!r}, which is none of the "
        f"classes ({', '.join(classes)}): used as unlabelled"
    )
    fix = "Correct it, or add the class, unless it is to be left out."
    return message, f"{did_you_mean(label, classes)} {fix}".lstrip()
