"""What each random variation of pictures costs beside the random crop, in turn, in one process.

    python tests/benchmarks/augmentation.py [--batch 64] [--size 64,64] [--rounds 40]

Each row is the crop with flips and one variation more; the last one has them all. Processor time on
a CPU and the clock's on a GPU; medians, of the ratios too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from rdfc_core.views.options import ImageViewConfig
from rdfc_core.views.variations import augment

STRENGTHS = {
    "elastic": 0.03,
    "blur": 1.0,
    "gamma": 0.4,
    "contrast": 0.4,
    "brightness": 0.2,
    "speckle": 0.1,
    "noise": 0.05,
}
CROP, ALL = "crop and flip", "all"


def seconds(batch: torch.Tensor, config: ImageViewConfig, generator: torch.Generator) -> float:
    clock = time.perf_counter if batch.is_cuda else time.process_time
    start = clock()
    augment(batch, config, generator)
    if batch.is_cuda:
        torch.cuda.synchronize()
    return clock() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--size", default="64,64")
    parser.add_argument("--rounds", type=int, default=40)
    chosen = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    height, width = map(int, chosen.size.split(","))
    batch = torch.rand(chosen.batch, 1, height, width, device=device)
    options = {CROP: {}, **{name: {name: one} for name, one in STRENGTHS.items()}, ALL: STRENGTHS}
    configs = {name: ImageViewConfig(**given) for name, given in options.items()}
    generator = torch.Generator().manual_seed(0)
    for config in configs.values():
        seconds(batch, config, generator)
    times: dict[str, list[float]] = {name: [] for name in configs}
    for _ in range(chosen.rounds):
        for name, config in configs.items():
            times[name].append(seconds(batch, config, generator))
    print(f"{chosen.batch} x 1 x {height} x {width}, {device}, torch {torch.__version__}\n")
    print("| variation | ms a batch | of the crop's |\n| --- | --- | --- |")
    for name, taken in times.items():
        ratio = statistics.median(t / c for t, c in zip(taken, times[CROP], strict=True))
        print(f"| {name} | {statistics.median(taken) * 1e3:.2f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
