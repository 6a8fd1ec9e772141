"""A study of all tables goes on after the last trial that it finished, and ends alike."""

from __future__ import annotations

import json
import shutil
from multiprocessing.context import ForkServerContext as Processes
from pathlib import Path
from typing import Any

import pytest

from rdfc_core import StudyError
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.context import RunContext
from tests.support import small_study
from tests.support.small_study import TABLES, lasting


def again_on(run: Path, store: Path, pictures: Path, **options: Any) -> dict[str, tuple[int, int]]:
    """Run the same command; how far each task came."""
    from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
    from rdfc_core.extraction.store import Store
    from rdfc_core.plugin.registry import installed

    progress = small_study.Counted()
    context = RunContext(
        installed(), Store(store), LocalExecutor(LocalExecutorConfig(workers=0)), progress
    )
    studies.run(small_study.resolved(pictures, *TABLES), run, context, **options)
    return progress.totals


def test_a_run_that_is_killed_goes_on_after_the_last_method_it_finished(
    finished_tables, pictures, tmp_path, processes: Processes
):
    run = tmp_path / "run"
    args = (pictures, run, tmp_path / "store.sqlite", TABLES)
    ours, theirs = processes.Pipe(duplex=False)
    process = processes.Process(target=small_study.run_study, args=(*args, theirs))
    process.start()
    theirs.close()
    methods: list[str] = []
    while len(set(methods)) < 4:
        methods += [title for title in [ours.recv()] if title.startswith("Training ")]
    process.kill()  # SIGKILL, in the middle of the fourth
    process.join()
    assert not (run / "results.json").exists()
    kept = (run / "trials" / "holdout").glob("*.json")
    done = {path.stem for path in kept if not path.name.startswith("partial-")}
    assert len(done) >= 3
    again = again_on(run, tmp_path / "store.sqlite", pictures)
    trained = {title.split()[1] for title in again if title.startswith("Training ")}
    assert trained
    assert not trained & done
    assert lasting(run) == lasting(finished_tables)
    assert again["Pretraining simclr"] == (3, 3)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-40],
        lambda text: text.replace("case-0", "case-9"),
        lambda text: json.dumps({"case_ids": []}),
    ],
)
def test_a_trial_whose_file_is_damaged_is_done_again(
    finished_tables, pictures, tmp_path, damage, caplog
):
    run = Path(shutil.copytree(finished_tables, tmp_path / "run"))
    (run / "results.json").unlink()
    name = "hybrid-scratch.labels-0.3.seed-1"
    path = run / "trials" / "holdout" / f"{name}.json"
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    again = again_on(run, finished_tables.parent / "store.sqlite", pictures)
    assert [t for t in again if t.startswith("Training ")] == [f"Training {name} (holdout)"]
    damaged = f"{name}.json cannot be used"
    assert damaged in caplog.text
    found, expected = lasting(run), lasting(finished_tables)
    told = [said for said in found["warnings"] if damaged not in said]
    assert len(told) == len(found["warnings"]) - 1  # the results say so, too
    assert {**found, "warnings": told} == expected


def test_overwriting_forgets_what_methods_said(finished_tables, pictures, tmp_path):
    run = Path(shutil.copytree(finished_tables, tmp_path / "run"))
    again = again_on(run, finished_tables.parent / "store.sqlite", pictures, overwrite=True)
    assert sum(title.startswith("Training ") for title in again) == 22
    assert lasting(run) == lasting(finished_tables)


def test_cases_that_changed_are_refused_if_only_methods_have_spoken(
    finished_tables, pictures, tmp_path
):
    run = Path(shutil.copytree(finished_tables, tmp_path / "run"))
    shutil.rmtree(run / "checkpoints")
    cases = run / "cases.csv"
    text = cases.read_text(encoding="utf-8")
    cases.write_text(text.replace("case-004", "case-400"), encoding="utf-8")
    with pytest.raises(StudyError, match="cases have changed"):
        again_on(run, finished_tables.parent / "store.sqlite", pictures)
