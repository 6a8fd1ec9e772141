"""What objective and memory bank cost beside their bare matrix products, in one run.

    python tests/benchmarks/objective.py [--rounds 15] [--only NAME]

A step is: the loss of both directions, its backward to the embeddings, and the update of both
banks. The floor is its four matrix products and nothing else, each one call into memory at hand: in
either direction the (B, D) anchors times the (K, D) negatives transposed, and the (B, K) weights
times the negatives. Each step and its floor follow each other, all take turns, round by round;
medians, of the ratios too, in CPU time on a CPU and by the clock on a GPU.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import Tensor
from torch.nn import functional as F

from rdfc_core.interfaces import Memory
from rdfc_objective_infonce.bank import MemoryBank
from rdfc_objective_infonce.config import InfoNCEConfig, MemoryBankConfig
from rdfc_objective_infonce.infonce import InfoNCE

N, D, K, B = 1_000_000, 128, 16_384, 256
TEMPERATURE = 0.07
SHARED, FEWER = "shared negatives", "the same, N = 100,000"
Step = Callable[[], object]


class Scene:
    """Two banks of n rows, and embeddings of B of their cases."""

    def __init__(self, n: int, device: str, dtype: str = "float32", k: int = K) -> None:
        self.k = k
        self.generator = torch.Generator().manual_seed(0)
        self.banks = [MemoryBank(MemoryBankConfig(dtype=dtype)).to(device) for _ in range(2)]
        for bank in self.banks:
            bank.allocate(n, D, self.generator)
        self.indices = torch.randint(n, (B,), generator=self.generator).to(device)
        self.a, self.b = (
            F.normalize(torch.randn(B, D, generator=self.generator), dim=1).to(device)
            for _ in range(2)
        )

    def memory(self) -> Memory:
        return Memory(self.indices, *self.banks, self.generator)

    def ours(self, **options: object) -> Step:
        objective = InfoNCE(
            InfoNCEConfig.model_validate(
                {"negatives": self.k, "temperature": TEMPERATURE, **options}
            )
        )
        return lambda: self._train(lambda a, b: objective(a, b, self.memory())[0])

    def plain(self) -> Step:
        """The same loss of shared negatives as one writes it down, by autograd."""
        return lambda: self._train(self._plain_loss)

    def floor(self) -> Step:
        """The four products."""
        rows = self.banks[0].read(torch.arange(self.k))
        logits = torch.rand(B, self.k).to(rows)
        products, gradient = torch.empty_like(logits), torch.empty_like(self.a)

        def step() -> None:
            for anchors in (self.a.detach(), self.b.detach()):
                torch.mm(anchors, rows.T, out=products)
                torch.mm(logits, rows, out=gradient)

        return step

    def floor_in_pieces(self) -> Step:
        """The same products of 1,024 negatives at a time, which stay in a core's cache."""
        rows = self.banks[0].read(torch.arange(self.k)).split(1024)
        products, gradient = self.a.new_empty(B, 1024), torch.zeros_like(self.a)

        def step() -> None:
            for anchors in (self.a.detach(), self.b.detach()):
                for piece in rows:
                    torch.mm(anchors, piece.T, out=products)
                    gradient.addmm_(products, piece, beta=0)

        return step

    def _train(self, loss: Callable[[Tensor, Tensor], Tensor]) -> None:
        a, b = self.a.requires_grad_(), self.b.requires_grad_()
        a.grad = b.grad = None
        loss(a, b).backward()
        for bank, rows in zip(self.banks, (a, b), strict=True):
            bank.update(self.indices, rows.detach())

    def _plain_loss(self, a: Tensor, b: Tensor) -> Tensor:
        losses = []
        for anchors, bank in ((a, self.banks[1]), (b, self.banks[0])):
            cases = torch.randint(bank.rows, (self.k,), generator=self.generator).to(a.device)
            own = cases == self.indices.unsqueeze(1)
            logits = (anchors @ bank.read(cases).T / TEMPERATURE).masked_fill(own, -torch.inf)
            positive = (anchors * bank.read(self.indices)).sum(1, keepdim=True) / TEMPERATURE
            target = torch.zeros(len(a), dtype=torch.long, device=a.device)
            losses.append(F.cross_entropy(torch.cat([positive, logits], 1), target))
        return losses[0] + losses[1]


def steps(device: str) -> dict[str, tuple[Step, Step]]:
    """Name → a step and the floor it is held against."""
    large, small = Scene(N, device), Scene(N // 10, device)
    rounded = Scene(N, device, "bfloat16")
    few, studies = Scene(20_000, device, k=20_000), Scene(8_192, device, k=2_048)
    floor, floor_of_few, floor_of_studies = large.floor(), few.floor(), studies.floor()
    return {
        "the floor in pieces": (large.floor_in_pieces(), floor),
        SHARED: (large.ours(), floor),
        FEWER: (small.ours(), floor),
        "the same, banks in bfloat16": (rounded.ours(), floor),
        "the same, fresh-positive": (large.ours(variant="fresh-positive"), floor),
        "the same, nce": (large.ours(estimator="nce"), floor),
        "plain autograd of shared negatives": (large.plain(), floor),
        "full-bank, N = 20,000": (few.ours(variant="full-bank"), floor_of_few),
        "a draw a case, N = 8,192, K = 2,048": (
            studies.ours(negatives_per="case"),
            floor_of_studies,
        ),
        "shared negatives, N = 8,192, K = 2,048": (
            studies.ours(negatives_per="batch"),
            floor_of_studies,
        ),
    }


def seconds(step: Step, device: str) -> float:
    clock = time.perf_counter if device == "cuda" else time.process_time
    start = clock()
    step()
    if device == "cuda":
        torch.cuda.synchronize()
    return clock() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="", help="a part of the steps' names")
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(1)
    chosen = {name: two for name, two in steps(device).items() if arguments.only in name}
    for step, floor in chosen.values():
        step(), floor()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in chosen}
    for _ in range(arguments.rounds):
        for name, (step, floor) in chosen.items():
            times[name].append((seconds(step, device), seconds(floor, device)))
    print(f"N = {N:,}, D = {D}, K = {K:,}, B = {B}, {device}, torch {torch.__version__}\n")
    print("| step | ms | its floor, ms | ratio |\n| --- | --- | --- | --- |")
    for name, pairs in times.items():
        step, floor = (statistics.median(one) * 1e3 for one in zip(*pairs, strict=True))
        ratio = statistics.median(mine / bare for mine, bare in pairs)
        print(f"| {name} | {step:.1f} | {floor:.1f} | {ratio:.2f} |")
    if {SHARED, FEWER} <= set(times):
        rounds = zip(times[SHARED], times[FEWER], strict=True)
        ratio = statistics.median(many / few for (many, _), (few, _) in rounds)
        print(f"\nN = {N:,} over N = {N // 10:,}: {ratio:.2f}")


if __name__ == "__main__":
    main()
