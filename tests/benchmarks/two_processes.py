"""The loss of every epoch in one process and in two, side by side.

    python tests/benchmarks/two_processes.py [--cases 96] [--epochs 20] [--model resnet18]
        [--memory bank|sharded-bank] [--set KEY=VALUE] [--double] [--figure FILE.svg]

Generated tumours, native radiomics and a picture network, the default objective with its banks and
SGD; no dropout, which falls differently with other numbers of processes. One thread a process.
Training magnifies the rounding of sums that are taken in another order. A third run shows how much:
one process, whose weights begin one rounding (2⁻²³ of each, up or down) off. With --double all is
computed in double precision.

Columns: epoch, the losses of one process, of two and of the one that is rounded, and the relative
differences of the latter two from the first. Then the largest of these, and seconds an epoch.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")

import torch
from matplotlib.figure import Figure

if DOUBLE := "--double" in sys.argv:  # here, since the other process runs these lines as well
    torch.Tensor.float = torch.Tensor.double  # where single precision is asked for

from rdfc_core.config.load import load_study
from rdfc_core.config.resolve import ResolvedStudy, resolve
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.distributed.launcher import ProcessGroupLauncher
from rdfc_core.models import model
from rdfc_core.plugin.registry import installed
from rdfc_core.training import pretrain
from rdfc_core.training.metrics_log import PretrainPaths
from rdfc_core.training.state import Task


def study_of(chosen: argparse.Namespace) -> ResolvedStudy:
    """A study of generated tumours without dropout."""
    height, width = map(int, chosen.size.split(","))
    return resolve(
        load_study(
            {
                "dataset": {"name": "phantom", "cases": chosen.cases, "labelled": 0.0},
                "views": {
                    "radiomics": {
                        "extractor": {"name": "native", "parameters": "ultrasound"},
                        "dropout": 0,
                    },
                    "image": {
                        "encoder": {"name": "timm", "model": chosen.model},
                        "size": [height, width],
                    },
                },
                "pretext": {"name": "correspondence", "memory": chosen.memory},
                "pretrain": {
                    "epochs": chosen.epochs,
                    "batch_size": chosen.batch,
                    "optimizer": "sgd",
                    "learning_rate": 0.003,
                    "precision": "32-true",
                },
            },
            chosen.set,
        ),
        installed(),
    )


def train(
    study: ResolvedStudy, folder: Path, launcher: ProcessGroupLauncher
) -> dict[str, list[dict[str, Any]]]:
    """Who trains → the metrics of each epoch."""
    dataset = study.dataset.build(installed())
    cases = AutoReader.installed(installed()).given_to(dataset.cases())
    views = {name: part.build(installed()) for name, part in study.views.items()}
    tumours = [case.load() for case in cases]
    prepared = {name: [view.prepare(one) for one in tumours] for name, view in views.items()}
    for name, view in views.items():
        view.fit(prepared[name])
    number = torch.float64 if DOUBLE else torch.float32
    collated = {name: view.collate(prepared[name]).to(number) for name, view in views.items()}
    found = {}
    for who in ("one", "two", "rounded"):
        fresh = model.fresh(study, installed(), views, len(cases), study.seed).pretext.to(number)
        if who == "rounded":
            off_by_one_rounding(fresh)
        paths = PretrainPaths(folder / who, "benchmark")
        company = launcher if who == "two" else None
        pretrain.fit(
            Task(fresh, views, collated, study.pretrain, study.seed), paths, launcher=company
        )
        lines = paths.metrics.read_text(encoding="utf-8").splitlines()
        found[who] = [json.loads(line) for line in lines]
    return found


@torch.no_grad()
def off_by_one_rounding(network: torch.nn.Module) -> None:
    """Each weight up or down, by chance, by what single precision just tells apart."""
    generator = torch.Generator().manual_seed(0)
    for weight in network.parameters():
        weight.mul_(1 + 2**-23 * torch.randn(weight.shape, generator=generator).sign())


def draw(file: Path, one: Sequence[float], two: Sequence[float]) -> None:
    """Both losses in one figure: a broad line, and a thin one on top of it."""
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    epochs = range(1, len(one) + 1)
    axes.plot(epochs, one, color="#9ecae1", linewidth=6, label="one process")
    axes.plot(epochs, two, color="#08306b", linewidth=1.5, label="two processes")
    axes.set(xlabel="epoch", ylabel="loss (nats)")
    axes.locator_params(axis="x", integer=True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(file)


def main() -> None:
    """Print both curves, the largest difference and the time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=96)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--size", default="48,48")
    parser.add_argument("--memory", default="bank")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--double", action="store_true")
    parser.add_argument("--figure", type=Path)
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessGroupLauncher.on_this_machine(2) as launcher,
    ):
        found = train(study_of(chosen), Path(folder), launcher)
    loss = {who: [line["loss"] for line in lines] for who, lines in found.items()}
    apart = {
        who: [abs(b - a) / a for a, b in zip(loss["one"], loss[who], strict=True)]
        for who in ("two", "rounded")
    }
    print("epoch one two rounded two-one rounded-one")
    for epoch, row in enumerate(zip(*loss.values(), *apart.values(), strict=True), start=1):
        print("{} {:.6f} {:.6f} {:.6f} {:.1e} {:.1e}".format(epoch, *row))
    print(f"largest difference: two {max(apart['two']):.1e}, rounded {max(apart['rounded']):.1e}")
    seconds = {who: statistics.median(line["seconds"] for line in found[who]) for who in found}
    print(f"seconds an epoch: one {seconds['one']:.2f}, two {seconds['two']:.2f}")
    if chosen.figure:
        draw(chosen.figure, loss["one"], loss["two"])


if __name__ == "__main__":
    main()
