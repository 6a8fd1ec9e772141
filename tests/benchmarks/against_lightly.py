"""An epoch of SimCLR beside lightly's example of it, in turn, in one process.

    uv sync --group benchmarks
    python tests/benchmarks/against_lightly.py [--model resnet50] [--size 196,160] [--batch 16]
        [--precision bf16-mixed] [--contiguous] [--files]

Both train the same timm encoder on the same RGB pictures of the same size, 8-bit, in batches of the
same size, by SGD, with two encoder passes a case and one core. lightly's side is its example (1.6,
`examples/pytorch/simclr.py`, with its SimCLRTransform): a data set of PIL images, here in memory,
so that no file is read or decoded; a DataLoader without worker processes, since it has one core as
rdfc has. "as published" is the transform by default; "crop and flip" leaves out colours and blur,
which rdfc's augmentation of grey pictures does not have, and is the comparison of like with like.
lightly's side is in single precision and contiguous, as its example is; rdfc's is so with
`--contiguous`, and in its own layout, channels last, without. With `--files` lightly reads a folder
of PNG files, as its LightlyDataset does for data of one's own: grey pictures of 196 × 160, the size
of the paper's crops, before its transform takes them to the encoder's size.
Processor time, medians of the rounds; the ratio is lightly / rdfc.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from lightly.data import LightlyDataset
from lightly.loss import NTXentLoss
from lightly.models.modules import SimCLRProjectionHead
from lightly.transforms import SimCLRTransform
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from training import keep

from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.interfaces import Prepared
from rdfc_core.training import pretrain
from rdfc_core.training.metrics_log import PretrainPaths
from rdfc_core.training.state import Task
from rdfc_core.views.image_view import ImageView
from rdfc_core.views.options import ImageViewConfig
from rdfc_encoder_timm.config import TimmConfig
from rdfc_encoder_timm.encoder import TimmEncoder
from rdfc_pretext_baselines.config import SimCLRConfig
from rdfc_pretext_baselines.simclr import SimCLR

CROP_AND_FLIP = {"cj_prob": 0.0, "random_gray_scale": 0.0, "gaussian_blur": 0.0}


class Pictures(torch.utils.data.Dataset[Any]):
    """PIL images with a label, as torchvision's data sets give them."""

    def __init__(self, pictures: NDArray[np.uint8]) -> None:
        self.pictures = [Image.fromarray(one) for one in pictures]
        self.transform: Callable[[Any], Any] | None = None

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        picture = self.pictures[index]
        return (self.transform(picture) if self.transform else picture), 0


class LightlySimCLR(nn.Module):
    """The model of lightly's example."""

    def __init__(self, backbone: nn.Module, width: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.projection_head = SimCLRProjectionHead(width, width, 128)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.backbone(x).flatten(start_dim=1)
        projected: torch.Tensor = self.projection_head(features)
        return projected


def png_folder(folder: Path, count: int) -> LightlyDataset:
    """So many smooth grey pictures, as files."""
    random = np.random.default_rng(0)
    for number in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (14, 12), np.uint8))
        coarse.resize((160, 196), Image.Resampling.BICUBIC).save(folder / f"{number:05}.png")
    return LightlyDataset(input_dir=str(folder))


def lightly_epochs(
    encoder: TimmEncoder,
    data: LightlyDataset,
    size: tuple[int, int],
    batch: int,
    transform: Mapping[str, Any],
) -> Callable[[], None]:
    """One epoch of lightly's example at each call."""
    backbone = encoder.build(3)
    with torch.no_grad():
        width = backbone(torch.zeros(2, 3, *size)).shape[1]
    model = LightlySimCLR(backbone, width)
    data.transform = SimCLRTransform(input_size=size, **transform)
    loader = torch.utils.data.DataLoader(data, batch_size=batch, shuffle=True, drop_last=True)
    criterion = NTXentLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.06)
    model.train()

    def epoch() -> None:
        total: Any = 0
        for views, _, _ in loader:
            loss = criterion(model(views[0]), model(views[1]))
            total += loss.detach()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    return epoch


def train_rdfc(
    encoder: TimmEncoder,
    pictures: NDArray[np.uint8],
    settings: PretrainSettings,
    ended: Callable[[], None],
) -> None:
    """All epochs of rdfc; ``ended`` is called after each."""
    view = ImageView(ImageViewConfig(size=pictures.shape[1:3]), encoder)
    scaled = (pictures / 255).astype(np.float16).transpose(0, 3, 1, 2)
    prepared = [Prepared(one) for one in scaled]
    view.fit(prepared)
    cases = view.collate(prepared)
    pretext = SimCLR(SimCLRConfig())
    pretext.build({"image": view.tower()}, len(cases), torch.Generator())
    with tempfile.TemporaryDirectory() as folder:
        pretrain.fit(
            Task(pretext, {"image": view}, {"image": cases}, settings, 0),
            PretrainPaths(Path(folder), "benchmark"),
            epoch_ended=lambda _: ended(),
        )


def main() -> None:
    """Print the medians and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--size", default="64,64")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precision", default="32-true")
    parser.add_argument("--contiguous", action="store_true")
    parser.add_argument("--files", action="store_true", help="lightly reads PNG files")
    parser.add_argument("--json", type=Path, help="add the ratios to this file")
    chosen = parser.parse_args()
    encoder = TimmEncoder(TimmConfig(model=chosen.model))
    height, width = map(int, chosen.size.split(","))
    size, batch = (height, width), chosen.batch
    shape = (batch * chosen.steps, *size, 3)
    pictures = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    folder = tempfile.TemporaryDirectory()

    def theirs_with(transform: Mapping[str, Any]) -> Callable[[], None]:
        if chosen.files:
            data = png_folder(Path(folder.name), len(pictures))
        else:
            data = LightlyDataset.from_torch_dataset(Pictures(pictures))
        return lightly_epochs(encoder, data, size, batch, transform)

    theirs = {
        "lightly, as published": theirs_with({}),
        "lightly, crop and flip": theirs_with(CROP_AND_FLIP),
    }
    seconds: dict[str, list[float]] = {}
    begun = time.process_time()

    def note(who: str) -> None:
        nonlocal begun
        now = time.process_time()
        seconds.setdefault(who, []).append(now - begun)
        begun = now

    def take_turns() -> None:
        note("rdfc")
        for who, epoch in theirs.items():
            epoch()
            note(who)

    settings = PretrainSettings(
        epochs=chosen.rounds + 1,
        batch_size=batch,
        learning_rate=0.06,
        precision=chosen.precision,
        channels_last=not chosen.contiguous,
    )
    train_rdfc(encoder, pictures, settings, take_turns)
    # The first round warms up.
    medians = {who: statistics.median(times[1:]) for who, times in seconds.items()}
    layout = "contiguous" if chosen.contiguous else "channels last"
    print(f"{chosen.model} at {height} × {width}, batches of {batch}, {len(pictures)} pictures")
    source = "files" if chosen.files else "memory"
    print(f"rdfc in {chosen.precision}, {layout}; lightly from {source}")
    for who, one in medians.items():
        print(f"{who}: {one:.2f} s an epoch, {len(pictures) / one:.0f} pictures a second")
    for who in theirs:
        ratio = medians[who] / medians["rdfc"]
        print(f"{who} / rdfc: {ratio:.2f}")
        if chosen.json:
            what = f"{chosen.model}, {height} × {width}: {who}{', from files' * chosen.files}"
            name = f"{what}, rdfc in {chosen.precision}{', contiguous' * chosen.contiguous}"
            keep(chosen.json, "lightly", name, ratio)


if __name__ == "__main__":
    main()
