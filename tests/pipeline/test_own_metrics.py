"""A study's own metrics: in results, tests, tables and the report, and beside nothing else."""

from __future__ import annotations

import json
from collections import defaultdict

import pyarrow.parquet as pq
import pytest
import yaml
from sklearn.metrics import log_loss, recall_score

from rdfc_core.report import write_report
from rdfc_core.results.schema import Results
from tests.support.small_study import QUICK, run_study

OWN = (
    "evaluate.metrics={sensitivity: {name: sensitivity, positive: malignant}, "
    "of-benign: {name: sensitivity, positive: benign}, surprise: log-loss}"
)
TITLES = {
    "sensitivity": "Sensitivity (malignant)",
    "of-benign": "Sensitivity (benign)",
    "surprise": "Log loss",
}


@pytest.fixture(scope="module")
def scored(pictures, once):
    def run(place):
        run_study(pictures, place / "run", place / "store.sqlite", (*QUICK, OWN))

    return once("own-metrics", run) / "run"


def test_metrics_of_every_run_are_the_same_to_the_bit(scored, finished):
    with_own, without = (
        json.loads((run / "results.json").read_text("utf-8")) for run in (scored, finished)
    )
    for part in ("rows", "comparisons"):
        assert [one for one in with_own[part] if one["metric"] not in TITLES] == without[part]
    assert with_own["headline"] == without["headline"]


def test_every_variant_is_scored_by_them_as_scikit_learn_does(scored):
    told = defaultdict(lambda: defaultdict(list))
    for row in pq.read_table(scored / "predictions.parquet").to_pylist():
        key = tuple(row[name] for name in ("table", "method", "input", "layer", "classifier"))
        told[key][row["repeat"]].append(row)
    rows = [row for row in Results.read(scored / "results.json").rows if row.metric in TITLES]
    assert len(rows) == len(TITLES) * len(told)
    for row in rows:
        found = []
        for cases in told[row.table, row.method, row.input, row.layer, row.classifier].values():
            labels = [one["label"] for one in cases]
            predicted = [one["predicted"] for one in cases]
            if row.metric == "surprise":
                found.append(log_loss(labels, [one["probabilities"] for one in cases]))
            else:
                positive = "benign" if row.metric == "of-benign" else "malignant"
                found.append(recall_score(labels, predicted, pos_label=positive))
        # Predictions are kept in single precision.
        assert row.mean == pytest.approx(sum(found) / len(found), rel=1e-4, abs=1e-6)
        assert row.ci_low <= row.mean <= row.ci_high


def test_reports_head_them_by_their_titles_without_the_plugin(scored):
    kept = Results.read(scored / "results.json")
    assert {one.name: one.title for one in kept.metrics} == TITLES
    assert kept.metrics[0].by.startswith("metric 'sensitivity' of rdfc-core ")
    page = write_report(scored).read_text("utf-8")
    for title in (*list(TITLES.values())[:2], "Log loss (lower is better)"):
        assert title in page


def test_the_study_keeps_their_options(scored):
    study = yaml.safe_load((scored / "study.yaml").read_text("utf-8"))
    assert study["evaluate"]["metrics"]["of-benign"] == {
        "name": "sensitivity",
        "positive": "benign",
    }


@pytest.mark.parametrize(
    ("metrics", "told"),
    [
        ("[auroc]", "'auroc'"),
        ("{auroc: log-loss}", "'auroc' is in every run already"),
        ("[log-loss, log-loss]", "one metric stands twice; name them: {name: metric, …}"),
        ("[sensitivity]", "Set its option positive to one of: benign, malignant"),
        ("[specifity]", "Did you mean 'specificity'?"),
    ],
)
def test_what_is_no_metric_is_refused(rdfc_here, study_file, metrics, told):
    done = rdfc_here("run", study_file, f"--set=evaluate.metrics={metrics}")
    done.refused(told)


def test_the_terminal_has_a_table_of_them(scored, capsys, monkeypatch):
    from rdfc_core.cli import console

    console.show_results(Results.read(scored / "results.json"), "runs/a")
    out = " ".join(capsys.readouterr().out.split())
    assert "the study's own metrics" in out
    assert "Log loss" in out
