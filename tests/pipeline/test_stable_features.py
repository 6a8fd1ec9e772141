"""Stable features are chosen by training cases alone, saved with the model, and used from there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet
from safetensors.numpy import load_file

from rdfc_core import DataError, StudyError
from rdfc_core.data.splits import Split
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.extraction import extract
from rdfc_core.pipeline.predict import predict
from rdfc_core.pipeline.stable_features import keep_stable
from rdfc_core.results.schema import Results
from rdfc_core.views.feature_view import FeatureView
from rdfc_core.views.options import FeatureViewConfig
from tests.conftest import read_cases
from tests.support import small_study
from tests.support.small_preparers import OutlineConfig, OutlineFeatures

STABLE = 0.9
STUDY = (
    *small_study.QUICK,
    f"features.stable={STABLE}",
    "features.stable_perturbations=4",
    "features.stable_cases=12",
    "split={kind: folds, folds: 2}",
    "evaluate.controls=[]",
    "evaluate.classifiers=[logistic]",
    "evaluate.methods=[radiomics]",
    "evaluate.inner_folds=2",
    "evaluate.selection.enabled=true",
    "evaluate.selection.folds=2",
)


@pytest.fixture(scope="module")
def run(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stable")
    small_study.run_study(pictures, folder / "run", folder / "store.sqlite", STUDY)
    return folder


def test_a_run_tells_what_it_keeps_and_its_models_keep_it(run):
    results = Results.read(run / "run" / "results.json")
    table = parquet.read_table(run / "run" / "stability.parquet").to_pylist()
    told = results.run["stable"]
    assert [one["split"] for one in told] == ["fold-1", "fold-2"]
    for one in told:
        rows = [row for row in table if row["split"] == one["split"]]
        kept = [row["feature"] for row in rows if row["ci_low"] >= STABLE]
        assert one["measured"] == len(rows) == 12
        assert 0 < one["kept"] == len(kept) < 12
        assert one["cases"] <= 12
        weights = load_file(next((run / "run" / "model" / one["split"]).glob("*.safetensors")))
        names = bytes(weights["view.radiomics.names"]).decode().split("\n")
        assert names == kept
        assert len(bytes(weights["view.radiomics.measured"]).decode().split("\n")) == 12


def test_predict_uses_what_the_model_keeps(run, pictures, registry, reader):
    from rdfc_core.pipeline.open_run import OpenRun

    opened = OpenRun(run / "run", registry)
    context = context_of(run / "store.sqlite", registry)
    rows = parquet.read_table(run / "run" / "predictions.parquet").to_pylist()
    said = {
        name: {
            row["case_id"]: row["probabilities"]
            for row in rows
            if (row["method"], row["split"], row["label_fraction"]) == (name, "fold-1", 1)
        }
        for name in ("radiomics", "selected")
    }
    tested = [case for case in read_cases(pictures, reader) if case.case_id in said["selected"]]
    model = opened.models["fold-1"]
    prepared = extract(tested, model.views, context)
    views = {name: prepared.of(name, [c.case_id for c in tested]) for name in model.views}
    then = {name: np.array([one[c.case_id] for c in tested]) for name, one in said.items()}
    np.testing.assert_allclose(model.predict(views), then["selected"], atol=1e-6)
    # Candidates are calibrated for the choice: one factor on all of their log-odds.
    now = model.predict(views, "radiomics")
    factors = np.log(now[:, 0] / now[:, 1]) / np.log(
        then["radiomics"][:, 0] / then["radiomics"][:, 1]
    )
    np.testing.assert_allclose(factors, factors[0], rtol=1e-4)
    assert len(predict(opened, tested, context).probabilities) == len(tested)


def test_a_run_that_was_stopped_goes_on_to_the_same(run, pictures, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run / "run", copy)
    (copy / "results.json").unlink()
    (copy / "stability.parquet").unlink()
    shutil.rmtree(copy / "model" / "fold-2")
    small_study.run_study(pictures, copy, tmp_path / "another.sqlite", STUDY)
    assert small_study.lasting(copy) == small_study.lasting(run / "run")
    before, after = (
        parquet.read_table(one / "stability.parquet").to_pylist() for one in (run / "run", copy)
    )
    assert json.dumps(before) == json.dumps(after)


def context_of(store: Path, registry) -> RunContext:
    return RunContext(registry, Store(store), LocalExecutor(LocalExecutorConfig(workers=0)))


def chosen(folder: Path, store: Path, registry, reader, **options):
    """What a view of the small extractor keeps of the first split of a folder's cases."""
    cases = read_cases(folder, reader)
    ids = [case.case_id for case in cases]
    tested = {case.patient_id for case in cases[24:]}
    train = tuple(case.case_id for case in cases if case.patient_id not in tested)
    split = Split("holdout", train, train, tuple(i for i in ids if i not in train))
    config = FeatureViewConfig(extractor="outline", stable_perturbations=3, **options)
    views = {"radiomics": FeatureView(config, OutlineFeatures(OutlineConfig()))}
    context = context_of(store, registry)
    extraction = extract(cases, views, context)
    found = keep_stable(views, extraction, split, 0, context)
    stored = context.store.count()
    keep_stable(views, extraction, split, 0, context)
    assert context.store.count() == stored  # the second time, all of it comes from the store
    return found, split


def test_altered_test_cases_change_nothing(pictures, registry, reader, tmp_path):
    first, split = chosen(pictures, tmp_path / "a.sqlite", registry, reader, stable=0.8)
    other = tmp_path / "other"
    shutil.copytree(pictures, other)
    from PIL import Image

    cases = {case.case_id: case for case in read_cases(other, reader)}
    for case_id in split.test:
        path = cases[case_id].image
        shown = np.asarray(Image.open(path))
        Image.fromarray(np.random.default_rng(1).permuted(shown, axis=0)).save(path)
    second, _ = chosen(other, tmp_path / "b.sqlite", registry, reader, stable=0.8)
    assert first[0].kept == second[0].kept
    np.testing.assert_array_equal(first[0].stability.icc, second[0].stability.icc)
    path = cases[split.train[0]].image
    Image.fromarray(np.random.default_rng(1).permuted(np.asarray(Image.open(path)))).save(path)
    third, _ = chosen(other, tmp_path / "c.sqlite", registry, reader, stable=0.8)
    assert (first[0].stability.icc != third[0].stability.icc).any()  # a training case does


def test_what_cannot_be_chosen_is_refused_in_a_sentence(pictures, registry, reader, tmp_path):
    store = tmp_path / "store.sqlite"
    with pytest.raises(StudyError, match=r"views\.radiomics\.stable: .* keeps 0 of 12 features"):
        chosen(pictures, store, registry, reader, stable=1.0)
    cases = read_cases(pictures, reader)
    few = Split("holdout", tuple(c.case_id for c in cases[:1]), (), ())
    config = FeatureViewConfig(extractor="outline", stable=0.5, stable_perturbations=2)
    views = {"radiomics": FeatureView(config, OutlineFeatures(OutlineConfig()))}
    context = context_of(store, registry)
    with pytest.raises(DataError, match="1 training case of holdout could be measured"):
        keep_stable(views, extract(cases, views, context), few, 0, context)
