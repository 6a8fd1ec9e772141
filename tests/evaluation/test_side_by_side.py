"""Networks that are trained side by side say what each says alone."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.errors import DataError
from rdfc_core.evaluation import model_selection, side_by_side, supervised
from rdfc_core.evaluation.side_by_side import Errands, ProcessLimits
from rdfc_core.evaluation.supervised_setup import SupervisedSetup
from rdfc_core.evaluation.trial_runner import TrialRunner
from rdfc_core.evaluation.trial_store import TrialStore
from rdfc_core.evaluation.trials import Trial
from rdfc_core.extraction.local_executor import (
    LocalExecutor,
    LocalExecutorConfig,
    worker_limit,
)
from rdfc_core.training import threads
from rdfc_core.training.threads import threads_each, usable_threads
from rdfc_core.utils.progress import Progress
from tests.support import small_setup

CASES, TRAIN = 40, 30
TRUTH = np.arange(CASES) % 2
NETWORKS = ("resnet-scratch", "hybrid-finetune")


def settings(**changes: Any) -> EvaluateSettings:
    written = small_setup.SETTINGS.model_dump() | {
        "methods": NETWORKS,
        "label_fractions": (0.5,),
        "label_seeds": 1,
        "temperature_scaling": True,
        "supervised": {"epochs": 2, "batch_size": 16},
        "selection": {"enabled": True, "candidates": ("probe", "hybrid-finetune"), "folds": 2},
    }
    return EvaluateSettings.model_validate(written | changes)


def setup(asked: EvaluateSettings) -> SupervisedSetup:
    return small_setup.setup(small_setup.noise(CASES, 0), TRUTH, TRAIN, asked)


def runner(made: SupervisedSetup, folder: Path, at_once: int) -> TrialRunner:
    return TrialRunner(made, TrialStore(folder), Progress(), at_once=at_once)


def outputs(run: TrialRunner) -> dict[str, np.ndarray]:
    """Method, input, share and repetition → what is said of the test part."""
    found = {}
    told = [*supervised.judge(run), *(e for _, own in model_selection.judge(run) for e in own)]
    for variant, prediction in told:
        found[f"{variant} {prediction.repeat}"] = prediction.probabilities
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_networks_side_by_side_say_what_each_says_alone(tmp_path, monkeypatch):
    alone = outputs(runner(setup(settings()), tmp_path / "alone", 1))
    first = runner(setup(settings()), tmp_path / "together", 2)
    first.train_ahead()
    assert not first.ahead
    stored = files(tmp_path / "together")
    monkeypatch.setattr("rdfc_core.evaluation.finetuning.fit", lambda *_: pytest.fail("again"))
    together = outputs(runner(setup(settings()), tmp_path / "together", 2))
    assert alone.keys() == together.keys()
    for name, said in alone.items():
        np.testing.assert_allclose(together[name], said, atol=1e-5, err_msg=name)
    later = files(tmp_path / "together")
    assert files(tmp_path / "alone").keys() == later.keys()
    assert {name: later[name] for name in stored} == stored


def test_one_that_fails_ends_no_other_and_is_told_of_in_its_turn(tmp_path):
    asked = settings(methods=("hybrid-scratch", "hybrid-finetune"), temperature_scaling=False,
                     selection={"enabled": False}, label_fractions=())  # fmt: skip
    wild = {"name": "own", "lr_scale": {"head": 1e30}}
    asked = asked.model_copy(
        update={
            "supervised": type(asked.supervised).model_validate(
                {**asked.supervised.model_dump(), "finetune": wild, "sweep": ("all",), "epochs": 20}
            )
        }
    )
    run = runner(setup(asked), tmp_path, 2)
    run.train_ahead()
    names = {p.name for p in tmp_path.rglob("*.json")}
    assert names == {
        "hybrid-scratch.labels-1.seed-0.json",
        "hybrid-finetune.all.labels-1.seed-0.json",
    }
    with pytest.raises(DataError, match=r"loss of training with labels became (nan|inf)"):
        list(supervised.judge(run))


class _Unsendable:
    """Holds what cannot be pickled, as a third party's view may."""

    def __init__(self, view: Any) -> None:
        self._view, self.open = view, (number for number in range(3))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_view"], name)


def test_networks_that_cannot_be_sent_are_trained_one_by_one(tmp_path, caplog):
    made = setup(settings(selection={"enabled": False}))
    views: Mapping[str, Any] = {
        name: _Unsendable(view) for name, view in made.initialisation.views.items()
    }
    made = replace(made, initialisation=replace(made.initialisation, views=views))
    with caplog.at_level(logging.WARNING, "rdfc"):
        said = outputs(runner(made, tmp_path / "a", 2))
    [told] = [r.getMessage() for r in caplog.records if "one after the other" in r.getMessage()]
    assert "cannot be sent to other processes" in told
    alone = outputs(runner(setup(settings(selection={"enabled": False})), tmp_path / "b", 1))
    for name, probabilities in alone.items():
        np.testing.assert_array_equal(said[name], probabilities)


def test_processes_are_started_only_where_they_pay(monkeypatch, tmp_path):
    monkeypatch.setattr(side_by_side, "usable_threads", lambda: 4)
    monkeypatch.setattr(threads, "FEW", 2)
    monkeypatch.setattr(side_by_side, "_outcomes", lambda *_: pytest.fail("started"))
    run = TrialRunner(setup(settings()), TrialStore(tmp_path), Progress())
    run.train_ahead()  # of seconds in all
    assert len(list(tmp_path.rglob("*.json"))) == 1  # the one whose time was taken


def test_few_networks_wait_for_their_turn_and_have_all_threads(monkeypatch, tmp_path):
    """Four: one from scratch, the fine-tuned one, and that again for each of two inner folds."""
    monkeypatch.setattr(threads, "usable_cores", lambda: 4)
    monkeypatch.setattr(side_by_side, "run", lambda *_: pytest.fail("trained ahead"))
    asked = settings(label_fractions=(), temperature_scaling=False)
    with threads.computing_with(4):
        run = TrialRunner(setup(asked), TrialStore(tmp_path), Progress())
        run.train_ahead()
        assert run.threads == 4


@pytest.mark.parametrize(("workers", "processes"), [(None, 4), (0, 0), (1, 1), (3, 3), (9, 4)])
def test_no_more_processes_train_than_the_user_allows(workers, processes, monkeypatch):
    monkeypatch.setattr(side_by_side, "usable_threads", lambda: 4)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    limit = worker_limit(LocalExecutor(LocalExecutorConfig(workers=workers)))
    assert ProcessLimits(processes=limit).most() == processes


def test_no_more_processes_are_started_than_fit_in_memory(monkeypatch):
    started = []
    monkeypatch.setattr(side_by_side, "machine_memory", lambda: 8 * 2**30)
    monkeypatch.setattr(side_by_side, "_memory_of_one", lambda: 2 * 2**30)
    monkeypatch.setattr(
        side_by_side, "_outcomes", lambda _, numbers, workers: started.append(workers) or []
    )

    class Done:
        def run(self) -> None:
            return None

    errands = Errands([10] * 20, lambda _: Done())  # type: ignore[arg-type,return-value]
    side_by_side.run(errands, lambda *_: None, Progress(), "", ProcessLimits(at_once=8))
    assert started == [2]


def test_threads_are_shared_by_the_networks_and_do_not_depend_on_what_is_done(tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(usable_threads())
    try:
        assert threads_each(1) == usable_threads()
        assert threads_each(1000) == 1
        asked = settings(methods=("hybrid-scratch",), temperature_scaling=False,
                         selection={"enabled": False}, label_fractions=())  # fmt: skip
        run = runner(setup(asked), tmp_path, 1)
        threads = run.threads
        assert threads == usable_threads()
        run.said(Trial("hybrid-scratch"))
        assert runner(setup(asked), tmp_path, 1).threads == threads
    finally:
        torch.set_num_threads(before)
