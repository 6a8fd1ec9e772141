"""Data: how many cases of which class and part, what was left out, and pictures to check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rdfc_core.report import images, text
from rdfc_core.report.images import Picture
from rdfc_core.report.kept_features import KeptFeatures
from rdfc_core.report.palette import colour_of
from rdfc_core.report.run_data import (
    CaseUse,
    DatasetFacts,
    FailedCase,
    MissingFeature,
    RunData,
)

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
class MissingGroup:
    """Features that the same number of cases lack for the same reasons."""

    feature: str
    more_features: int
    cases: str
    reason: str
    more_reasons: int


@dataclass(frozen=True)
class Data:
    """What the section shows."""

    numbers: str
    classes: tuple[ClassRow, ...]
    parts: tuple[str, ...]
    parts_of: str
    splits: tuple[tuple[str, str, str, str], ...]
    uses: tuple[CaseUse, ...]
    failed: tuple[FailedCase, ...]
    failed_more: int
    missing: tuple[MissingGroup, ...]
    missing_more: int
    missing_features: int
    kept: tuple[KeptFeatures, ...]
    kept_rule: str
    samples: tuple[Sample, ...]
    damaged_pictures: str


def data(run: RunData) -> Data | None:
    """The section, or None if neither results nor pictures are there."""
    if run.results is None and not run.pictures:
        return None
    facts = run.results.dataset if run.results else DatasetFacts()
    failed = run.results.failed if run.results else ()
    listed = run.results.missing if run.results else ()
    missing = _missing(listed)
    parts = tuple(p for p in text.PARTS if run.embeddings and p in run.embeddings.parts)
    damaged = images.unreadable(run.pictures)
    return Data(
        numbers=_numbers(facts),
        classes=() if facts.numbers else _classes(run, facts, parts),
        parts=tuple(text.PARTS[part] for part in parts),
        parts_of=run.embeddings.split if run.embeddings and len(facts.splits) > 1 else "",
        splits=tuple(
            (s.name, _written(s.pretext), _written(s.train), _written(s.test)) for s in facts.splits
        ),
        uses=facts.uses,
        failed=failed[:MOST_LISTED],
        failed_more=max(0, len(failed) - MOST_LISTED),
        missing=tuple(missing[:MOST_LISTED]),
        missing_more=max(0, len(missing) - MOST_LISTED),
        missing_features=len({one.feature for one in listed}),
        kept=run.results.run.stable if run.results else (),
        kept_rule=_rule(run.results.run.stable) if run.results else "",
        samples=_samples(run, [case_id for case_id in run.pictures if case_id not in damaged]),
        damaged_pictures=(
            f"{text.count(len(damaged), 'picture')} in pictures.parquet cannot be decoded, the "
            f"first of {damaged[0]}. Extract the features again."
            if damaged
            else ""
        ),
    )


def _missing(listed: Sequence[MissingFeature]) -> list[MissingGroup]:
    """One row for all features that are missing alike: a filter that fails takes hundreds along."""
    by_feature: dict[str, list[MissingFeature]] = {}
    for one in sorted(listed, key=lambda one: (one.feature, -(one.cases or 0), one.reason)):
        by_feature.setdefault(one.feature, []).append(one)
    alike: dict[tuple[tuple[int | None, str], ...], list[str]] = {}
    for feature, entries in by_feature.items():
        alike.setdefault(tuple((one.cases, one.reason) for one in entries), []).append(feature)
    rows = []
    for entries_alike, features in alike.items():
        counts = [cases for cases, _ in entries_alike]
        known = [cases for cases in counts if cases is not None]
        group = MissingGroup(
            feature=features[0],
            more_features=len(features) - 1,
            cases=_written(sum(known) if len(known) == len(counts) else None),
            reason=entries_alike[0][1],
            more_reasons=len(entries_alike) - 1,
        )
        rows.append((-sum(known), features[0], group))
    return [group for _, _, group in sorted(rows, key=lambda row: row[:2])]


def _numbers(facts: DatasetFacts) -> str:
    """How labels lie that are numbers, in a sentence; "" of classes."""
    told = facts.numbers
    wanted = ("cases", "min", "first_quartile", "median", "third_quartile", "max", "mean", "sd")
    if not all(name in told for name in wanted):
        return ""
    shown = {name: text.in_units(value) for name, value in told.items()}
    return (
        f"The label is a number, known of {text.count(int(told['cases']), 'case')}: from "
        f"{shown['min']} to {shown['max']}, median {shown['median']} (quartiles "
        f"{shown['first_quartile']} and {shown['third_quartile']}), mean {shown['mean']} ± "
        f"{shown['sd']}. Colours below stand for its thirds."
    )


def _rule(kept: Sequence[KeptFeatures]) -> str:
    """What a feature has to reach to be kept, a sentence a view; "" where all are kept."""
    what = {"low": "the lower end of the 95 % interval of ICC(1,1)", "icc": "ICC(1,1)"}
    rules = {
        one.view: f"{one.view}: {what.get(one.stable_by, one.stable_by)} reaches {one.stable:g} "
        f"over {one.stable_perturbations} perturbations ({one.stable_chain}) of training cases, "
        "one of each patient."
        for one in kept
    }
    return " ".join(rules.values())


def _written(n: int | None) -> str:
    return "–" if n is None else str(n)


def _classes(run: RunData, facts: DatasetFacts, parts: Sequence[str]) -> tuple[ClassRow, ...]:
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


def _samples(run: RunData, case_ids: Sequence[str]) -> tuple[Sample, ...]:
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
