"""Reporting checklists: every item once, and no answer that the run folder does not show."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import rdfc_core
from rdfc_core import DataError
from rdfc_core.pipeline import view_fitting
from rdfc_core.report.checklist import filled as filled_lists
from rdfc_core.report.checklist.answer import ItemAnswer, Proof
from rdfc_core.report.checklist.evidence import read_evidence
from rdfc_core.report.checklist.filled import FilledItem, fill, score
from rdfc_core.report.checklist.items import LISTS, ChecklistItem, items_of
from rdfc_core.report.checklist.pages import write_checklist
from rdfc_core.report.checklist.questions import QUESTIONS
from tests.support import breaches, small_parts
from tests.support.html_page import Page
from tests.support.small_study import SMALL_STUDY, run_study

PUBLISHED = Path(rdfc_core.__file__).parent / "report" / "checklist" / "lists"
FEATURES = {
    "imageType": {"Original": {}},
    "featureClass": {"shape2D": None, "firstorder": None},
    "setting": {"binWidth": 16},
}
STUDY: dict[str, Any] = {
    **{key: value for key, value in SMALL_STUDY.items() if key not in ("features", "views")},
    "views": {
        "radiomics": {
            "extractor": {"name": "native", "parameters": FEATURES},
            "width": 16,
            "layers": 2,
        },
        "image": {"size": [16, 16]},
    },
}
SOUND = (
    "pretrain.epochs=2",
    "pretrain.held_back=0.3",
    "evaluate.bootstrap=100",
    "evaluate.classifiers=[logistic]",
    "evaluate.methods=[radiomics-logistic]",
    "evaluate.selection={enabled: true, folds: 2}",
)


@pytest.fixture(scope="module")
def sound(once) -> Path:
    """A run that breaks no rule; not to be changed."""

    def run(place: Path) -> None:
        pictures = small_parts.write_pictures(place / "pictures", 84, unlabelled=12)
        run_study(pictures, place / "run", place / "store.sqlite", SOUND, base=STUDY)

    return once("checklist", run) / "run"


@pytest.fixture
def broken(sound: Path, tmp_path: Path) -> Callable[[breaches.Breach], Path]:
    """A function: a copy of the sound run with a breach."""

    def copy(breach: breaches.Breach) -> Path:
        run = Path(shutil.copytree(sound, tmp_path / "run"))
        breach(run)
        return run

    return copy


def answer(run: Path, name: Any, number: str, validations: tuple[Path, ...] = ()) -> ItemAnswer:
    return QUESTIONS[name][number](read_evidence(run, validations))


@pytest.mark.parametrize("name", LISTS)
def test_the_lists_are_the_published_ones(name):
    shipped = (PUBLISHED / f"{name}.csv").read_text(encoding="utf-8")
    counts = {"clear": 58, "metrics": 30, "tripod-ai": 52}
    assert len(items_of(name)) == counts[name] == len(list(csv.DictReader(shipped.splitlines())))
    assert {item.number for item in items_of(name)} == set(QUESTIONS[name])


def test_the_weights_of_metrics_sum_to_one():
    assert sum(item.weight for item in items_of("metrics")) == pytest.approx(1.0)


def test_every_row_of_the_lists_is_on_both_pages_once(sound, tmp_path):
    write_checklist(sound, tmp_path)
    html = (tmp_path / "checklist.html").read_text(encoding="utf-8")
    page = Page(html)
    text = (tmp_path / "checklist.md").read_text(encoding="utf-8")
    for name in LISTS:
        [part] = [p for p in re.split(r"^## ", text, flags=re.M) if p.startswith(TITLES[name])]
        rows = [
            re.split(r"(?<!\\)\| ", line.strip("| "))
            for line in part.splitlines()
            if line.startswith("| ") and not line.startswith(("| No.", "| ---"))
        ]
        assert [row[0].strip() for row in rows] == [item.number for item in items_of(name)]
        assert [row[2].strip() for row in rows] == [
            " ".join(item.text.split()) for item in items_of(name)
        ]
        for item in items_of(name):
            assert html.count(f'id="{name}-{item.number}"') == 1
    assert "CC BY 4.0" in page.text
    for source in ("10.1186/s13244-023-01415-8", "10.1186/s13244-023-01572-w", "bmj-2023-078378"):
        assert source in text
        assert source in page.text


TITLES = {"clear": "CLEAR", "metrics": "METRICS", "tripod-ai": "TRIPOD+AI"}


def test_what_a_sound_run_shows(sound):
    """By hand: everything that this run did, and nothing that it did not do."""
    run = read_evidence(sound)
    told = {
        name: {one.item.number: one.answer.status for one in fill(run, name).items}
        for name in LISTS
    }
    assert {n for n, status in told["metrics"].items() if status == "met"} == {
        *("12", "13", "18", "20", "21", "22", "23", "25", "26"),
    }
    assert {n for n, status in told["metrics"].items() if status == "not met"} == {
        *("14", "15", "16", "24", "27"),
    }
    assert {n for n, status in told["clear"].items() if status == "not met"} == {"42", "48"}
    assert {n for n, status in told["tripod-ai"].items() if status == "not met"} == set()
    assert told["clear"]["17"] == "not applicable"
    assert told["clear"]["14"] == "for the authors"  # overlap with earlier publications
    for number in ("12d", "12f", "12g", "20c", "23b", "24"):
        assert told["tripod-ai"][number] == "not applicable"


def test_proofs_say_what_the_files_say(sound):
    split = answer(sound, "clear", "15")
    assert Proof("cases.csv", "column holdout: patients on both sides", "0") in split.proofs
    assert split.status == "met"
    count = answer(sound, "clear", "27")
    assert [proof.figure for proof in count.proofs] == ["27", "27"]  # 9 of shape, 18 first order
    binned = answer(sound, "clear", "23")
    assert any(p.key.endswith("setting.binWidth") and p.figure == "16.0" for p in binned.proofs)
    rows = json.loads((sound / "results.json").read_text(encoding="utf-8"))["rows"]
    intervals = answer(sound, "metrics", "21").proofs[0]
    judged = [row for row in rows if row["mean"] is not None]
    assert intervals.figure == f"{len(judged)} of {len(judged)}"


BREACHES: dict[tuple[str, str], breaches.Breach] = {
    ("clear", "15"): breaches.on_both_sides("patient_id"),
    ("clear", "17"): breaches.no_case_definition,
    ("clear", "21"): breaches.no_recipes,
    ("clear", "22"): breaches.no_setting("resampledPixelSpacing"),
    ("clear", "23"): breaches.no_setting("binWidth"),
    ("clear", "24"): breaches.no_setting("imageType"),
    ("clear", "25"): breaches.no_versions,
    ("clear", "26"): breaches.no_setting("featureClass"),
    ("clear", "27"): breaches.a_feature_fewer,
    ("clear", "28"): breaches.no_setting("setting"),
    ("clear", "29"): breaches.failed_without_reason,
    ("clear", "30"): breaches.no_class_counts,
    ("clear", "32"): breaches.scaled_by_all,
    ("clear", "33"): breaches.no_models,
    ("clear", "34"): breaches.no_models,
    ("clear", "35"): breaches.no_record_of_training,
    ("clear", "36"): breaches.without_rows("size-only", "shape-only"),
    ("clear", "37"): breaches.chosen_by_test,
    ("clear", "38"): breaches.no_holdout,
    ("clear", "39"): breaches.without_metric("auroc"),
    ("clear", "40"): breaches.no_intervals,
    ("clear", "41"): breaches.no_tests,
    ("clear", "43"): breaches.no_explanations,
    ("clear", "46"): breaches.no_features,
    ("clear", "47"): breaches.no_intervals,
    ("metrics", "11"): breaches.no_recipes,
    ("metrics", "12"): breaches.no_versions,
    ("metrics", "13"): breaches.no_setting("setting"),
    ("metrics", "18"): breaches.learnt_from_all("view.radiomics"),
    ("metrics", "19"): breaches.without_rows("size-only", "shape-only"),
    ("metrics", "20"): breaches.without_metric("balanced_accuracy"),
    ("metrics", "21"): breaches.no_intervals,
    ("metrics", "22"): breaches.without_metric("ece"),
    ("metrics", "23"): breaches.no_case_definition,
    ("metrics", "25"): breaches.without_rows("radiomics-logistic", "radiomics"),
    ("metrics", "26"): breaches.no_holdout,
    ("tripod-ai", "7"): breaches.no_recipes,
    ("tripod-ai", "9a"): breaches.no_recipes,
    ("tripod-ai", "9b"): breaches.no_recipes,
    ("tripod-ai", "11"): breaches.failed_without_reason,
    ("tripod-ai", "12a"): breaches.no_holdout,
    ("tripod-ai", "12b"): breaches.scaled_by_all,
    ("tripod-ai", "12c"): breaches.learnt_from_all("labels"),
    ("tripod-ai", "12e"): breaches.without_metric("auroc"),
    ("tripod-ai", "13"): breaches.no_class_counts,
    ("tripod-ai", "15"): breaches.no_probabilities,
    ("tripod-ai", "20a"): breaches.no_uses,
    ("tripod-ai", "20b"): breaches.no_class_counts,
    ("tripod-ai", "21"): breaches.no_list_of_cases,
    ("tripod-ai", "22"): breaches.damaged_weights,
    ("tripod-ai", "23a"): breaches.no_intervals,
}
"""List and item → what breaks it."""

BROKEN_ALREADY = {("clear", "42"), ("clear", "48")} | {
    ("metrics", number) for number in ("14", "15", "16", "24", "27")
}
"""The sound run does not meet these: it has no columns, few cases, and no validation."""

OF_VALIDATIONS = {("tripod-ai", n) for n in ("12d", "12f", "12g", "16", "20c", "23b", "24")}
"""Tested with one."""

FACTS_ALONE = {("clear", "9"), ("clear", "13"), ("tripod-ai", "5a"), ("tripod-ai", "10")} | {
    ("metrics", "17")
}
"""Always for the authors, or not applicable, whatever the run says beside it."""


def test_every_item_that_a_run_answers_is_broken_here():
    hints = {"for_authors.<locals>.<lambda>"}
    asked = {
        (name, number)
        for name in LISTS
        for number, question in QUESTIONS[name].items()
        if question.__qualname__ not in hints
    }
    assert asked == set(BREACHES) | BROKEN_ALREADY | OF_VALIDATIONS | FACTS_ALONE


@pytest.mark.parametrize("item", BREACHES, ids="-".join)
def test_a_breach_is_shown_as_not_met(item, sound, broken):
    before = answer(sound, *item)
    assert before.status in ("met", "partly", "not applicable")
    after = answer(broken(BREACHES[item]), *item)
    assert after.status == "not met", after.text
    assert after.text


LEAKS = {
    "patient": breaches.on_both_sides("patient_id"),
    "content": breaches.on_both_sides("fingerprint"),
    "image": breaches.on_both_sides("image"),
    "scaler": breaches.scaled_by_all,
    "scaler's record": breaches.learnt_from_all("view.radiomics"),
    "network": breaches.learnt_from_all("network"),
    "end of pretraining": breaches.learnt_from_all("network-held-back"),
    "labels": breaches.learnt_from_all("labels"),
    "choice": breaches.chosen_by_test,
    "no test": breaches.no_holdout,
}


@pytest.mark.parametrize("leak", LEAKS)
def test_no_leak_passes_for_a_proper_partition(leak, broken):
    assert answer(broken(LEAKS[leak]), "metrics", "18").status == "not met"


def test_a_run_whose_views_were_fitted_on_all_cases_says_so(once, monkeypatch):
    """The breach itself is run: its model records what it was fitted on."""

    fit = view_fitting.fit

    def fitted_on_all(split, views, extraction):
        every = tuple(case.case_id for case in extraction.cases)
        return fit(replace(split, pretext=every), views, extraction)

    monkeypatch.setattr(view_fitting, "fit", fitted_on_all)

    def run(place: Path) -> None:
        pictures = small_parts.write_pictures(place / "pictures", 84, unlabelled=12)
        run_study(pictures, place / "run", place / "store.sqlite", SOUND, base=STUDY)

    folder = once("checklist-leak", run) / "run"
    for name, number in (("clear", "32"), ("metrics", "18"), ("tripod-ai", "12b")):
        found = answer(folder, name, number)
        assert found.status == "not met"
        assert "fitted on 84 cases" in found.text


def test_a_test_part_that_was_evaluated_twice_is_told_of(broken):
    def again(run: Path) -> None:
        path = run / "evaluations.jsonl"
        path.write_text(2 * path.read_text(encoding="utf-8"), encoding="utf-8")

    found = answer(broken(again), "metrics", "26")
    assert found.status == "partly"
    assert "evaluated 2 times" in found.text


def test_an_evaluation_of_other_cases_is_not_met(broken):
    assert answer(broken(breaches.evaluated_others), "metrics", "26").status == "not met"


@pytest.mark.parametrize("gone", ["learnt_from", "evaluations.jsonl", "image"])
def test_what_an_older_run_does_not_record_is_not_met_by_silence(gone, broken):
    def older(run: Path) -> None:
        if gone == "learnt_from":
            breaches.edit_model(run, lambda about: about.pop("learnt_from"))
        elif gone == "image":
            rows = breaches.rows(run)
            breaches.write_rows(run, [{k: v for k, v in row.items() if k != gone} for row in rows])
        else:
            (run / gone).unlink()

    run = broken(older)
    number = "26" if gone == "evaluations.jsonl" else "18"
    assert answer(run, "metrics", number).status == "partly"


def test_the_score_is_bounded_by_what_is_open():
    """By hand: of weights 0.5, 0.3, 0.2 and 0.4, the last does not apply."""
    statuses = ("met", "for the authors", "not met", "not applicable")
    items = tuple(
        FilledItem(ChecklistItem(str(n), "", "", weight), ItemAnswer(status, ""))
        for n, (weight, status) in enumerate(zip((0.5, 0.3, 0.2, 0.4), statuses, strict=True))
    )
    found = score(items)
    assert (found.low, found.high) == (pytest.approx(50), pytest.approx(80))
    assert (found.open, found.left_out) == (("1",), ("3",))
    assert found.bands == "moderate to excellent"


@pytest.mark.parametrize(
    ("value", "name"),
    [(19.9, "very low"), (20, "low"), (40, "moderate"), (60, "good"), (80, "excellent")],
)
def test_the_bands_are_those_of_the_tool(value, name):
    assert filled_lists.band(value) == name


def test_a_folder_without_results_is_refused(sound, tmp_path):
    run = Path(shutil.copytree(sound, tmp_path / "run"))
    (run / "results.json").unlink()
    with pytest.raises(DataError, match="holds no results yet"):
        write_checklist(run)
