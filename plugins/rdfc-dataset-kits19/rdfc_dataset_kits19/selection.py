"""Which cases are labelled and which serve pretraining alone.

Source: Zhao & Yang 2021, Sect. 3.1: 20 of the 143 clear cell cases, drawn at random, with all
papillary, chromophobe and oncocytoma cases are classified (70); the other 140 are the pretext set.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

CLEAR_CELL = "clear_cell_rcc"
CLASSES = (CLEAR_CELL, "papillary", "chromophobe", "oncocytoma")
"""As kits.json spells them. All other subtypes are unlabelled."""
CLEAR_CELL_CASES = 20
FOLDS = 5
FEWEST_CASES = 2
"""A class with fewer cannot both train and test."""


@dataclass(frozen=True)
class LabelSelection:
    """Who is labelled.

    Args:
        labels: Labelled case → class. All other cases serve pretraining.
        present: Class → cases there are, labelled or not.
        folds: For cross-validation of the labelled cases.
    """

    labels: Mapping[str, str]
    present: Mapping[str, int]
    folds: int

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that have labelled cases, in the order of `CLASSES`."""
        labelled = set(self.labels.values())
        return tuple(name for name in CLASSES if name in labelled)


def select(subtypes: Mapping[str, str], seed: int) -> LabelSelection:
    """The paper's selection, and the same rule where fewer cases are there.

    Of the clear cell cases 20 are labelled, but at most half of them, so that some are left for
    pretraining. A class with fewer than two labelled cases is left out: its cases serve
    pretraining. There are five folds, but at most as many as the smallest class has cases.

    Args:
        subtypes: Case → histologic subtype, of the cases that are used.
        seed: Decides which clear cell cases are drawn.
    """
    present = {name: [c for c, s in sorted(subtypes.items()) if s == name] for name in CLASSES}
    chosen = dict(present)
    drawn = sorted(present[CLEAR_CELL], key=lambda case_id: _lot(case_id, seed))
    chosen[CLEAR_CELL] = drawn[: min(CLEAR_CELL_CASES, len(drawn) // 2)]
    labels = {
        case_id: name
        for name, cases in chosen.items()
        if len(cases) >= FEWEST_CASES
        for case_id in cases
    }
    smallest = min(Counter(labels.values()).values(), default=FOLDS)
    counts = {name: len(cases) for name, cases in present.items()}
    return LabelSelection(labels, counts, min(FOLDS, smallest))


def describe(selection: LabelSelection, cases: int) -> str:
    """One sentence: how many of ``cases`` are labelled, by which rule, in how many folds."""
    counts = Counter(selection.labels.values())
    parts = [
        f"{counts[name]} of {selection.present[name]} {name}"
        + (f" (at most {CLEAR_CELL_CASES}, and at most half of them)" if name == CLEAR_CELL else "")
        for name in CLASSES
    ]
    absent = [name for name in CLASSES if name not in counts]
    less = f" (without {', '.join(absent)}: fewer than {FEWEST_CASES} cases)" if absent else ""
    return (
        f"{len(selection.labels)} of {cases} cases are labelled, {', '.join(parts)}{less}; the "
        f"other {cases - len(selection.labels)} serve pretraining; {selection.folds} folds, at "
        f"most {FOLDS} and at most the cases of the smallest class"
    )


def _lot(case_id: str, seed: int) -> bytes:
    # A hash, not a generator: each case keeps its place in the order when others are missing, and
    # no release of NumPy or Python draws others.
    return hashlib.sha256(f"{seed} {case_id}".encode()).digest()
