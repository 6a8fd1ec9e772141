"""Parts that show what each process of a training does, or fail in one of them."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rdfc_core import StudyError
from rdfc_core.distributed.process_group import ProcessGroup
from rdfc_core.interfaces import Batch, MemoryStore, Pretext, PretextOutput, Tower
from rdfc_core.training import checkpoint
from rdfc_core.training.metrics_log import PretrainPaths
from tests.support.small_parts import GreyTower, GreyView

STILL = "views.radiomics.dropout=0"
"""Dropout falls differently with other numbers of processes; all else is to be the same."""


def losses(run: Path) -> list[float]:
    """The loss of every epoch."""
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["loss"] for line in lines]


def state(run: Path, part: str) -> Mapping[str, Any]:
    """A part of the newest checkpoint."""
    return dict(checkpoint.load(PretrainPaths(run, "holdout").checkpoint)[part])


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Every tensor and number of a state, by its path."""
    if isinstance(value, Mapping):
        return {k: v for key in value for k, v in flat(value[key], f"{path}.{key}").items()}
    if isinstance(value, list):
        pairs = enumerate(value)
        return {k: v for i, one in pairs for k, v in flat(one, f"{path}.{i}").items()}
    return {} if value is None else {path: value}


class Plain(GreyView):
    """Shows cases as they are."""

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        return batch


class Centred(Pretext):
    """Pulls the features of all cases to zero."""

    def build(self, towers: Mapping[str, Tower], cases: int, generator: torch.Generator) -> None:
        self.towers = nn.ModuleDict(dict(towers))

    def forward(self, batch: Batch) -> PretextOutput:
        features = self.towers["greys"](batch.draw("greys"))
        return PretextOutput(features.square().mean(), {}, {"greys": features.detach()})

    def encoders(self) -> Mapping[str, Tower]:
        return {"greys": self.towers["greys"]}


class NotingTower(GreyTower):
    """Writes down, a file a process, what rows it encodes (their first feature), and a draw."""

    def __init__(self, folder: Path) -> None:
        super().__init__(16)
        self.folder = folder

    def forward(self, batch: Tensor) -> Tensor:
        place = "theirs" if multiprocessing.parent_process() else "ours"
        file = self.folder / f"rows-{place}.json"
        before = json.loads(file.read_text()) if file.exists() else []
        step = {"rows": batch[:, 0].int().tolist(), "draw": float(torch.rand(()))}
        file.write_text(json.dumps([*before, step]))
        return super().forward(batch)


class FailingTower(GreyTower):
    """Fails in the tenth step of the process that does not lead, or of both (``nan``)."""

    def __init__(self, fault: str) -> None:
        super().__init__(16)
        self.fault = fault
        self.steps = 0

    def forward(self, batch: Tensor) -> Tensor:
        self.steps += 1
        if self.fault == "nan":
            return super().forward(batch) * torch.nan
        if self.steps == 10 and multiprocessing.parent_process():
            if self.fault == "data":
                raise StudyError("Case 7 is no case.")
            if self.fault == "bug":
                raise ZeroDivisionError("in the tower")
            os.kill(os.getpid(), getattr(signal, self.fault))
        return super().forward(batch)


ROWS, WIDTH = 20_001, 8
"""More than are drawn or handed over at once, and an odd number."""


def use_memory(store: MemoryStore) -> dict[str, Any]:
    """Every call of a memory in turn, and what each gave."""
    generator = torch.Generator().manual_seed(3)
    store.allocate(ROWS, WIDTH, generator)
    cases = torch.tensor([0, 9_999, 10_000, 10_001, 20_000, 10_000])
    fresh = nn.functional.normalize(torch.randn(6, WIDTH, generator=generator))
    anchors = fresh.flip(0).clone().requires_grad_()
    found: dict[str, Any] = {"first": store.read(cases)}
    store.update(cases, fresh)
    store.end_epoch()
    found["updated"] = store.read(cases)
    found["negatives"] = store.negatives(5, cases, generator)
    products = store.similarities(anchors, 40, cases, generator)
    products.logsumexp(1).sum().backward()
    found |= {"products": products.detach(), "gradient": anchors.grad}
    pieces = list(store.all_chunks())
    found["cases"] = torch.cat([cases for cases, _ in pieces])
    found["rows"] = torch.cat([rows for _, rows in pieces])
    store.update(torch.tensor([1, 2]), fresh[:2])  # of the first process alone
    store.end_epoch()
    state = store.state_dict()
    found["state"] = next(iter(state.values())).clone()
    return found


def use_sharded_bank(group: ProcessGroup, store: MemoryStore) -> None:
    """What the other process does meanwhile."""
    use_memory(store)


def keep_half(group: ProcessGroup, store: MemoryStore, state: Mapping[str, Tensor]) -> int:
    """Take over all rows of a checkpoint; how many of them are kept here."""
    store.allocate(ROWS, WIDTH, torch.Generator())
    store.load_state_dict(dict(state))
    cases = torch.tensor([20_000, 3])
    assert torch.equal(store.read(cases), next(iter(state.values()))[cases])
    return sum(len(buffer) for buffer in store.buffers())


def read_all(group: ProcessGroup, store: MemoryStore) -> Tensor:
    """All rows of a small memory."""
    return store.read(torch.arange(store.rows))
