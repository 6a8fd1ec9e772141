"""Reading a run folder: crashes leave torn files, and damage is named."""

from __future__ import annotations

import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rdfc_core.errors import DataError
from rdfc_core.report import write_report
from rdfc_core.report.load import read_run
from rdfc_core.report.run_data import Method


def write_lines(folder, *lines):
    (folder / "metrics.jsonl").write_text("\n".join(lines), encoding="utf-8")


def test_torn_last_line_of_metrics_is_ignored(tmp_path):
    write_lines(tmp_path, '{"split": "a", "epoch": 1, "loss": 3.5}', '{"split": "a", "epo')
    run = read_run(tmp_path)
    assert [(e.split, e.epoch, e.values["loss"]) for e in run.epochs] == [("a", 1, 3.5)]
    assert run.unread_lines == 0


def test_damaged_line_in_the_middle_of_metrics_is_counted_and_said(tmp_path):
    write_lines(
        tmp_path,
        '{"split": "a", "epoch": 1, "loss": 3.5}',
        '{"split": "a", "epo{"split": "a", "epoch": 2, "loss": 3}',
        '{"split": "a", "epoch": 3, "loss": 2.5}',
        "",
    )
    run = read_run(tmp_path)
    assert [epoch.epoch for epoch in run.epochs] == [1, 3]
    assert run.unread_lines == 1
    assert "1 line of metrics.jsonl could not be read" in write_report(tmp_path).read_text()


def test_repeated_epoch_of_a_resumed_run_counts_once_with_its_later_values(tmp_path):
    write_lines(
        tmp_path,
        '{"split": "b", "epoch": 1, "loss": 9}',
        '{"split": "b", "epoch": 2, "loss": 8}',
        '{"split": "a", "epoch": 1, "loss": 5}',
        '{"split": "b", "epoch": 2, "loss": 7}',
    )
    epochs = read_run(tmp_path).epochs
    assert [(e.split, e.epoch, e.values["loss"]) for e in epochs] == [
        ("b", 1, 9.0),
        ("b", 2, 7.0),
        ("a", 1, 5.0),
    ]


def test_curve_that_is_nan_throughout_is_said_and_drawn_as_nothing(tmp_path):
    write_lines(tmp_path, *(f'{{"split": "a", "epoch": {n}, "loss": NaN}}' for n in (1, 2)))
    assert math.isnan(read_run(tmp_path).epochs[0].values["loss"])
    assert "no finite value" in write_report(tmp_path).read_text()


def test_folder_without_any_file_of_a_run_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"is no run folder: it holds none of study\.yaml"):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("results.json", b'{"rows": [', "results.json cannot be read: Expecting value"),
        ("results.json", b'{"rows": [{"table": "linear"}]}', r"rows\.0\.method: field required"),
        ("results.json", b'"text"', "results.json cannot be read: input should be"),
        ("study.yaml", b"a: [", "study.yaml cannot be read: while parsing"),
        ("study.yaml", b"- 1", "study.yaml cannot be read: it holds no mapping"),
        ("pictures.parquet", b"PAR1 and no more", "pictures.parquet cannot be read"),
    ],
)
def test_damaged_file_is_named_with_its_reason(tmp_path, file, content, reason):
    (tmp_path / file).write_bytes(content)
    with pytest.raises(DataError, match=reason):
        write_report(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [file]


def test_table_without_a_needed_column_is_refused_by_the_name_of_the_column(tmp_path):
    pq.write_table(pa.table({"case_id": ["a"]}), tmp_path / "pictures.parquet")
    with pytest.raises(DataError, match="it has no column png"):
        read_run(tmp_path)


def test_table_of_no_cases_counts_as_absent(tmp_path):
    pq.write_table(pa.table({}), tmp_path / "predictions.parquet")
    assert read_run(tmp_path).predictions == ()


def test_null_values_of_results_are_not_known_rather_than_an_error(tmp_path):
    row = {
        "table": "linear",
        "method": "rdfc",
        "dataset": "d",
        "input": "both",
        "layer": "",
        "classifier": "knn",
        "label_fraction": 1,
        "metric": "auroc",
        "mean": None,
        "sd": None,
        "ci_low": None,
        "ci_high": None,
        "n_cases": 0,
        "folds": 1,
        "seeds": 1,
        "published": None,
    }
    data = {
        "rows": [row],
        "dataset": {"name": None, "citation": None, "cases": float("nan"), "unheard_of": 1},
        "missing": [{"feature": "f", "cases": None, "reason": None}],
        "run": {"seconds": {}, "seed": None, "machine": None, "started": None},
    }
    (tmp_path / "results.json").write_text(json.dumps(data), encoding="utf-8")
    results = read_run(tmp_path).results
    assert results.dataset.name == ""
    assert results.dataset.cases is None
    html = write_report(tmp_path).read_text(encoding="utf-8")
    assert "so there is no headline" in html
    assert '<td class="number">–</td>' in html


def test_case_in_several_parts_counts_once_as_the_most_telling_part(tmp_path):
    rows = [
        ("s1", "pretext", "a", "x"),
        ("s1", "train", "a", "x"),
        ("s1", "pretext", "b", None),
        ("s1", "pretext", "c", "y"),
        ("s1", "test", "c", "y"),
        ("s2", "test", "a", "x"),
    ]
    columns = dict(zip(("split", "part", "case_id", "label"), zip(*rows, strict=True), strict=True))
    vectors = [[float(i), 0.0] for i in range(len(rows))]
    table = pa.table({**{k: list(v) for k, v in columns.items()}, "vector": vectors})
    pq.write_table(table, tmp_path / "embeddings.parquet")
    found = read_run(tmp_path).embeddings
    assert list(zip(found.case_ids, found.parts, found.labels, strict=True)) == [
        ("a", "train", "x"),
        ("b", "pretext", None),
        ("c", "test", "y"),
    ]
    assert found.vectors[:, 0].tolist() == [1.0, 2.0, 4.0]
    assert (found.split, found.other_splits) == ("s1", 1)


def test_predictions_are_grouped_by_method_and_keep_missing_probabilities_apart(tmp_path):
    common = {"split": "s", "table": "linear", "input": "both", "layer": "", "classifier": "knn"}
    rows = [
        {**common, "method": m, "case_id": c, "patient_id": c, "label": "x", "predicted": "y",
         "probabilities": p}
        for m, c, p in (("m", "1", [0.2, 0.8]), ("n", "1", None), ("m", "2", [0.4, 0.6]))
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "predictions.parquet")
    m, n = read_run(tmp_path).predictions
    assert m.method == Method("linear", "m", "both", "", "knn")
    assert m.case_ids == ("1", "2")
    np.testing.assert_allclose(m.probabilities, [[0.2, 0.8], [0.4, 0.6]])
    assert n.probabilities is None
    html = write_report(tmp_path).read_text(encoding="utf-8")
    assert "there is no ROC" not in html


def test_predictions_with_few_labels_stand_apart_by_their_share_and_keep_repetitions(tmp_path):
    common = {"split": "s", "method": "m", "input": "both", "layer": "", "classifier": "head",
              "case_id": "1", "patient_id": "1", "label": "x", "predicted": "y",
              "probabilities": [0.2, 0.8]}  # fmt: skip
    rows = [
        {**common, "table": table, "label_fraction": share, "repeat": repeat}
        for table, share, repeat in (
            ("label-efficiency", 0.05, 0),
            ("label-efficiency", 0.05, 1),
            ("label-efficiency", 1.0, 0),
            ("supervised", 1.0, 0),
        )
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "predictions.parquet")
    run = read_run(tmp_path)
    assert [(p.method.table, p.repetitions) for p in run.predictions] == [("supervised", 1)]
    assert [(p.label_fraction, p.repeats) for p in run.few_labels] == [(0.05, (0, 1)), (1.0, (0,))]
