"""Tables 1 and 2 and Figure 2 of a study: what stands in them, and what cannot stand there."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from rdfc_core import StudyError
from rdfc_core.pipeline import run as studies
from rdfc_core.report import write_report
from rdfc_core.results.schema import Results
from rdfc_core.results.vocabulary import METRICS
from tests.support import small_study
from tests.support.small_study import TABLES

JUDGED = {"radiomics", "resnet-scratch", "hybrid-scratch", "hybrid-finetune"}


@pytest.fixture(scope="module")
def results(finished_tables: Path) -> Results:
    return Results.read(finished_tables / "results.json")


def keys(results: Results, table: str) -> dict[tuple[str, str], int]:
    """Method and input → how many repetitions."""
    return {
        (row.method, row.input): row.seeds
        for row in results.rows
        if row.table == table and row.layer != "embedding"
    }


def test_other_pretexts_stand_in_the_linear_table_under_their_names(results):
    ours = {("rdfc", name): 1 for name in ("radiomics", "image", "greys", "all")}
    assert keys(results, "linear") == ours | {("simclr", "image"): 1, ("plain", "image"): 1}


def test_other_pretexts_have_checkpoints_and_metrics_of_their_own(finished_tables):
    names = {path.name for path in (finished_tables / "checkpoints").glob("holdout*")}
    assert names == {f"holdout{part}.safetensors" for part in ("", ".simclr", ".plain")}
    lines = (finished_tables / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    epochs = Counter(json.loads(line)["split"] for line in lines)
    assert epochs == {"holdout": 3, "holdout.simclr": 3, "holdout.plain": 3}
    assert [path.name for path in (finished_tables / "model").iterdir()] == ["holdout"]


def test_methods_and_settings_of_fine_tuning_are_rows_of_their_own(results):
    assert keys(results, "supervised") == {
        ("radiomics", "radiomics"): 1,
        ("resnet-scratch", "image"): 1,
        ("hybrid-scratch", "all"): 1,
        ("hybrid-finetune", "paper"): 1,
        ("hybrid-finetune", "all"): 1,
        ("hybrid-finetune", "slow"): 1,
    }


def test_every_method_is_tried_at_every_share_on_the_same_test_cases(results, finished_tables):
    own = [row for row in results.rows if row.table == "label-efficiency"]
    found = Counter((row.method, row.label_fraction) for row in own if row.metric == "auroc")
    assert found == dict.fromkeys(((m, f) for m in JUDGED | {"rdfc"} for f in (0.3, 1.0)), 1)
    assert {row.seeds for row in own} == {2}
    assert len({row.n_cases for row in results.rows}) == 1
    table = pq.read_table(finished_tables / "predictions.parquet").to_pylist()
    tested = {(row["table"], row["method"], row["label_fraction"], row["case_id"]) for row in table}
    asked = {}
    for *key, case_id in tested:
        asked.setdefault(tuple(key), set()).add(case_id)
    assert len(set(map(frozenset, asked.values()))) == 1


def test_all_labels_are_the_same_training_in_both_tables(finished_tables):
    table = pq.read_table(finished_tables / "predictions.parquet").to_pylist()
    said: dict[tuple[str, str], list[Any]] = {}
    for row in table:
        swept = row["method"] == "hybrid-finetune" and row["input"] != "paper"
        if row["label_fraction"] == 1 and row["repeat"] == 0 and not swept:
            said.setdefault((row["table"], row["method"]), []).append(row["probabilities"])
    for method in JUDGED:
        assert said["supervised", method] == said["label-efficiency", method]


def test_every_pair_of_methods_is_compared_once_a_table_and_share(results):
    found = Counter((c.table, c.label_fraction, c.test) for c in results.comparisons)
    # ours with either image-only pretext on the image alone and with all views, and these two
    pairs = {("linear", 1.0): 5, ("supervised", 1.0): 6}
    pairs |= {("label-efficiency", fraction): 10 for fraction in (0.3, 1.0)}
    for (table, fraction), count in pairs.items():
        assert found[table, fraction, "paired-bootstrap"] == 5 * count
        assert found[table, fraction, "delong"] == count
    means = {
        (row.table, row.method, row.label_fraction, row.metric): row.mean
        for row in results.rows
        if row.table != "linear"
        if row.method != "hybrid-finetune" or row.input == "paper"
    }
    for one in (c for c in results.comparisons if c.table != "linear"):
        a, b = (
            means[one.table, method, one.label_fraction, one.metric]
            for method in (one.method_a, one.method_b)
        )
        assert one.difference == pytest.approx(a - b, abs=1e-9)
        assert one.ci_low <= one.difference + 1e-9
        if one.test == "paired-bootstrap":  # DeLong's is undefined where two are perfect
            assert 0 < one.p <= one.p_corrected <= 1


def test_the_labels_that_others_need_are_told_for_each_share(results):
    found = Counter((one.method, one.reference) for one in results.labels_needed)
    assert found == dict.fromkeys(
        (("hybrid-finetune", name) for name in ("radiomics", "resnet-scratch", "hybrid-scratch")), 2
    )
    for one in results.labels_needed:
        assert one.least == 0.3
        assert one.share is None or 0.3 <= one.share <= 1


def test_the_report_is_drawn_with_all_of_it(finished_tables, tmp_path):
    copy = Path(shutil.copytree(finished_tables, tmp_path / "run"))
    page = write_report(copy).read_text(encoding="utf-8")
    for word in ("hybrid-finetune", "Label efficiency", "simclr", "slow"):
        assert word in page


def test_without_repetitions_methods_are_tried_at_the_shares_alone(pictures, run_context, tmp_path):
    few = (
        "pretrain.epochs=0",
        "evaluate.bootstrap=100",
        "evaluate.controls=[]",
        "evaluate.classifiers=[logistic]",
        "evaluate.methods=[hybrid-finetune]",
        "evaluate.supervised.epochs=1",
        "evaluate.supervised.seeds=0",
    )
    study = small_study.resolved(
        pictures, *few, "evaluate.label_fractions=[0.5]", "evaluate.label_seeds=1"
    )
    results = studies.run(study, tmp_path / "run", run_context)
    assert keys(results, "supervised") == {}
    assert ("hybrid-finetune", "paper") in keys(results, "label-efficiency")
    assert [p.name for p in (tmp_path / "run" / "trials" / "holdout").glob("hybrid*")] == [
        "hybrid-finetune.paper.labels-0.5.seed-0.json"
    ]
    assert "hybrid-finetune" in write_report(tmp_path / "run").read_text(encoding="utf-8")
    with pytest.raises(StudyError, match=r"tried nowhere: supervised\.seeds is 0"):
        small_study.resolved(pictures, *few)


def test_folds_and_seeds_are_repetitions_and_temperatures_rows(pictures, run_context, tmp_path):
    study = small_study.resolved(
        pictures,
        "pretrain.epochs=0",
        "split.kind=folds",
        "split.folds=2",
        "evaluate.bootstrap=100",
        "evaluate.controls=[]",
        "evaluate.classifiers=[logistic]",
        "evaluate.methods=[hybrid-scratch]",
        "evaluate.supervised.epochs=1",
        "evaluate.supervised.seeds=2",
        "evaluate.temperature_scaling=true",
        "evaluate.inner_folds=2",
    )
    results = studies.run(study, tmp_path / "run", run_context)
    rows = [row for row in results.rows if row.table == "supervised"]
    assert {row.classifier for row in rows} == {"head", "head+temperature"}
    for row in rows:
        assert (row.folds, row.seeds, row.n_cases) == (2, 2, 30)
    files = sorted(
        str(p.relative_to(tmp_path / "run" / "trials"))
        for p in (tmp_path / "run" / "trials").rglob("*.json")
    )
    assert [one for one in files if "/probe." not in one] == sorted(
        f"fold-{fold}/hybrid-scratch.labels-1.seed-{seed}{part}.json"
        for fold in (1, 2)
        for seed in (0, 1)
        for part in ("", ".inner-1-of-2", ".inner-2-of-2")
    )
    plain, scaled = (
        {r.metric: r.mean for r in rows if r.classifier == name}
        for name in ("head", "head+temperature")
    )
    for metric in METRICS:
        if metric in ("brier", "ece"):
            assert plain[metric] != scaled[metric]
        else:
            assert plain[metric] == pytest.approx(scaled[metric])


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["evaluate.supervised.finetune={name: x, freeze: [image.layr4]}"], r"no group 'image\.la"),
        (["evaluate.supervised.sweep=[{name: x, reinit: [grey]}]"], r"no group 'grey'\. Did you"),
        (["evaluate.compare=[{name: simclr, view: greys}]"], "'greys' shows no picture"),
    ],
)
def test_what_could_not_be_judged_is_refused_before_training(
    pictures, run_context, tmp_path, overrides, message
):
    study = small_study.resolved(pictures, *TABLES[:-2], *overrides)
    with pytest.raises(StudyError, match=message):
        studies.run(study, tmp_path / "run", run_context)
    assert not (tmp_path / "run" / "checkpoints").exists()


@pytest.mark.parametrize(
    ("left_out", "message"),
    [("radiomics", "needs a view of handcrafted features"), ("image", "needs an image view")],
)
def test_a_method_without_its_view_is_refused(
    registry, pictures, run_context, tmp_path, left_out, message
):
    from rdfc_core.config.load import load_study
    from rdfc_core.config.resolve import resolve

    views: dict[str, Any] = {
        "radiomics": {"extractor": "outline"},
        "image": {"encoder": "small-cnn", "size": [16, 16]},
        "greys": "greys",
    }
    del views[left_out]
    study = {"dataset": f"manifest:root={pictures}", "views": views}
    study["evaluate"] = {"methods": ["radiomics", "resnet-scratch"]}
    with pytest.raises(StudyError, match=message):
        studies.run(resolve(load_study(study), registry), tmp_path / "run", run_context)


def test_probabilities_are_those_of_the_files(finished_tables):
    table = pq.read_table(finished_tables / "predictions.parquet").to_pylist()
    path = finished_tables / "trials" / "holdout" / "radiomics.labels-0.3.seed-0.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        row
        for row in table
        if (row["method"], row["label_fraction"], row["table"], row["repeat"])
        == ("radiomics", 0.3, "label-efficiency", 0)
    ]
    assert [row["case_id"] for row in rows] == kept["case_ids"]
    np.testing.assert_array_equal([row["probabilities"] for row in rows], kept["probabilities"])


def test_several_classes_go_through_every_method_and_test(pictures, run_context, tmp_path):
    folder = Path(shutil.copytree(pictures, tmp_path / "own"))
    lines = (folder / "manifest.csv").read_text(encoding="utf-8").splitlines()
    split = [line.rpartition(",") for line in lines[1:]]
    named = [f"{head},{label and 'abc'[i % 3]}" for i, (head, _, label) in enumerate(split)]
    (folder / "manifest.csv").write_text("\n".join([lines[0], *named]) + "\n", encoding="utf-8")
    study = small_study.resolved(
        folder, *TABLES, "pretrain.epochs=1", "evaluate.compare={}", "evaluate.label_seeds=1"
    )
    results = studies.run(study, tmp_path / "run", run_context)
    assert results.dataset["classes"] == ["a", "b", "c"]
    assert {row.method for row in results.rows if row.table == "supervised"} == JUDGED
    for row in results.rows:
        assert row.mean is not None
        assert 0 <= row.mean <= 1
    delong = [c for c in results.comparisons if c.test == "delong"]
    assert len(delong) == 6 + 2 * 10
    table = pq.read_table(tmp_path / "run" / "predictions.parquet").to_pylist()
    assert {len(row["probabilities"]) for row in table} == {3}
