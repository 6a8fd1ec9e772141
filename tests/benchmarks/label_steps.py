"""Where a step of training with labels goes: bare network, convolutions, small maps, stacks.

    python tests/benchmarks/label_steps.py [--model resnet18_half] [--batch 32] [--threads 1]

Processor time, medians over rounds in which everything takes its turn, in bfloat16:
- `finetuning.fit` a step, the same without products for small maps, and the same network's bare
  step on plain torch;
- the network's 3 × 3 convolutions, one stage a line: GFLOP/s forward, to maps and to weights, what
  a product of 1,024 × 1,024 matrices does, and four networks as one grouped convolution against
  four alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from statistics import median
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rdfc_core.config.supervised_settings import SupervisedSettings
from rdfc_core.evaluation import finetuning
from rdfc_core.interfaces import Prepared, Tower
from rdfc_core.models.head import Head
from rdfc_core.models.hybrid import Hybrid
from rdfc_core.training.seeding import seeded
from rdfc_core.views.image_view import ImageView
from rdfc_core.views.options import ImageViewConfig
from rdfc_encoder_timm.config import TimmConfig
from rdfc_encoder_timm.encoder import TimmEncoder

CASES, SIDE, STEPS, GROUPS = 224, 64, 8, 4
HALF = torch.bfloat16


def spent(work: Callable[[], object]) -> float:
    """Processor milliseconds."""
    started = time.process_time()
    work()
    return 1e3 * (time.process_time() - started)


def pictures(model: str) -> tuple[ImageView, Tensor]:
    """A view of noise, fitted, and its cases."""
    view = ImageView(
        ImageViewConfig(size=(SIDE, SIDE), crop_scale=(0.5, 1.0)),
        TimmEncoder(TimmConfig(model=model)),
    )
    rng = np.random.default_rng(0)
    prepared = [Prepared(rng.random((1, 80, 90)).astype(np.float16)) for _ in range(CASES)]
    view.fit(prepared)
    return view, view.collate(prepared)


def network(view: ImageView) -> Hybrid:
    """Fresh weights."""
    with seeded(0):
        tower: Tower = view.blank_tower()
        return Hybrid({"image": tower}, Head([tower.out_features], 2, direct=False), scale=11.3)


def bare(net: Hybrid, cases: Tensor, batch: int) -> None:
    """The same steps on plain torch, of one batch without variations."""
    tower = net.towers[0].to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(
        net.parameters(), 0.01, momentum=0.9, nesterov=True, weight_decay=1e-3
    )
    net.train()
    truth = torch.arange(batch) % 2
    for _ in range(STEPS):
        with torch.autocast("cpu", HALF):
            features = tower(cases[:batch])
        logits = net.head(functional.normalize(features.float()) * 11.3)
        optimizer.zero_grad()
        functional.cross_entropy(logits, truth).backward()  # type: ignore[no-untyped-call]
        optimizer.step()


@contextmanager
def convolved() -> Iterator[None]:
    """Inside, small maps are convolved as all others are."""
    with mock.patch.object(finetuning, "as_products", return_value=nullcontext()):
        yield


def steps(model: str, batch: int, rounds: int) -> None:
    """Prints milliseconds a step."""
    view, cases = pictures(model)
    truth = np.arange(CASES) % 2
    settings = SupervisedSettings.model_validate(
        {
            "epochs": 1000, "max_steps": STEPS, "batch_size": batch, "optimizer": "sgd",
            "nesterov": True, "learning_rate": 0.01, "weight_decay": 0.001,
            "schedule": "one-cycle",
        }
    )  # fmt: skip

    def fit(net: Hybrid) -> None:
        finetuning.fit(
            net, {"image": view}, {"image": cases}, truth, settings, "bf16-mixed", True, 0
        )

    def plain(net: Hybrid) -> None:
        with convolved():
            fit(net)

    ways: dict[str, Callable[[Hybrid], None]] = {
        "bare": lambda net: bare(net, cases, batch),
        "fit, convolutions alone": plain,
        "fit": fit,
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            net = network(view)
            took = spent(lambda net=net, way=way: way(net)) / STEPS  # type: ignore[misc]
            if turn:  # the first builds kernels
                found[name].append(took)
    for name, times in found.items():
        print(f"{model}, batches of {batch}, {name}: {median(times):.1f} ms a step")


def convolutions(model: str, batch: int, rounds: int) -> None:
    """Prints GFLOP/s of every stage's 3 × 3 convolution, and what four in one take."""
    square = torch.randn(1024, 1024).to(HALF)
    product = median(spent(lambda: square @ square) for _ in range(rounds))
    print(f"product of 1,024 × 1,024: {2 * 1024**3 / product / 1e6:.0f} GFLOP/s")
    view, _ = pictures(model)
    layers = [m for m in view.blank_tower().modules() if isinstance(m, nn.Conv2d)]
    widths = sorted({m.in_channels for m in layers if m.kernel_size == (3, 3)})[-4:]
    for width, side in zip(widths, (SIDE // 4, SIDE // 8, SIDE // 16, SIDE // 32), strict=True):
        work = 2 * batch * 9 * width**2 * side**2 / 1e6
        one, four = (passes(width, side, batch, groups, rounds) for groups in (1, GROUPS))
        rates = " / ".join(f"{work / took:.0f}" for took in one)
        print(
            f"{width} channels, {side} × {side}: {rates} GFLOP/s; {GROUPS} in one / alone: "
            f"{sum(four) / sum(one) / GROUPS:.2f}"
        )


def passes(width: int, side: int, batch: int, groups: int, rounds: int) -> list[float]:
    """Milliseconds forward, to the maps and to the weights."""

    def laid_out(*shape: int) -> Tensor:
        return torch.randn(*shape).to(HALF).to(memory_format=torch.channels_last)

    maps, told = (laid_out(batch, groups * width, side, side) for _ in range(2))
    weight = laid_out(groups * width, width, 3, 3)
    fixed = ([1, 1], [1, 1], [1, 1], False, [0, 0], groups)
    back = torch.ops.aten.convolution_backward
    ways: list[Callable[[], object]] = [
        lambda: torch.ops.aten.convolution(maps, weight, None, *fixed),
        lambda: back(told, maps, weight, None, *fixed, [True, False, False]),
        lambda: back(told, maps, weight, None, *fixed, [False, True, False]),
    ]
    times = [[spent(way) for way in ways] for _ in range(rounds + 1)][1:]
    return [median(column) for column in zip(*times, strict=True)]


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="resnet18_half")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    steps(arguments.model, arguments.batch, arguments.rounds)
    convolutions(arguments.model, arguments.batch, arguments.rounds)


if __name__ == "__main__":
    main()
