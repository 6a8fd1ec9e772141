"""Pretraining that is interrupted ends exactly as if it had not been."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from multiprocessing.context import ForkServerContext as Processes
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from rdfc_core.training import checkpoint
from rdfc_core.training.metrics_log import PretrainPaths
from tests.support import small_study


def lines_of(run: Path) -> list[dict[str, Any]]:
    text = (run / "metrics.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def lasting(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what differs from run to run: the time it took."""
    return [
        {k: v for k, v in line.items() if k not in ("seconds", "cases_per_second")}
        for line in lines
    ]


def tensors_of(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {k: v for key in value for k, v in tensors_of(value[key], f"{path}.{key}").items()}
    if isinstance(value, list):
        pairs = enumerate(value)
        return {k: v for i, inner in pairs for k, v in tensors_of(inner, f"{path}.{i}").items()}
    return {path: value}


def assert_same_state(one: Path, other: Path) -> None:
    a, b = (
        tensors_of(checkpoint.load(PretrainPaths(run, "holdout").checkpoint))
        for run in (one, other)
    )
    assert list(a) == list(b)
    assert sum(isinstance(value, Tensor) for value in a.values()) > 30
    for key, value in a.items():
        if isinstance(value, Tensor):
            assert torch.equal(value, b[key]), key  # bit for bit
        else:
            assert value == b[key], key


@pytest.fixture(scope="module", params=["sgd", "adamw"])
def in_one_go(request, pictures: Path, tmp_path_factory) -> tuple[Path, list[str]]:
    overrides = [f"pretrain.optimizer={request.param}", "seed=3"]
    run = tmp_path_factory.mktemp("whole")
    small_study.train(pictures, run, overrides)
    return run, overrides


def test_a_study_of_three_views_trains(in_one_go):
    run, _ = in_one_go
    lines = lines_of(run)
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert all(math.isfinite(line["loss"]) for line in lines)
    assert lines[-1]["loss"] < lines[0]["loss"]
    terms = {name.partition(".")[0] for name in lines[0] if name.endswith(".loss")}
    assert terms == {"radiomics-image", "radiomics-greys", "image-greys"}
    total = sum(lines[0][f"{term}.loss"] for term in terms)
    assert lines[0]["loss"] == pytest.approx(total, rel=1e-5)
    assert {"radiomics.effective_rank", "image-greys.alignment"} <= set(lines[0])
    assert all(value is not None for line in lines for value in line.values())
    assert list((run / "tensorboard" / "holdout").glob("events*"))


def test_the_same_seed_gives_the_same_run_and_another_seed_another(in_one_go, pictures, tmp_path):
    run, overrides = in_one_go
    small_study.train(pictures, tmp_path / "same", overrides)
    assert_same_state(run, tmp_path / "same")
    assert lasting(lines_of(run)) == lasting(lines_of(tmp_path / "same"))
    small_study.train(pictures, tmp_path / "other", [*overrides, "seed=4", "pretrain.epochs=1"])
    assert lines_of(tmp_path / "other")[0]["loss"] != lines_of(run)[0]["loss"]


def test_killed_and_resumed_it_ends_with_the_same_weights_banks_and_metrics(
    in_one_go, pictures, tmp_path, processes: Processes
):
    run, overrides = in_one_go
    broken = tmp_path / "broken"
    reached = []
    for stop_after in (2, 1, 2, None):
        ours, theirs = processes.Pipe(duplex=False)
        process = processes.Process(
            target=small_study.train, args=(pictures, broken, overrides, theirs)
        )
        process.start()
        theirs.close()
        epochs = 0
        while epochs != stop_after:
            try:
                reached.append(int(ours.recv()["epoch"]))
            except EOFError:
                break
            epochs += 1
        if stop_after is not None:
            process.kill()  # SIGKILL
        process.join(timeout=120)
        assert process.exitcode == (0 if stop_after is None else -9)
    assert reached[:2] == [1, 2]
    assert reached[-1] == 6
    assert_same_state(run, broken)
    assert lasting(lines_of(run)) == lasting(lines_of(broken))


def test_a_finished_run_is_not_trained_again(in_one_go, pictures, tmp_path):
    run, overrides = in_one_go
    before = lines_of(run)

    class Told:
        def send(self, metrics: Mapping[str, float]) -> None:
            raise AssertionError("no epoch is left")

    first = small_study.train(pictures, run, overrides, Told())
    assert lines_of(run) == before
    state = checkpoint.load(PretrainPaths(run, "holdout").checkpoint)["pretext"]
    for name, value in first.state_dict().items():
        assert torch.equal(value, state[name])
    assert not first.training


def test_a_checkpoint_cut_short_costs_one_epoch_and_changes_nothing(pictures, tmp_path):
    whole, hurt = tmp_path / "whole", tmp_path / "hurt"
    small_study.train(pictures, whole, ["pretrain.epochs=4"])
    small_study.train(pictures, hurt, ["pretrain.epochs=3"])
    newest = PretrainPaths(hurt, "holdout").checkpoint
    newest.write_bytes(newest.read_bytes()[:-100])
    with (hurt / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"split": "holdout", "epoch": 4, "lo')  # the line that a crash cut short
    small_study.train(pictures, hurt, ["pretrain.epochs=4"])
    assert_same_state(whole, hurt)
    assert lasting(lines_of(hurt)) == lasting(lines_of(whole))


def test_metrics_of_other_splits_are_kept_when_one_resumes(pictures, tmp_path):
    (tmp_path / "metrics.jsonl").write_text(
        '{"split": "fold-1", "epoch": 9, "loss": 1.0}\n'
        '{"split": "holdout", "epoch": 9, "loss": 1.0}\n'
        '{"split": "fold-1", "epoch"',
        encoding="utf-8",
    )
    small_study.train(pictures, tmp_path, ["pretrain.epochs=1"])
    found = [(line["split"], line["epoch"]) for line in lines_of(tmp_path)]
    assert found == [("fold-1", 9), ("holdout", 1)]


def test_checkpoints_are_as_frequent_as_asked_and_always_at_the_end(pictures, tmp_path):
    small_study.train(pictures, tmp_path, ["pretrain.epochs=5", "pretrain.checkpoint_every=2"])
    newest = PretrainPaths(tmp_path, "holdout").checkpoint
    assert checkpoint.load(newest)["epoch"] == 5
    assert checkpoint.load(newest.with_name(f"previous-{newest.name}"))["epoch"] == 4


def test_bfloat16_trains_too(pictures, tmp_path):
    overrides = ["pretrain.epochs=2", "pretrain.precision=bf16-mixed"]
    small_study.train(pictures, tmp_path / "half", overrides)
    small_study.train(pictures, tmp_path / "full", overrides[:1])
    half, full = lines_of(tmp_path / "half")[0]["loss"], lines_of(tmp_path / "full")[0]["loss"]
    assert half == pytest.approx(full, rel=0.01)
    assert half != full
