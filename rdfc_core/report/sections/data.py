"""Data: how many cases of which class and part, what was left out, and pictures to check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rdfc_core.report import images, words
from rdfc_core.report.contents import DatasetFacts, FailedCase, MissingFeature, Run
from rdfc_core.report.images import Picture
from rdfc_core.report.palette import colour_of

PICTURES_A_CLASS = 8
MOST_CLASSES = 6
MOST_LISTED = 100
UNLABELLED = "unlabelled"


@dataclass(frozen=True)
class ClassRow:
    """One class: its cases in all, and in each part of one split."""

    label: str
    colour: str
    cases: int
    share: float
    parts: tuple[int, ...]


@dataclass(frozen=True)
class Sample:
    """Some cases of one class, with their pictures."""

    label: str
    colour: str
    pictures: tuple[tuple[str, Picture], ...]
    of: int


@dataclass(frozen=True)
class Data:
    """What the section shows."""

    classes: tuple[ClassRow, ...]
    parts: tuple[str, ...]
    parts_of: str
    splits: tuple[tuple[str, str, str, str], ...]
    failed: tuple[FailedCase, ...]
    failed_more: int
    missing: tuple[MissingFeature, ...]
    missing_more: int
    samples: tuple[Sample, ...]
    damaged_pictures: str


def data(run: Run) -> Data | None:
    """The section, or None if neither results nor pictures are there."""
    if run.results is None and not run.pictures:
        return None
    facts = run.results.dataset if run.results else DatasetFacts()
    failed = run.results.failed if run.results else ()
    missing = run.results.missing if run.results else ()
    missing = tuple(sorted(missing, key=lambda m: (-(m.cases or 0), m.feature)))
    parts = tuple(p for p in words.PARTS if run.embeddings and p in run.embeddings.parts)
    damaged = images.unreadable(run.pictures)
    return Data(
        classes=_classes(run, facts, parts),
        parts=tuple(words.PARTS[part] for part in parts),
        parts_of=run.embeddings.split if run.embeddings and len(facts.splits) > 1 else "",
        splits=tuple(
            (s.name, _written(s.pretext), _written(s.train), _written(s.test)) for s in facts.splits
        ),
        failed=failed[:MOST_LISTED],
        failed_more=max(0, len(failed) - MOST_LISTED),
        missing=missing[:MOST_LISTED],
        missing_more=max(0, len(missing) - MOST_LISTED),
        samples=_samples(run, [case_id for case_id in run.pictures if case_id not in damaged]),
        damaged_pictures=(
            f"{words.count(len(damaged), 'picture')} in pictures.parquet cannot be decoded, the "
            f"first of {damaged[0]}. Extract the features again."
            if damaged
            else ""
        ),
    )


def _written(n: int | None) -> str:
    return "–" if n is None else str(n)


def _classes(run: Run, facts: DatasetFacts, parts: Sequence[str]) -> tuple[ClassRow, ...]:
    counts = dict(facts.per_class)
    if facts.unlabelled:
        counts[UNLABELLED] = facts.unlabelled
    in_part: Counter[tuple[str, str]] = Counter()
    if run.embeddings:
        labels = (label or UNLABELLED for label in run.embeddings.labels)
        in_part.update(zip(labels, run.embeddings.parts, strict=True))
    names = [name for name in (*run.classes, UNLABELLED) if name in counts]
    largest = max(counts.values(), default=0) or 1
    return tuple(
        ClassRow(
            label=name,
            colour=colour_of(name, run.classes),
            cases=counts[name],
            share=100 * counts[name] / largest,
            parts=tuple(in_part[name, part] for part in parts),
        )
        for name in names
    )


def _samples(run: Run, case_ids: Sequence[str]) -> tuple[Sample, ...]:
    """Cases spread evenly over each class's sorted ids: the same ones every time."""
    known = run.labels
    by_label: dict[str | None, list[str]] = {}
    for case_id in sorted(case_ids):
        by_label.setdefault(known.get(case_id), []).append(case_id)
    order = [label for label in (*run.classes[:MOST_CLASSES], None) if label in by_label]
    samples = []
    for label in order:
        ids = by_label[label]
        n = min(PICTURES_A_CLASS, len(ids))
        chosen = [ids[(2 * i + 1) * len(ids) // (2 * n)] for i in range(n)]
        found = ((case_id, images.gallery_picture(run.pictures[case_id])) for case_id in chosen)
        samples.append(
            Sample(
                label=label or (UNLABELLED if known else "cases"),
                colour=colour_of(label, run.classes),
                pictures=tuple((case_id, picture) for case_id, picture in found if picture),
                of=len(ids),
            )
        )
    return tuple(samples)
