"""A run that stops and goes on: by the same command, after a crash, with another study."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from multiprocessing.context import ForkServerContext as Processes
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from rdfc_core import DataError, StudyError
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.context import RunContext
from rdfc_core.results.schema import Results
from tests.support import jobs, small_study
from tests.support.small_study import QUICK, lasting


@pytest.fixture(scope="module")
def results(finished: Path) -> Results:
    return Results.read(finished / "results.json")


@pytest.fixture
def again(finished, pictures, registry, tmp_path) -> Callable[..., Results]:
    """Runs the small study on a copy of the finished run, by default with the same command."""
    shutil.copytree(finished, tmp_path / "run")
    store = finished.parent / "store.sqlite"
    executor = LocalExecutor(LocalExecutorConfig(workers=0))

    def _again(*overrides: str, **options: Any) -> Results:
        study = small_study.resolved(pictures, *QUICK, *overrides)
        context = RunContext(registry, Store(store), executor, small_study.Counted())
        results = studies.run(study, tmp_path / "run", context, **options)
        _again.progress = context.progress  # type: ignore[attr-defined]
        return results

    return _again


def test_a_folder_belongs_to_one_process_until_it_ends_even_by_a_kill(
    again, pictures, tmp_path, processes: Processes
):
    ours, theirs = processes.Pipe()
    study = small_study.resolved(pictures, *QUICK)
    other = processes.Process(target=jobs.work_in, args=(tmp_path / "run", study, theirs))
    other.start()
    assert ours.recv()
    for overwrite in (False, True):
        with pytest.raises(StudyError, match=r"Another rdfc is at work in .*run\. Wait for it"):
            again(overwrite=overwrite)
    assert (tmp_path / "run" / "results.json").exists()
    other.kill()
    other.join()
    again()


def test_the_same_command_on_a_finished_run_does_nothing(results, again, tmp_path):
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "run").rglob("*.safetensors")}
    repeated = again()
    assert "Pretraining" not in again.progress.totals
    assert repeated == results
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "run").rglob("*.safetensors")} == before


def test_a_run_that_lost_its_results_evaluates_without_training(finished, again, tmp_path):
    (tmp_path / "run" / "results.json").unlink()
    shutil.rmtree(tmp_path / "run" / "model")
    again()
    assert again.progress.totals["Pretraining"] == (3, 3)  # all of them done before
    assert lasting(tmp_path / "run") == lasting(finished)


def test_results_that_are_damaged_are_named(again, tmp_path):
    path = tmp_path / "run" / "results.json"
    path.write_text(path.read_text(encoding="utf-8")[:-50], encoding="utf-8")
    with pytest.raises(DataError, match=r"results\.json is damaged .* Delete it"):
        again()


def test_another_study_in_the_same_folder_is_refused_with_what_differs(again, tmp_path):
    with pytest.raises(StudyError) as caught:
        again("pretrain.batch_size=8", "seed=3")
    message = str(caught.value)
    assert "different: pretrain.batch_size, seed" in message
    assert "--overwrite" in message
    assert str(tmp_path / "run") in message


def test_overwriting_begins_afresh_and_removes_only_what_a_run_writes(again, tmp_path):
    notes = tmp_path / "run" / "notes.txt"
    notes.write_text("mine", encoding="utf-8")
    (tmp_path / "run" / "figures").mkdir()
    results = again("pretrain.epochs=1", overwrite=True)
    assert again.progress.totals["Pretraining"] == (1, 1)
    assert results.rows
    assert notes.read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "run" / "figures").is_dir()
    assert len((tmp_path / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()) == 1


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_other_files_is_left_alone(pictures, run_context, tmp_path, overwrite):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").touch()
    with pytest.raises(StudyError, match=r"holds (files and )?no run"):
        studies.run(
            small_study.resolved(pictures, *QUICK), tmp_path / "run", run_context, overwrite
        )
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["thesis.tex"]


def test_a_crash_before_the_study_was_written_does_not_block_the_folder(
    pictures, run_context, tmp_path
):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "partial-study.yaml").write_text("preset: def", encoding="utf-8")
    studies.run(
        small_study.resolved(pictures, *QUICK), tmp_path / "run", run_context, until="extract"
    )
    assert not (tmp_path / "run" / "partial-study.yaml").exists()


def test_cases_that_changed_since_training_began_are_refused(again, pictures, tmp_path):
    cases = tmp_path / "run" / "cases.csv"
    text = cases.read_text(encoding="utf-8")
    cases.write_text(text.replace("case-004", "case-400"), encoding="utf-8")
    with pytest.raises(StudyError, match=r"cases have changed .*case-004.* --overwrite"):
        again()


def test_killed_at_any_stage_the_same_command_ends_with_the_same_results(
    finished, pictures, tmp_path, processes: Processes
):
    run, store = tmp_path / "run", tmp_path / "store.sqlite"
    args = (pictures, run, store, QUICK)
    for title, steps in (("Extracting features", 12), ("Pretraining", 2), ("Pretraining", 4)):
        ours, theirs = processes.Pipe(duplex=False)
        process = processes.Process(target=small_study.run_study, args=(*args, theirs))
        process.start()
        theirs.close()
        seen = 0
        while seen < steps:
            seen += ours.recv() == title
        process.kill()  # SIGKILL
        process.join()
        assert process.exitcode == -9
        assert not (run / "results.json").exists()
    small_study.run_study(*args)
    assert lasting(run) == lasting(finished)
    for name in ("weights.safetensors", "model.json"):
        one, other = (folder / "model" / "holdout" / name for folder in (run, finished))
        assert one.read_bytes() == other.read_bytes()
    for name in ("embeddings", "predictions", "features"):
        one, other = (pq.read_table(f / f"{name}.parquet") for f in (run, finished))
        assert one.equals(other)


def test_the_steps_one_by_one_come_to_the_same_results(finished, pictures, run_context, tmp_path):
    study = small_study.resolved(pictures, *QUICK)
    run = tmp_path / "run"
    for step in ("extract", "pretrain"):
        results = studies.run(study, run, run_context, until=step)
        assert results.rows == ()
        assert results.run["step"] == step
        assert (run / "model").exists() == (step == "pretrain")
    run_context.progress = small_study.Counted()
    studies.run(study, run, run_context, until="evaluate")
    assert run_context.progress.totals["Pretraining"] == (3, 3)
    assert lasting(run) == lasting(finished)
