"""A trained run on other cases: the same answers as when it was evaluated."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from rdfc_core import DataError, StudyError
from rdfc_core.config.load import load_study
from rdfc_core.config.resolve import resolve
from rdfc_core.data.inspection import INSPECTION, Inspection
from rdfc_core.extraction.extract import extract
from rdfc_core.models.loading import load as load_model
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.embeddings_table import write_embeddings
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.pipeline.predict import embed, predict
from rdfc_core.pipeline.run_folder import RunFolder
from tests.support import small_study
from tests.support.case_folder import with_a_volume
from tests.support.small_study import QUICK


def test_held_out_cases_get_the_probabilities_that_were_scored(finished, cases, run_context):
    table = pq.read_table(finished / "predictions.parquet").to_pylist()
    scored = {
        row["case_id"]: row["probabilities"]
        for row in table
        if (row["method"], row["input"], row["layer"], row["classifier"])
        == ("rdfc", "all", "features", "logistic")
    }
    assert len(scored) >= 5
    said = predict(finished, [case for case in cases if case.case_id in scored], run_context)
    assert said.classes == ("benign", "malignant")
    assert list(said.case_ids) == list(scored)
    np.testing.assert_allclose(said.probabilities, list(scored.values()), rtol=1e-5)


def test_a_case_on_its_own_gets_the_same_probabilities(finished, cases, run_context):
    together = predict(finished, cases[:5], run_context)
    alone = predict(finished, cases[3:4], run_context)
    np.testing.assert_allclose(alone.probabilities[0], together.probabilities[3], rtol=1e-5)


def test_of_folds_the_mean_over_their_models_is_given(pictures, cases, run_context, tmp_path):
    study = small_study.resolved(
        pictures, *QUICK, "split.kind=folds", "split.folds=2", "pretrain.epochs=1"
    )
    run = tmp_path / "run"
    studies.run(study, run, run_context)
    both = predict(run, cases[:4], run_context).probabilities
    single = []
    for fold in ("fold-1", "fold-2"):
        one = Path(shutil.copytree(run, tmp_path / f"only-{fold}"))
        for other in (one / "model").iterdir():
            if other.name != fold:
                shutil.rmtree(other)
        single.append(predict(one, cases[:4], run_context).probabilities)
    np.testing.assert_allclose(both, np.mean(single, axis=0))
    assert not np.allclose(single[0], single[1])
    embedded, _ = embed(run, cases[:4], run_context)
    assert [one.split for one in embedded] == ["fold-1"] * 4 + ["fold-2"] * 4


def test_embeddings_equal_those_of_the_run(finished, cases, run_context, tmp_path):
    embedded, _ = embed(finished, cases, run_context)
    write_embeddings(tmp_path / "e.parquet", embedded)
    found = pq.read_table(tmp_path / "e.parquet").to_pydict()
    there = pq.read_table(finished / "embeddings.parquet").to_pydict()
    vectors = dict(zip(there["case_id"], there["vector"], strict=True))
    for case_id, vector in zip(found["case_id"], found["vector"], strict=True):
        np.testing.assert_allclose(vector, vectors[case_id], rtol=1e-4, atol=1e-6)
    assert found["label"] == [case.label for case in cases]
    assert list(found) == ["split", "part", "case_id", "label", "vector"]


def test_a_case_that_fails_is_reported_and_the_others_are_answered(finished, cases, run_context):
    from dataclasses import replace

    broken = replace(cases[1], mask=Path("nowhere.png"))
    said = predict(finished, [cases[0], broken, cases[2]], run_context)
    assert said.case_ids == (cases[0].case_id, cases[2].case_id)
    assert [failure.case_id for failure in said.failures] == [cases[1].case_id]
    nothing = predict(finished, [broken], run_context)
    assert nothing.probabilities.shape == (0, 2)
    embedded, failures = embed(finished, [broken], run_context)
    assert (embedded, len(failures)) == ([], 1)


@pytest.mark.parametrize("stored", [False, True], ids=["new", "stored"])
def test_a_volume_costs_a_run_of_pictures_only_itself_and_the_view_is_named(
    finished, pictures, run_context, tmp_path, reader, cases_of, stored
):
    cases = cases_of(with_a_volume(pictures, tmp_path / "own", "case-001"), reader)[:3]
    if stored:
        views = load_model(
            finished / "model" / "holdout",
            resolve(load_study(RunFolder(finished).read_study()), run_context.registry),
            run_context.registry,
        ).views
        preparers = {name: view.preparer() for name, view in views.items()}
        preparers[INSPECTION] = Inspection()
        extract(cases[1:2], preparers, run_context.store, run_context.executor)
    said = predict(finished, cases, run_context)
    assert said.case_ids == ("case-000", "case-002")
    [failure] = said.failures
    assert failure.reason.startswith("Case case-001: ")
    assert "the view 'image'" in failure.reason
    assert ("trained on pictures" in failure.reason) != stored
    # Nothing was extracted in vain: three views of the two pictures, or of the volume before, and
    # a look at each.
    assert run_context.store.count() == 4 * (3 if stored else 2)


def test_a_moved_run_without_its_data_still_predicts(finished, cases, run_context, tmp_path):
    moved = Path(shutil.copytree(finished, tmp_path / "moved"))
    text = (moved / "study.yaml").read_text(encoding="utf-8")
    root = str(cases[0].image.parent.parent)
    assert root in text
    (moved / "study.yaml").write_text(text.replace(root, "/gone"), encoding="utf-8")
    there = predict(finished, cases[:2], run_context)
    np.testing.assert_array_equal(
        predict(moved, cases[:2], run_context).probabilities, there.probabilities
    )


def test_readers_have_the_options_of_the_run(finished, cases, registry, tmp_path):
    moved = Path(shutil.copytree(finished, tmp_path / "moved"))
    study = yaml.safe_load((moved / "study.yaml").read_text(encoding="utf-8"))
    study["readers"] = {"pictures": {"max_pixels": 100}}
    (moved / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")
    assert OpenRun(finished, registry).reader.read_image(cases[0].image).array.shape == (40, 40)
    with pytest.raises(DataError, match="100"):
        OpenRun(moved, registry).reader.read_image(cases[0].image)


def test_what_is_no_trained_run_is_refused(finished, cases, run_context, tmp_path):
    with pytest.raises(StudyError, match=r"is no run folder: its study\.yaml cannot be read"):
        predict(tmp_path, cases[:1], run_context)
    only_study = tmp_path / "only"
    only_study.mkdir()
    shutil.copy(finished / "study.yaml", only_study)
    with pytest.raises(StudyError, match="holds no trained model"):
        predict(only_study, cases[:1], run_context)
    with pytest.raises(DataError, match="There is no case to look at"):
        predict(finished, [], run_context)


def test_a_run_that_was_only_pretrained_embeds_and_does_not_predict(
    pictures, cases, run_context, tmp_path
):
    study = small_study.resolved(pictures, *QUICK, "pretrain.epochs=1")
    studies.run(study, tmp_path / "run", run_context, until="pretrain")
    with pytest.raises(DataError, match="only pretrained"):
        predict(tmp_path / "run", cases[:1], run_context)
    embedded, failures = embed(tmp_path / "run", cases[:1], run_context)
    assert (len(embedded), failures) == (1, [])
