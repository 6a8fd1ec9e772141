"""Labels that are probably slips of the pen, which would quietly become classes of their own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from rdfc_core.case import Case

ALIKE_FIX = "Write them alike if one class is meant."


def spelled_alike(labels: Iterable[str]) -> list[tuple[str, ...]]:
    """The groups of labels that differ only in case or in spaces, in their order."""
    groups: dict[str, list[str]] = defaultdict(list)
    for label in dict.fromkeys(labels):
        groups["".join(label.split()).casefold()].append(label)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def doubtful_labels(cases: Sequence[Case]) -> list[str]:
    """A sentence for each group of classes of these cases that is spelled alike."""
    counts = Counter(case.label for case in cases if case.label is not None)
    return [
        f"the classes {' and '.join(f'{label!r} ({_cases(counts[label])})' for label in group)} "
        "differ only in upper and lower case or in spaces"
        for group in spelled_alike(sorted(counts))
    ]


def _cases(count: int) -> str:
    return f"{count} case{'s' * (count != 1)}"
