"""What is said of an item, and what shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Status = Literal["met", "partly", "not met", "not applicable", "for the authors"]
STATUSES: tuple[Status, ...] = get_args(Status)
MET, PARTLY, NOT_MET, NOT_APPLICABLE, AUTHORS = STATUSES


@dataclass(frozen=True)
class Proof:
    """Where something is shown.

    Args:
        file: In the run folder.
        key: What to look at in it.
        figure: What it says there.
    """

    file: str
    key: str
    figure: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key} = {self.figure}"


@dataclass(frozen=True)
class ItemAnswer:
    """What is said of an item.

    Args:
        status: In one word.
        text: In sentences.
        proofs: What shows it.
    """

    status: Status
    text: str
    proofs: tuple[Proof, ...] = ()


def met(text: str, *proofs: Proof) -> ItemAnswer:
    """The run shows it."""
    return ItemAnswer(MET, text, proofs)


def partly(text: str, *proofs: Proof) -> ItemAnswer:
    """The run shows some of it; the text says what is missing."""
    return ItemAnswer(PARTLY, text, proofs)


def not_met(text: str, *proofs: Proof) -> ItemAnswer:
    """The run shows that it is not so."""
    return ItemAnswer(NOT_MET, text, proofs)


def not_applicable(text: str, *proofs: Proof) -> ItemAnswer:
    """The item asks for what this study does not have."""
    return ItemAnswer(NOT_APPLICABLE, text, proofs)


def authors(text: str, *proofs: Proof) -> ItemAnswer:
    """No run can know; what it does know stands beside it."""
    return ItemAnswer(AUTHORS, text, proofs)


def joined(answers: Iterable[ItemAnswer], ok: str = "") -> ItemAnswer:
    """Several answers as one: as bad as the worst, with everything that shows it.

    Args:
        answers: Each ``met``, ``partly`` or ``not met``.
        ok: What is said where all are met; "": what they say.
    """
    found: Sequence[ItemAnswer] = list(answers)
    worst = max(found, key=lambda one: STATUSES.index(one.status)).status
    proofs = tuple(dict.fromkeys(proof for one in found for proof in one.proofs))
    if worst == MET:
        return ItemAnswer(MET, ok or " ".join(one.text for one in found), proofs)
    told = [one.text for one in found if one.status != MET]
    return ItemAnswer(worst, " ".join(told), proofs)
