"""Views of generated pictures with tiny encoders, and how the tests train on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rdfc_core.interfaces import Batch, Pretext, PretextOutput, Tower
from rdfc_pretext_baselines.autoencoder import Autoencoder
from rdfc_pretext_baselines.config import AutoencoderConfig, JigsawConfig, SimCLRConfig
from rdfc_pretext_baselines.jigsaw import Jigsaw
from rdfc_pretext_baselines.simclr import SimCLR

TASKS = {
    "autoencoder": (Autoencoder, AutoencoderConfig),
    "jigsaw": (Jigsaw, JigsawConfig),
    "simclr": (SimCLR, SimCLRConfig),
}


class PictureTower(Tower):
    """Two convolutions, (B, C, H, W) or (B, C, Z, H, W) → (B, 16)."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.picture_shape = shape
        self.out_features = 16
        self.seen: list[tuple[int, ...]] = []
        convolution = nn.Conv2d if len(shape) == 3 else nn.Conv3d
        self.layers = nn.Sequential(
            convolution(shape[0], 8, 3, padding=1),
            nn.ReLU(),
            convolution(8, 16, 3, stride=2, padding=1),
        )

    def forward(self, batch: Tensor) -> Tensor:
        self.seen.append(tuple(batch.shape))
        return self.layers(batch * 2 - 1).flatten(2).mean(2)


class VectorTower(Tower):
    """A view that shows no picture."""

    def __init__(self) -> None:
        super().__init__()
        self.out_features = 4
        self.layer = nn.Linear(3, 4)

    def forward(self, batch: Tensor) -> Tensor:
        return self.layer(batch)


class Brightened:
    """Stands for an image view: its augmentation changes each picture's brightness."""

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        shift = 0.2 * torch.rand(len(batch), generator=generator)
        return batch + shift.reshape(-1, *[1] * (batch.ndim - 1)).to(batch.device)


def generated_pictures(cases: int, *shape: int, seed: int = 0) -> Tensor:
    """A ramp of another direction in each picture, and a bright spot somewhere."""
    generator = torch.Generator().manual_seed(seed)
    axes = torch.meshgrid(*(torch.linspace(-1, 1, s) for s in shape[1:]), indexing="ij")
    grid = torch.stack(axes).flatten(1)
    slope = torch.randn(cases, len(axes), generator=generator)
    centre = torch.rand(cases, len(axes), 1, generator=generator) * 1.6 - 0.8
    spot = (-12 * (grid - centre).square().sum(1)).exp()
    flat = (0.15 * slope @ grid + 0.5 * spot + 0.4).clamp(0, 1)
    return flat.reshape(cases, 1, *shape[1:]).repeat(1, shape[0], *[1] * len(axes))


def batch_of(
    pictures: Tensor, seed: int = 0, indices: Tensor | None = None, **others: Any
) -> Batch:
    return Batch(
        torch.arange(len(pictures)) if indices is None else indices,
        {"image": pictures, **others},
        {name: Brightened() for name in ("image", *others)},  # type: ignore[arg-type]
        torch.Generator().manual_seed(seed),
    )


def build_task(
    name: str, *shape: int, towers: Mapping[str, Tower] | None = None, **options: Any
) -> Any:
    torch.manual_seed(0)
    kind, config = TASKS[name]
    task = kind(config(**options))
    if towers is None:
        towers = {"radiomics": VectorTower(), "image": PictureTower(*shape)}
    task.build(towers, 8, torch.Generator().manual_seed(0))
    return task


def train_task(
    task: Pretext, pictures: Tensor, steps: int, learning_rate: float = 3e-3
) -> list[PretextOutput]:
    """What each step gave, before its update."""
    optimizer = torch.optim.AdamW(task.parameters(), lr=learning_rate)
    outputs = []
    for step in range(steps):
        output = task(batch_of(pictures, step))
        optimizer.zero_grad()
        output.loss.backward()
        optimizer.step()
        outputs.append(output)
    return outputs


@pytest.fixture
def tower() -> Callable[..., PictureTower]:
    return PictureTower


@pytest.fixture
def vector_tower() -> Callable[[], VectorTower]:
    return VectorTower


@pytest.fixture
def pictures_of() -> Callable[..., Tensor]:
    return generated_pictures


@pytest.fixture
def batch() -> Callable[..., Batch]:
    return batch_of


@pytest.fixture
def task_of() -> Callable[..., Any]:
    return build_task


@pytest.fixture
def train() -> Callable[..., list[PretextOutput]]:
    return train_task


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # tensors this small only lose by a second one
    yield
    torch.set_num_threads(threads)
