"""Epochs of 2,916 cases with a checkpoint after each, beside epochs without any.

    python tests/benchmarks/checkpoints.py [--model resnet18] [--size 64,64] [--rounds 3]

The default study's pretraining (AdamW, whose state is twice the weights) on random cases; a
training with checkpoints and one without take turns, two epochs each. The clock's time is what a
user waits; processor time counts the writing thread's work, too, as if there were but one core.
Medians of the rounds; the ratio is time with checkpoints / without. They are written to the
system's folder for temporary files: where that is memory, name a disk by TMPDIR.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Self

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from training import fitted_views, keep

from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.training import pretrain
from rdfc_core.training.checkpoint_writer import CheckpointWriter
from rdfc_core.training.metrics_log import PretrainPaths
from rdfc_core.training.state import Task
from rdfc_encoder_timm.config import TimmConfig
from rdfc_encoder_timm.encoder import TimmEncoder
from rdfc_objective_infonce.bank import MemoryBank
from rdfc_objective_infonce.config import CorrespondenceConfig, InfoNCEConfig, MemoryBankConfig
from rdfc_objective_infonce.correspondence import Correspondence
from rdfc_objective_infonce.infonce import InfoNCE

CASES = 2916


class Nothing:
    """In place of a CheckpointWriter: neither copies nor writes."""

    def __init__(self, path: Path) -> None: ...

    def keep(self, state: Any, due: bool) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


def main() -> None:
    """Print the medians and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--size", default="64,64")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--json", type=Path, help="add the ratio to this file")
    chosen = parser.parse_args()
    height, width = map(int, chosen.size.split(","))
    encoder = TimmEncoder(TimmConfig(model=chosen.model))
    views, cases = fitted_views(encoder, (height, width), chosen.cases)
    settings = PretrainSettings(epochs=2, optimizer="adamw", learning_rate=1e-3)

    def train(writer: type) -> tuple[float, float]:
        pretrain.CheckpointWriter = writer  # type: ignore[misc]
        pretext = Correspondence(
            CorrespondenceConfig(),
            objective=InfoNCE(InfoNCEConfig()),
            memory=MemoryBank(MemoryBankConfig()),
        )
        towers = {name: view.tower() for name, view in views.items()}
        pretext.build(towers, chosen.cases, torch.Generator().manual_seed(0))
        with tempfile.TemporaryDirectory() as folder:
            begun = time.perf_counter(), time.process_time()
            pretrain.fit(
                Task(pretext, views, cases, settings, 0), PretrainPaths(Path(folder), "benchmark")
            )
            return time.perf_counter() - begun[0], time.process_time() - begun[1]

    taken: dict[str, list[tuple[float, float]]] = {"with": [], "without": []}
    for _ in range(chosen.rounds):
        taken["without"].append(train(Nothing))
        taken["with"].append(train(CheckpointWriter))
    print(f"{chosen.model} at {height} × {width}, {chosen.cases} cases, {settings.optimizer}")
    for which, clock in enumerate(("clock", "processor")):
        one = {who: statistics.median(t[which] for t in times) for who, times in taken.items()}
        ratio = one["with"] / one["without"]
        each = " ".join(f"{who} {seconds / 2:.2f} s an epoch," for who, seconds in one.items())
        print(f"{clock}: {each} with / without: {ratio:.3f}")
    if chosen.json:
        keep(chosen.json, "checkpoint", f"{chosen.model}, {height} × {width}", ratio)


if __name__ == "__main__":
    main()
