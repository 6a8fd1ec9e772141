"""Tables with a known meaning, written in many ways: they are read so, or refused, or doubted."""

from __future__ import annotations

import csv
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdfc_core.case import Case
from rdfc_core.config.resolve import resolve_part
from rdfc_core.data import findings
from rdfc_core.data.accounting import account
from rdfc_core.data.cells import DOUBTFUL, MISSING, PARTS
from rdfc_core.data.label_findings import label_findings
from rdfc_core.data.labels import usable_classes
from rdfc_core.data.splits import make_splits
from rdfc_core.interfaces.dataset import SplitSpec
from rdfc_core.plugin.component import Part
from rdfc_core.plugin.registry import Registry
from tests.fuzz.guard import Guard
from tests.fuzz.shares import share

NAMES = {
    "case_id": ("case_id", "Case_ID", " CASE_ID "),
    "image": ("image", "Image", "IMAGE"),
    "mask": ("mask", "Mask "),
    "patient_id": ("patient_id", "PatientID", "patient", "Patient ID", "PATIENT-ID", "patientId"),
    "label": ("label", "Label", " LABEL"),
    "mask_value": ("mask_value", "Mask Value", "maskvalue", "MASK-VALUE"),
}
LIKE_PATIENTS = ("subject_id", "Subject", "pid", "MRN", "patient_name", "Patient No", "participant")
VALUES = {
    "patient_id": ("1", "2", "17", "anna", "Müller", "p-3", None),
    "label": ("0", "1", "benign", "gutärtig", None),
    "mask_value": ("1", "2", "255", None),
}
LETTERS = "abcdeiknpstu_"


@st.composite
def spelled(draw: Any, value: str | None) -> str:
    """One of the ways to write a value, or that there is none."""
    if value is None:
        word = draw(st.sampled_from(sorted(MISSING)))
        return draw(st.sampled_from([word, word.upper(), f" {word}"]))
    if value.isdecimal():
        value += draw(st.sampled_from(["", ".0", ".", ".00"]))
    form = draw(st.sampled_from(["NFC", "NFD"]))
    blank = draw(st.sampled_from(["", "", " ", "\t", "\N{NO-BREAK SPACE}"]))
    return blank + unicodedata.normalize(form, value) + blank


@st.composite
def edited(draw: Any, name: str) -> str:
    """The name with one letter more, less, or another."""
    place = draw(st.integers(0, len(name) - 1))
    letter = draw(st.sampled_from(LETTERS))
    how = draw(st.sampled_from(["more", "less", "other", "swap"]))
    if how == "swap" and place + 1 < len(name):
        return name[:place] + name[place + 1] + name[place] + name[place + 2 :]
    return name[:place] + ("" if how == "less" else letter) + name[place + (how != "more") :]


@st.composite
def meanings(draw: Any) -> list[dict[str, str | None]]:
    """Rows of what a table says; labels that are numbers or words, not both."""
    labels = draw(st.sampled_from([("0", "1", None), ("benign", "gutärtig", None)]))
    choices = {**VALUES, "label": labels}
    row = st.fixed_dictionaries({role: st.sampled_from(c) for role, c in choices.items()})
    return list(draw(st.lists(row, min_size=1, max_size=12)))


@pytest.fixture(scope="module")
def read(guard: Guard, registry: Registry) -> Any:
    def judge(header: list[str], rows: list[list[str]], separator: str, kind: str) -> Any:
        file = guard.inputs / "table.csv"
        with file.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, delimiter=separator)
            writer.writerow(header)
            writer.writerows(rows)
        part = Part(name="manifest", options={"csv": str(file)})
        dataset = resolve_part("dataset", part, registry, "dataset").build(registry)
        return dataset, guard.judge(kind, dataset.cases)

    return judge


@share(80)
@given(meanings(), st.data())
def test_a_table_is_read_for_what_it_means_however_it_is_written(
    read: Any, rows: list[dict[str, str | None]], data: Any
) -> None:
    header = {role: data.draw(st.sampled_from(names)) for role, names in NAMES.items()}
    order = data.draw(st.permutations(list(header)))
    cells = [
        {
            "case_id": f"c{place}",
            "image": f"{place}.png",
            "mask": f"m{place}.png",
            **{role: data.draw(spelled(value)) for role, value in row.items()},
        }
        for place, row in enumerate(rows)
    ]
    separator = data.draw(st.sampled_from([",", ";", "\t"]))
    written = [[row[role] for role in order] for row in cells]
    dataset, cases = read([header[role] for role in order], written, separator, "table cells")
    assert cases is not None, "a sound table is refused"
    for place, (case, row) in enumerate(zip(cases, rows, strict=True)):
        assert case.label == row["label"]
        assert case.patient_id == (row["patient_id"] or f"c{place}")
        assert case.mask_value == (int(row["mask_value"]) if row["mask_value"] else None)
    assert set(dataset.classes) == {row["label"] for row in rows} - {None}
    assert not [p for p in dataset.problems() if p.severity == "error"]


@share(60)
@given(
    st.sampled_from(["label", "patient_id"]),
    st.lists(st.sampled_from(sorted(DOUBTFUL | MISSING)), min_size=1, max_size=4),
    st.lists(st.sampled_from(["a", "b", "+", "7"]), min_size=1, max_size=6),
)
def test_no_word_for_nothing_becomes_a_class_or_a_patient_in_silence(
    read: Any, role: str, nothing: list[str], values: list[str]
) -> None:
    said = [*values, *nothing]
    rows = [[f"c{i}", f"{i}.png", f"m{i}.png", word] for i, word in enumerate(said)]
    dataset, cases = read(["case_id", "image", "mask", role], rows, ";", "table words")
    if cases is None:
        return
    told = any(p.field == role for p in dataset.problems())
    assert told == any(map(str.strip, nothing))
    for case, word in zip(cases[len(values) :], nothing, strict=True):
        meant = case.label if role == "label" else case.patient_id
        assert meant in (None, case.case_id), f"{word!r} became {meant!r}"


@share(60)
@given(st.data())
def test_no_column_of_patients_is_passed_over_in_silence(read: Any, data: Any) -> None:
    known = st.sampled_from([*NAMES["patient_id"], *LIKE_PATIENTS])
    name = data.draw(st.one_of(known, edited("patient_id"), edited("PatientID")))
    rows = [[f"c{i}", f"{i}.png", f"m{i}.png", f"p{i // 2}"] for i in range(4)]
    dataset, cases = read(["case_id", "image", "mask", name], rows, ",", "table columns")
    if cases is None:
        return
    used = [case.patient_id for case in cases] == ["p0", "p0", "p1", "p1"]
    assert used or any(p.field == "patient_id" for p in dataset.problems()), name


CASES = st.lists(
    st.tuples(
        st.integers(0, 14),
        st.sampled_from(["a", "b", "c", None]),
        st.sampled_from([*PARTS, "Train", "TEST", "", "nan", "val", "-"]),
    ),
    max_size=40,
)
PATIENTS = st.lists(
    st.tuples(
        st.sampled_from(["a", "a", "b", "b", "c", None]),
        st.sampled_from(["train", "Train", "test", "TEST", "pretext", ""]),
        st.integers(1, 3),
    ),
    min_size=4,
    max_size=20,
).map(
    lambda patients: [
        (number, label, part)
        for number, (label, part, cases) in enumerate(patients)
        for _ in range(cases)
    ]
)
"""Patients with cases of one class and one part, as most are."""


@share(100)
@given(
    st.one_of(CASES, PATIENTS, PATIENTS),
    st.sampled_from(["holdout", "folds", "column"]),
    st.floats(0.01, 0.99),
    st.integers(2, 6),
    st.sampled_from(["all", "unlabelled", "train"]),
    st.sampled_from([None, ("a", "b"), ("z", "b", "a", "c")]),
    st.integers(0, 2**31),
)
def test_a_split_is_refused_or_holds_every_class_on_both_sides(
    guard: Guard,
    drawn: Any,
    kind: Any,
    fraction: float,
    folds: int,
    pretext: Any,
    classes: Any,
    seed: int,
) -> None:
    cases = [
        Case(f"c{i}", f"p{patient}", Path("i"), Path("m"), label, columns={"split": part})
        for i, (patient, label, part) in enumerate(drawn)
    ]
    spec = SplitSpec(kind=kind, test_fraction=fraction, folds=folds, pretext=pretext)
    splits = guard.judge("table splits", lambda: make_splits(cases, spec, seed, classes=classes))
    if splits is None:
        return
    assert kind != "column" or "val" not in {part for *_, part in drawn}
    usable = usable_classes(cases, classes)
    of = {case.case_id: case for case in cases}
    for split in splits:
        for part in (split.train, split.test):
            assert {of[case_id].label for case_id in part} == set(usable)
        tested = {of[case_id].patient_id for case_id in split.test}
        assert not tested & {of[c].patient_id for c in (*split.train, *split.pretext)}
    if kind == "folds":
        assert set(Counter(c for split in splits for c in split.test).values()) == {1}
    if kind != "column":
        labelled = {case.case_id for case in cases if case.label in usable}
        assert all({*split.train, *split.test} == labelled for split in splits)
    uses = account(cases, splits, spec, classes or ("a", "b", "c"))
    assert sum(use.cases for use in uses) == len(cases)


@share(20)
@given(CASES, st.sampled_from([("a", "b"), ("a", "b", "c", "z"), ()]))
def test_doubts_are_sentences_told_once(guard: Guard, drawn: Any, classes: Any) -> None:
    class Listed:
        def problems(self) -> Any:
            return iter(())

    cases = [
        Case(f"c{i}", f"p{patient}", Path(f"{i % 5}"), Path(f"m{i % 3}"), label)
        for i, (patient, label, _) in enumerate(drawn)
    ]
    dataset: Any = Listed()
    told = guard.judge(
        "table doubts",
        lambda: findings.sentences(
            findings.listing_findings(dataset, cases, label_findings(cases, classes))
        ),
    )
    assert len(set(told)) == len(told)
    assert all(sentence.isprintable() and sentence.endswith(".") for sentence in told)
