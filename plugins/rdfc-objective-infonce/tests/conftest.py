"""A small two-view problem with real towers, and the pieces that the tests share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from rdfc_core.case import Tumour
from rdfc_core.interfaces import Batch, Memory, Prepared, Tower, View
from rdfc_objective_infonce.bank import MemoryBank
from rdfc_objective_infonce.config import CorrespondenceConfig, InfoNCEConfig, MemoryBankConfig
from rdfc_objective_infonce.correspondence import Correspondence
from rdfc_objective_infonce.infonce import InfoNCE


class VectorTower(Tower):
    """Two layers from F numbers to 32."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.out_features = 32
        self.calls = 0
        self.layers = nn.Sequential(nn.Linear(features, 32), nn.ReLU(), nn.Linear(32, 32))

    def forward(self, batch: Tensor) -> Tensor:
        self.calls += 1
        return self.layers(batch)


class VectorView(View):
    """A view of numbers that are at hand; its augmentation adds noise."""

    def __init__(self, features: int, noise: float = 0.05) -> None:
        self.features = features
        self.noise = noise

    def recipe(self) -> dict[str, Any]:
        return {"features": self.features}

    def prepare(self, tumour: Tumour) -> Prepared:
        return Prepared(tumour.image.array[: self.features])

    def fit(self, prepared: Sequence[Prepared]) -> None:
        return

    def collate(self, prepared: Sequence[Prepared]) -> Tensor:
        return torch.stack([torch.as_tensor(one.array) for one in prepared])

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        return batch + self.noise * torch.randn(batch.shape, generator=generator)

    def tower(self) -> Tower:
        return VectorTower(self.features)

    def state(self) -> dict[str, NDArray[Any]]:
        return {}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        return


class Problem:
    """Cases with a hidden state of 6 numbers, which each view shows in its own way."""

    def __init__(self, cases: int, names: Sequence[str], seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        hidden = torch.randn(cases, 6, generator=generator)
        self.cases = cases
        self.views = {name: VectorView(8 + place) for place, name in enumerate(names)}
        self.data = {
            name: torch.tanh(hidden @ torch.randn(6, view.features, generator=generator))
            for name, view in self.views.items()
        }

    def towers(self, seed: int = 0) -> dict[str, Tower]:
        torch.manual_seed(seed)
        return {name: view.tower() for name, view in self.views.items()}

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> Batch:
        prepared = {name: rows[indices] for name, rows in self.data.items()}
        return Batch(indices, prepared, self.views, generator or torch.Generator().manual_seed(1))

    def embeddings(self, pretext: Correspondence) -> dict[str, Tensor]:
        with torch.no_grad():
            towers = pretext.encoders()
            return pretext.embed({name: towers[name](self.data[name]) for name in towers})

    def train(self, pretext: Correspondence, epochs: int, batch_size: int = 32) -> None:
        generator = torch.Generator().manual_seed(7)
        optimizer = torch.optim.AdamW(pretext.parameters(), lr=3e-3)
        for _ in range(epochs):
            for indices in torch.randperm(self.cases, generator=generator).split(batch_size):
                output = pretext(self.batch(indices, generator))
                optimizer.zero_grad()
                output.loss.backward()
                optimizer.step()
                pretext.after_step(indices, output.embeddings)
            pretext.end_epoch()


def build_pretext(
    problem: Problem,
    objective: Mapping[str, Any] | None = None,
    dtype: str = "float32",
    **options: Any,
) -> Correspondence:
    torch.manual_seed(0)
    pretext = Correspondence(
        CorrespondenceConfig(width=16, **options),
        objective=InfoNCE(InfoNCEConfig(**{"negatives": 64, **(objective or {})})),
        memory=MemoryBank(MemoryBankConfig(dtype=dtype)),
    )
    pretext.build(problem.towers(), problem.cases, torch.Generator().manual_seed(3))
    return pretext


def random_units(rows: int, width: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(rows, width, generator=generator), dim=1)


def allocated(rows: int, width: int, seed: int = 0, **options: Any) -> MemoryBank:
    bank = MemoryBank(MemoryBankConfig(**{"update": "step", **options}))
    bank.allocate(rows, width, torch.Generator().manual_seed(seed))
    return bank


def remember(indices: Tensor, a: MemoryBank, b: MemoryBank, seed: int = 5) -> Memory:
    return Memory(indices, a, b, torch.Generator().manual_seed(seed))


@pytest.fixture
def problem() -> Callable[..., Problem]:
    return Problem


@pytest.fixture
def pretext_of() -> Callable[..., Correspondence]:
    return build_pretext


@pytest.fixture
def units() -> Callable[[int, int, int], Tensor]:
    return random_units


@pytest.fixture
def bank_of() -> Callable[..., MemoryBank]:
    return allocated


@pytest.fixture
def memory_of() -> Callable[..., Memory]:
    return remember


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # tensors this small only lose by a second one
    yield
    torch.set_num_threads(threads)
