"""The model that a run chooses by its training cases: judged, saved, and used by predict."""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from safetensors.numpy import load_file, save_file

from rdfc_core import DataError, StudyError
from rdfc_core.cli import console
from rdfc_core.evaluation import finetuning
from rdfc_core.models.temperature import tempered
from rdfc_core.pipeline.predict import predict
from rdfc_core.report import headline, write_report
from rdfc_core.report.answers import answers
from rdfc_core.report.load import read_run
from rdfc_core.report.run_data import Method
from rdfc_core.report.sections.model_selection import choices
from rdfc_core.report.sections.summary import summary
from rdfc_core.report.verdict import Statistics, judge, paired_difference
from rdfc_core.results.schema import Against, Judged, Results
from tests.support import small_study
from tests.support.small_study import QUICK

CANDIDATES = (
    "probe",
    "radiomics-logistic",
    "image-and-radiomics",
    "radiomics",
    "hybrid-finetune",
)
SELECTING = (
    *QUICK,
    "evaluate.selection.enabled=true",
    "evaluate.selection.folds=2",
    "evaluate.controls=[random-init,radiomics,size-only]",
    "evaluate.classifiers=[logistic]",
    "evaluate.methods=[hybrid-scratch,hybrid-finetune,radiomics]",
    "evaluate.inner_folds=2",
    "evaluate.supervised.epochs=2",
    "evaluate.supervised.head=embedding",
    "evaluate.label_fractions=[0.3]",
    "evaluate.label_seeds=2",
)


@pytest.fixture(scope="module")
def selected(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("selected")
    small_study.run_study(pictures, folder / "run", folder / "store.sqlite", SELECTING)
    return folder / "run"


def told_of(run: Path, method: str, table: str = "supervised") -> dict[str, Any]:
    """Case → probabilities, by all labels."""
    rows = pq.read_table(run / "predictions.parquet").to_pylist()
    own = [r for r in rows if (r["method"], r["table"], r["repeat"]) == (method, table, 0)]
    return {row["case_id"]: row["probabilities"] for row in own if row["label_fraction"] == 1}


def test_predict_says_of_the_run_s_test_cases_what_the_run_said(selected, cases, run_context):
    scored = told_of(selected, "selected")
    assert len(scored) >= 5
    said = predict(selected, [case for case in cases if case.case_id in scored], run_context)
    np.testing.assert_allclose(said.probabilities, list(scored.values()), rtol=1e-4, atol=1e-6)


def test_cases_are_asked_about_some_at_a_time_and_the_answer_is_the_same(
    selected, cases, run_context, monkeypatch
):
    whole = predict(selected, cases, run_context).probabilities
    monkeypatch.setattr("rdfc_core.models.model.BATCH", 5)
    parts = predict(selected, cases, run_context).probabilities
    np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", CANDIDATES)
def test_every_candidate_was_saved_and_can_be_asked(selected, cases, run_context, method):
    table = "label-efficiency" if method == "probe" else "supervised"
    scored = told_of(selected, method, table)
    if method == "probe":  # it stands in the table of linear evaluation
        scored = {
            row["case_id"]: row["probabilities"]
            for row in pq.read_table(selected / "predictions.parquet").to_pylist()
            if (row["table"], row["input"], row["layer"]) == ("linear", "all", "features")
        }
    about = json.loads((selected / "model" / "holdout" / "model.json").read_text())["selection"]
    heat = {one["candidate"]: one["temperature"] for one in about["ranking"]}[method]
    own = [case for case in cases if case.case_id in scored]
    said = predict(selected, own, run_context, method).probabilities
    tuned = [tempered(np.array([scored[case.case_id]]), heat)[0] for case in own]
    if method in ("radiomics-logistic", "image-and-radiomics"):  # of the penalty that was chosen
        assert said.shape == np.shape(tuned)
        return
    np.testing.assert_allclose(said, tuned, rtol=1e-3, atol=1e-5)


def test_the_model_says_what_was_chosen_and_that_no_test_case_was_seen(selected):
    results = Results.read(selected / "results.json")
    assert [(one.label_fraction, one.repeat) for one in results.selections] == [
        (1.0, 0),
        (0.3, 0),
        (0.3, 1),
    ]
    about = json.loads((selected / "model" / "holdout" / "model.json").read_text())["selection"]
    assert about == results.selections[0].model_dump(mode="json")
    assert about["test_cases_seen"] == 0
    assert about["labelled_cases"] == results.dataset["splits"][0]["train"]
    assert {one["candidate"] for one in about["ranking"]} == {*CANDIDATES, "ensemble"}
    scores = [one["log_loss"] for one in about["ranking"]]
    assert scores == sorted(scores)
    files = {path.name for path in (selected / "model" / "holdout").iterdir()}
    assert files == {"weights.safetensors", "model.json", "training_cases.safetensors"}


def test_the_tables_show_every_candidate_beside_what_was_chosen(selected):
    results = Results.read(selected / "results.json")
    for table in ("supervised", "label-efficiency"):
        methods = {row.method for row in results.rows if row.table == table}
        assert methods >= {*CANDIDATES[1:], "hybrid-scratch", "selected"}  # the probe is rdfc's


def test_the_headline_is_about_the_chosen_model_and_about_pretraining(selected):
    told = Results.read(selected / "results.json").headline
    assert told is not None
    assert (told.main.table, told.main.method) == ("supervised", "selected")
    pairs = [(one.of.method, one.less.method) for one in told.against]
    assert pairs == [
        *(("selected", m) for m in ("hybrid-scratch", "radiomics-logistic", "radiomics")),
        *(("selected", m) for m in ("random-init", "radiomics", "size-only")),
        ("hybrid-finetune", "hybrid-scratch"),
        ("rdfc", "random-init"),
    ]
    assert all(one.p is not None and one.p <= one.p_corrected for one in told.against)


def test_the_report_repeats_the_headline_of_the_results(selected):
    run = read_run(selected)
    verdict = judge(run)
    told = run.results.headline
    own = [one for one in told.against if one.of == told.main]
    found = {(c.row.table, c.row.method): c.difference for c in verdict.comparisons}
    assert found == {
        (one.less.table, one.less.method): (one.difference, one.ci_low, one.ci_high) for one in own
    }
    enough = run.results.dataset.model_copy(update={"tested": {}})  # too few for a headline here
    page = summary(
        replace(run, results=run.results.model_copy(update={"dataset": enough})), verdict
    )
    pretraining, model, _ = page.answers
    assert pretraining.grounds.startswith("Against training from scratch ")
    assert model.grounds.startswith("The selected model reaches a weighted F1 of")
    assert "chosen by inner folds of the training cases" in model.grounds
    assert choices(run)[0].chosen.split()[0] == run.results.selections[0].chosen
    assert "How was the model chosen" in write_report(Path(selected)).read_text(encoding="utf-8")


def test_terminal_and_report_head_with_the_same_words(selected, monkeypatch, tmp_path):
    results = Results.read(selected / "results.json")
    told = results.headline
    assert told is not None
    shown = results.model_copy(
        update={
            "dataset": {**results.dataset, "tested": {}},  # too few for a headline here
            "headline": told.model_copy(update={"illustration": "Nobody had these tumours."}),
        }
    )
    printed = io.StringIO()
    monkeypatch.setattr(console, "out", Console(file=printed, width=500))
    console.show_results(shown, "run")
    run = Path(shutil.copytree(selected, tmp_path / "run"))
    shown.write(run / "results.json")
    page = re.sub(r"\s+", " ", html.unescape(write_report(run).read_text(encoding="utf-8")))
    terminal = re.sub(r"\s+", " ", printed.getvalue())
    lines = answers(read_run(run).results, "run")
    assert len(lines) == 3
    for words in (
        *(part for line in lines for part in line),
        headline.score(told, results.rows, results.selections),
        headline.conclusion(told),
        "Nobody had these tumours.",
    ):
        assert re.sub(r"\s+", " ", words) in terminal
        assert re.sub(r"\s+", " ", words) in page
    for name in ("hybrid-scratch", "random-init", "radiomics-logistic", "size-only"):
        assert re.search(rf"{name} +│ [^│]+ │ [+-−]", printed.getvalue()), name


def outcome_of(low: float | None, high: float | None) -> str:
    variant = Judged(table="control", method="size-only", input="", layer="", classifier="")
    return headline.outcome(
        Against(
            of=variant, less=variant, difference=0, ci_low=low, ci_high=high, p=1, p_corrected=1
        )
    )


def test_a_gain_is_one_whose_interval_excludes_zero():
    assert outcome_of(0.01, 0.2) == "better"
    assert outcome_of(-0.2, -0.01) == "worse"
    assert outcome_of(-0.01, 0.2) == outcome_of(0.0, 0.2) == outcome_of(None, None) == "open"


def test_without_the_run_s_own_headline_its_statistics_are_taken_from_the_study(selected):
    """An older run: the report resamples as the study says, and comes to the same interval."""
    run = read_run(selected)
    told = run.results.headline
    plain = replace(run, results=run.results.model_copy(update={"headline": None}))
    assert Statistics.of(plain) == Statistics(200, 0.95, 0)
    of, less = told.against[-1].of, told.against[-1].less
    said = {p.method: p for p in run.predictions}
    found = paired_difference(
        said[Method(**of.model_dump())],
        said[Method(**less.model_dump())],
        "f1_weighted",
        Statistics.of(plain),
    )
    expected = told.against[-1]
    assert found == pytest.approx((expected.difference, expected.ci_low, expected.ci_high))


def test_an_older_model_predicts_by_its_linear_probe_and_by_nothing_else(
    finished, cases, run_context
):
    about = json.loads((finished / "model" / "holdout" / "model.json").read_text())
    assert "selection" not in about
    one = predict(finished, cases[:3], run_context).probabilities
    np.testing.assert_array_equal(
        predict(finished, cases[:3], run_context, "probe").probabilities, one
    )
    with pytest.raises(StudyError, match=r"saved the linear probe alone \(probe\)"):
        predict(finished, cases[:3], run_context, "hybrid-finetune")


def test_an_unknown_candidate_is_refused_by_the_list_of_those_saved(selected, cases, run_context):
    with pytest.raises(
        StudyError, match=r"this run has saved .*hybrid-finetune.* is what it chose"
    ):
        predict(selected, cases[:1], run_context, "svm")


def test_a_model_without_the_weights_of_a_member_is_refused(selected, cases, run_context, tmp_path):
    run = Path(shutil.copytree(selected, tmp_path / "run"))
    folder = run / "model" / "holdout"
    about = json.loads((folder / "model.json").read_text())
    gone = about["selection"]["members"][0]
    arrays = load_file(folder / "weights.safetensors")
    left = {key: value for key, value in arrays.items() if not key.startswith(f"member.{gone}/")}
    save_file(left, folder / "weights.safetensors")
    about["sha256"] = hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
    (folder / "model.json").write_text(json.dumps(about))
    with pytest.raises(DataError, match=f"lacks the weights of {gone}"):
        predict(run, cases[:1], run_context)


def test_a_finished_run_that_lost_its_results_trains_nothing_again(
    selected, pictures, monkeypatch, tmp_path
):
    run = Path(shutil.copytree(selected, tmp_path / "run"))
    (run / "results.json").unlink()
    monkeypatch.setattr(finetuning, "fit", lambda *_: pytest.fail("a network was trained again"))
    store = selected.parent / "store.sqlite"
    small_study.run_study(pictures, run, store, SELECTING)
    assert small_study.lasting(run) == small_study.lasting(selected)
