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
from small_parts import GreyTower, GreyView
from torch import Tensor, nn

from rdfc_core import StudyError
from rdfc_core.interfaces import Batch, Pretext, PretextOutput, Tower


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
    """Writes down the first feature of every row that it encodes, a file a process."""

    def __init__(self, folder: Path) -> None:
        super().__init__(16)
        self.folder = folder

    def forward(self, batch: Tensor) -> Tensor:
        place = "theirs" if multiprocessing.parent_process() else "ours"
        file = self.folder / f"rows-{place}.json"
        before = json.loads(file.read_text()) if file.exists() else []
        file.write_text(json.dumps([*before, batch[:, 0].int().tolist()]))
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
