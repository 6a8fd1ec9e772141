"""``kits.json``: what the challenge says about each case."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdfc_core.interfaces import Problem

LIST = "kits.json"
CASE_IDS = tuple(f"case_{number:05d}" for number in range(210))
"""The cases with a published segmentation. The challenge's test cases have none."""
SUBTYPE = "tumor_histologic_subtype"
FIX = "Take kits.json from the challenge's repository again (neheller/kits19)."


@dataclass(frozen=True)
class KitsList:
    """What ``kits.json`` says.

    Args:
        entries: Case → its entry, for those of the 210 cases whose entry is sound.
        problems: What is wrong with the list.
        readable: Whether it is a list at all.
    """

    entries: Mapping[str, Mapping[str, Any]]
    problems: Sequence[Problem]
    readable: bool = True

    def subtypes(self) -> dict[str, str]:
        """Case → histologic subtype, in the order of the cases."""
        return {case_id: entry[SUBTYPE] for case_id, entry in self.entries.items()}

    def columns(self, case_id: str) -> dict[str, str]:
        """All single values of a case's entry as text, without its id."""
        entry = self.entries.get(case_id, {})
        return {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in entry.items()
            if key != "case_id" and isinstance(value, str | int | float)
        }


def read_listing(path: Path) -> KitsList:
    """The list, with every problem on the way."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return _unreadable(f"{path} cannot be read: {reason}")
    except (ValueError, RecursionError) as error:  # neither JSON nor UTF-8, or without bottom
        return _unreadable(f"{path} is no JSON ({error})")
    if not isinstance(content, list):
        return _unreadable(f"{path} holds no list of cases")
    entries: dict[str, Mapping[str, Any]] = {}
    problems = []
    for place, entry in enumerate(content):
        case_id = entry.get("case_id") if isinstance(entry, dict) else None
        fault = _fault(entry, case_id, entries)
        if fault:
            known = case_id if case_id in CASE_IDS else ""
            problems.append(Problem(known, LIST, f"{path}, entry {place}: {fault}", FIX))
        elif case_id in CASE_IDS:
            entries[case_id] = entry
    return KitsList({c: entries[c] for c in CASE_IDS if c in entries}, problems)


def _unreadable(message: str) -> KitsList:
    return KitsList({}, [Problem("", LIST, message, FIX)], readable=False)


def unlisted(listing: KitsList) -> list[Problem]:
    """A problem for each of the 210 cases without an entry, unless its entry is unsound."""
    told = {problem.case_id for problem in listing.problems}
    if not listing.readable:  # one problem says it all
        return []
    return [
        Problem(case_id, LIST, f"{LIST} does not list the case", FIX)
        for case_id in CASE_IDS
        if case_id not in listing.entries and case_id not in told
    ]


def ranges(case_ids: Sequence[str]) -> str:
    """The cases, neighbours drawn together: ``case_00003, case_00007 to case_00012``."""
    groups: list[list[str]] = []
    for case_id in case_ids:
        if groups and CASE_IDS.index(case_id) == CASE_IDS.index(groups[-1][-1]) + 1:
            groups[-1].append(case_id)
        else:
            groups.append([case_id])
    return ", ".join(g[0] if len(g) == 1 else f"{g[0]} to {g[-1]}" for g in groups)


def _fault(entry: Any, case_id: Any, entries: Mapping[str, Any]) -> str | None:
    if not isinstance(case_id, str):
        return "it has no case_id"
    if case_id in entries:
        return f"{case_id} is listed a second time"
    if not isinstance(entry.get(SUBTYPE), str):
        return f"{case_id} has no {SUBTYPE}"
    return None
