"""A pretext that trains only one of a study's views: from its data to results and predictions."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest

from rdfc_core.config.load import load_study
from rdfc_core.config.resolve import resolve
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.case_list import read_cases
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.predict import embed, predict
from rdfc_core.report.load import read_run
from rdfc_core.report.verdict import judge
from tests.support import small_study
from tests.support.small_study import QUICK

DATASET = "phantom:cases=48,labelled=40,image_size=[40,48],difficulty=0.2"

PRETEXTS: dict[str, dict[str, Any]] = {
    "simclr": {"name": "simclr", "width": 16},
    "jigsaw": {"name": "jigsaw", "permutations": 10, "width": 8, "hidden": 32},
    "autoencoder": {"name": "autoencoder", "width": 8},
    "moco": {"name": "moco", "terms": [["image", "image"]], "width": 16},
    "rdfc": {"name": "correspondence", "terms": [["image", "image"]], "width": 16},
}
"""Method, as results call it → the pretext. Three embed pictures, two have no space to embed in."""
EMBEDS = {"simclr": 16, "moco": 16, "rdfc": 16}


class Finished(NamedTuple):
    """A run of a study of three views."""

    method: str
    folder: Path
    results: dict[str, Any]


def study_of(method: str) -> dict[str, Any]:
    study = {**small_study.SMALL_STUDY, "dataset": DATASET, "pretext": PRETEXTS[method]}
    if method != "rdfc":
        del study["objective"]
    return study


@pytest.fixture(scope="module", params=PRETEXTS)
def one_view(request, registry, tmp_path_factory) -> Finished:
    folder = tmp_path_factory.mktemp(request.param)
    with closing(Store(folder / "store.sqlite")) as store:
        context = RunContext(registry, store, LocalExecutor(LocalExecutorConfig(workers=0)))
        resolved = resolve(load_study(study_of(request.param), QUICK), registry)
        studies.run(resolved, folder / "run", context)
    text = (folder / "run" / "results.json").read_text(encoding="utf-8")
    return Finished(request.param, folder / "run", json.loads(text))


def inputs(found: Finished, method: str) -> set[tuple[str, str]]:
    rows = [row for row in found.results["rows"] if row["method"] == method]
    return {(row["input"], row["layer"]) for row in rows}


def test_the_method_s_rows_are_those_of_the_trained_view_alone(one_view):
    layers = ("features", "embedding") if one_view.method in EMBEDS else ("features",)
    assert inputs(one_view, one_view.method) == {("image", layer) for layer in layers}
    tables = {r["table"] for r in one_view.results["rows"] if r["method"] == one_view.method}
    assert tables == {"linear"}
    assert inputs(one_view, "random-init") == {("image", "features")}
    assert inputs(one_view, "shuffled-labels") == {("image", "features")}
    assert inputs(one_view, "radiomics") == {("radiomics", "raw")}


def test_the_variant_to_be_judged_is_one_that_there_is(one_view):
    main = one_view.results["run"]["main"]
    assert main == {"input": "image", "layer": "features", "classifier": "logistic"}
    verdict = judge(read_run(one_view.folder))
    assert verdict is not None
    assert (verdict.main.method, verdict.main.input) == (one_view.method, "image")
    assert verdict.variants == 1  # named beforehand, and not the best of several


def test_a_saved_model_gives_the_probabilities_that_were_reported(one_view, run_context, registry):
    study = resolve(load_study(study_of(one_view.method)), registry)
    cases = read_cases(study.dataset.build(registry), AutoReader.installed(registry))
    rows = [
        row
        for row in pq.read_table(one_view.folder / "predictions.parquet").to_pylist()
        if (row["table"], row["layer"], row["classifier"]) == ("linear", "features", "logistic")
    ]
    tested = {row["case_id"]: row["probabilities"] for row in rows}
    said = predict(one_view.folder, [c for c in cases if c.case_id in tested], run_context)
    assert len(said.case_ids) == 8
    for case_id, probabilities in zip(said.case_ids, said.probabilities, strict=True):
        np.testing.assert_allclose(probabilities, tested[case_id], rtol=1e-5)


def test_vectors_are_embeddings_or_else_features_of_the_trained_view(
    one_view, run_context, registry
):
    vectors = pq.read_table(one_view.folder / "embeddings.parquet")["vector"].to_pylist()
    assert {len(vector) for vector in vectors} == {EMBEDS.get(one_view.method, 8)}
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, rel=1e-5)
    study = resolve(load_study(study_of(one_view.method)), registry)
    cases = read_cases(study.dataset.build(registry), AutoReader.installed(registry))[:3]
    embedded, failures = embed(one_view.folder, cases, run_context)
    assert not failures
    assert {len(one.vector) for one in embedded} == {EMBEDS.get(one_view.method, 8)}


def test_training_is_told_by_the_pretext_s_own_numbers(one_view):
    lines = (one_view.folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    logs = {
        "simclr": {"positive_similarity", "negative_similarity", "top1"},
        "jigsaw": {"accuracy"},
        "autoencoder": {"mse", "explained"},
        "moco": {"image-image.top1", "image-image.positive_similarity"},
        "rdfc": {"image-image.top1"},
    }
    assert len(lines) == 3
    for line in map(json.loads, lines):
        assert logs[one_view.method] <= set(line)
        assert 0 < line["image.effective_rank"] <= 16
        assert np.isfinite(line["loss"])
