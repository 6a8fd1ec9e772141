"""Cases that could not be prepared, and how they are told: a reason once, with the cases it has."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

NAMED = 3
"""Cases that a reason names before it breaks off."""
MOST_TOLD = 10
"""Reasons."""
PATH = re.compile(
    r"\S*[/\\]\S+|\b[\w-]+\.(?:nii\.gz|nii|nrrd|nhdr|mha|mhd|png|jpe?g|tiff?|bmp|dcm)\b"
)
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True)
class Failure:
    """A case that could not be prepared.

    Args:
        case_id: The case.
        reason: One sentence or two, which begin with ``Case`` and the case's id.
        fixable: True if the user can mend it (a bad file), False if our code or a worker failed.
        view: The view that refused it, or "" where it could not even be read.
        retry: True if the same files may be prepared the next time.
    """

    case_id: str
    reason: str
    fixable: bool
    view: str = ""
    retry: bool = False


class Breach(Failure):
    """A case that a component did not look at as its contract says: no file is at fault."""


def grouped(failures: Sequence[Failure]) -> list[str]:
    """Each reason once: how many cases it has, the first of them, and what is the matter.

    Reasons that differ only in the case's own name, as in paths, count as one. Where that leaves
    many, those that differ only in other paths and in numbers count as one, too, told by the
    first; of more than `MOST_TOLD` the most frequent are told.
    """
    frequent = Counter(map(_after_its_case, failures))
    groups: dict[str, list[Failure]] = defaultdict(list)
    for failure in failures:
        reason = _after_its_case(failure)
        groups[reason if frequent[reason] > 1 else _without_its_case(failure)].append(failure)
    if len(groups) <= MOST_TOLD:
        return [_told(reason, group) for reason, group in groups.items()]
    kinds: dict[str, list[Failure]] = defaultdict(list)
    for failure in failures:
        kinds[_kind(failure)].append(failure)
    ordered = sorted(kinds.values(), key=len, reverse=True)
    told = [_told(f"such as: {_after_its_case(kind[0])}", kind) for kind in ordered[:MOST_TOLD]]
    rest = ordered[MOST_TOLD:]
    if rest:
        cases = sum(map(len, rest))
        told.append(f"{cases} more cases for {len(rest)} other reasons: see results.json.")
    return told


def _kind(failure: Failure) -> str:
    """The reason without what differs from file to file."""
    return NUMBER.sub("#", PATH.sub("<file>", _without_its_case(failure)))


def _told(reason: str, group: Sequence[Failure]) -> str:
    if len(group) == 1:
        return group[0].reason
    named = ", ".join(failure.case_id for failure in group[:NAMED])
    more = ", …" if len(group) > NAMED else ""
    return f"{len(group)} cases ({named}{more}): {reason}"


def _after_its_case(failure: Failure) -> str:
    return failure.reason.removeprefix(f"Case {failure.case_id}: ")


def _without_its_case(failure: Failure) -> str:
    own = rf"(?<!\w){re.escape(failure.case_id)}(?!\w)"
    return re.sub(own, "<case_id>", _after_its_case(failure))
