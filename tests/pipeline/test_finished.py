"""A finished run that is asked for again."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image, ImageOps

from rdfc_core.config.load import load_study
from rdfc_core.config.resolve import ResolvedStudy, resolve
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.finished import finished_run
from rdfc_core.pipeline.predict import predict
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.pipeline.steps import STEPS, Step
from rdfc_core.results.schema import Results
from rdfc_core.utils.progress import Progress
from tests.support import small_study
from tests.support.small_study import QUICK


def asked(study: ResolvedStudy, run: Path, registry, until: Step = "evaluate") -> Results | None:
    return finished_run(study, run, registry, Progress(), until)


def test_a_case_that_may_not_fail_again_is_tried_again(study, finished, registry, tmp_path):
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    results = Results.read(run / "results.json")
    for retry in (False, True):
        failed = {"case_id": "x", "reason": "killed", "fixable": True, "view": "", "retry": retry}
        results.model_copy(update={"failed": (failed,)}).write(run / "results.json")
        assert (asked(study, run, registry) is None) == retry


@pytest.fixture
def study(finished: Path, registry) -> ResolvedStudy:
    return resolve(load_study(RunFolder(finished).read_study()), registry)


@pytest.mark.parametrize("until", STEPS)
def test_it_has_its_results_for_every_step(study, finished, registry, until):
    assert asked(study, finished, registry, until) == Results.read(finished / "results.json")


def test_of_another_study_or_of_no_run_it_knows_nothing(study, finished, registry, tmp_path):
    other = resolve(load_study(RunFolder(finished).read_study(), ["seed=5"]), registry)
    assert asked(other, finished, registry) is None
    assert asked(study, tmp_path, registry) is None


def test_a_step_that_is_missing_or_cases_that_change_or_fail_are_left_to_the_run(
    pictures, registry, run_context, tmp_path
):
    folder = Path(shutil.copytree(pictures, tmp_path / "own"))
    study, run = small_study.resolved(folder, *QUICK), tmp_path / "run"
    mask, image = folder / "masks" / "case-003.png", folder / "images" / "case-003.png"
    kept = mask.read_bytes()
    mask.unlink()
    studies.run(study, run, run_context, until="extract")
    again = asked(study, run, registry, "extract")
    assert again is not None  # case-003 would only fail again
    assert [one["case_id"] for one in again.failed] == ["case-003"]
    mask.write_bytes(kept)
    assert asked(study, run, registry, "extract") is None
    studies.run(study, run, run_context, until="extract")
    assert asked(study, run, registry, "extract") is not None
    assert asked(study, run, registry, "pretrain") is None
    ImageOps.invert(Image.open(image)).save(image)
    assert asked(study, run, registry, "extract") is None


def test_a_run_that_was_begun_under_old_names_of_options_is_finished_and_predicts(
    study, finished, registry, cases, run_context, tmp_path
):
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    recorded = yaml.safe_load((run / "study.yaml").read_text(encoding="utf-8"))
    old = {
        "data_placement": "cases_in",
        "image_dtype": "picture_format",
        "knn_k": "neighbours",
        "lr_milestone": "decay_at",
        "head_init": "head_from",
    }

    def as_before(value):
        if isinstance(value, dict):
            return {old.get(key, key): as_before(inner) for key, inner in value.items()}
        return [as_before(inner) for inner in value] if isinstance(value, list) else value

    text = yaml.safe_dump(as_before(recorded), sort_keys=False)
    assert all(f"{name}:" in text for name in old.values())
    assert not any(f"{name}:" in text for name in old)
    (run / "study.yaml").write_text(text, encoding="utf-8")
    assert asked(study, run, registry) is not None
    said = predict(run, cases[:2], run_context)
    there = predict(finished, cases[:2], run_context)
    np.testing.assert_array_equal(said.probabilities, there.probabilities)
    with RunFolder(run).claimed(study, registry, overwrite=False):
        pass  # it is the same run, and not refused


WRITTEN = (
    "features.parquet",
    "pictures.parquet",
    "embeddings.parquet",
    "predictions.parquet",
    "attention.parquet",
    "model/holdout/model.json",
    "model/holdout/weights.safetensors",
)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_run_that_lacks_what_it_wrote_is_not_finished(study, finished, registry, tmp_path, name):
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    (run / name).unlink()
    assert asked(study, run, registry) is None


def test_what_is_missing_of_a_finished_run_is_made_again(
    study, finished, run_context, registry, tmp_path
):
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    shutil.rmtree(run / "model")
    (run / "predictions.parquet").unlink()
    weights = (run / "checkpoints" / "holdout.safetensors").read_bytes()
    before = small_study.lasting(run)["rows"]
    studies.run(study, run, run_context)
    assert all((run / name).is_file() for name in WRITTEN)
    assert (run / "checkpoints" / "holdout.safetensors").read_bytes() == weights
    assert small_study.lasting(run)["rows"] == before
    assert asked(study, run, registry) is not None


def test_results_that_do_not_say_how_far_a_run_came_are_not_taken_for_finished(
    study, finished, registry, tmp_path
):
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    results = Results.read(run / "results.json")
    results.model_copy(update={"run": {}}).write(run / "results.json")
    assert asked(study, run, registry) is None
