"""One family of errors. Each message says what is wrong, which thing is meant, and what to do.

Beside it stands `ContractError`, which is nobody's but a component's author's to mend.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def with_article(noun: str) -> str:
    """``an image encoder``, ``a view``: of kinds, types and other names."""
    sounds = noun.lower().startswith(("a", "e", "i", "o")) and not noun.lower().startswith("one")
    return f"{'an' if sounds else 'a'} {noun}"


LONGEST_SENTENCE = 2000
"""Characters; of a longer one the middle is left out."""


OUT_OF_MEMORY = ("MemoryError", "OutOfMemoryError")
"""Python's own and torch's, by their names: this module loads no torch."""
NO_ROOM = ("failed to map segment", "cannot allocate memory", "can't start new thread", "bad_alloc")
"""What loading a library, or starting a thread, says under a limit on memory."""


class RdfcError(Exception):
    """Something the user can mend; the command line prints the sentence and exits with 2."""

    def __str__(self) -> str:
        return one_line(super().__str__())


class StudyError(RdfcError):
    """A study, an option or a command does not fit."""


class DataError(RdfcError):
    """A file, a case or a data set does not fit."""


class PluginError(RdfcError):
    """A plugin is missing, broken, unavailable or named twice."""


class ShapeError(RdfcError):
    """Arrays or tensors do not fit together: the message states expected and actual shapes."""


class StoppedError(RdfcError):
    """A plugin asked to stop the run: what is finished is kept, and the same command goes on."""


class ContractError(AssertionError):
    """A component does not do what its interface promises; the message says what, and the way out.

    An author's tests see the `AssertionError`; a run tells the user whose component it is
    (`rdfc_core.plugin.attribution.held_to_contract`).

    Args:
        message: What does not hold, and what to do.
        component: Whose promise it is; None: that of whoever was called.
    """

    def __init__(self, message: str, component: object = None) -> None:
        super().__init__(message)
        self.component = component


def one_line(text: str) -> str:
    """The text as a terminal can show it, whatever a file has put into it: escaped, and cut."""
    text = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )
    if len(text) > LONGEST_SENTENCE:
        quarter = LONGEST_SENTENCE // 4
        text = f"{text[: 2 * quarter]} … {text[-quarter:]}"
    return text


def nearest(name: object, known: Iterable[str], cutoff: float = 0.5) -> str | None:
    """The known name that is spelled most like this one, in whatever case; None if none is near.

    Among the nearest, one with the same letters in another order goes first.

    Args:
        name: As it was written.
        known: The names that there are.
        cutoff: Least likeness, from 0 to 1 (`difflib.SequenceMatcher.ratio`).
    """
    word = str(name).casefold()
    folded = {one.casefold(): one for one in reversed(list(known))}
    near = difflib.get_close_matches(word, folded, n=3, cutoff=cutoff)
    swapped = [one for one in near if sorted(one) == sorted(word)]
    return folded[(swapped or near)[0]] if near else None


def did_you_mean(name: object, known: Iterable[str], cutoff: float = 0.5) -> str:
    """A question that proposes the nearest known name, or nothing where none is near."""
    near = nearest(name, known, cutoff)
    return f" Did you mean {near!r}?" if near is not None else ""


def out_of_memory(error: BaseException) -> bool:
    """Whether the machine, or a limit set on the process, had no memory left."""
    said = str(error).lower()
    return type(error).__name__ in OUT_OF_MEMORY or any(words in said for words in NO_ROOM)
