"""A whole training step beside the bare encoder's, in turn, in one process.

    python tests/benchmarks/training.py [--model resnet18] [--size 64,64] [--steps 8] [--rounds 7]

"bare" is forward, backward and SGD step of the encoder alone, again and again on one random batch,
in the layout in which rdfc trains it (channels last, unless `--contiguous`); "rdfc" is a step of
pretraining as `rdfc run` does it: gathering, augmentation, both towers, objective, banks, logs,
signs of collapse and a copy of the state. Processor time on a CPU, which other programs disturb
less, and the clock's on a GPU; medians of the rounds. The ratio is bare / rdfc: 1 is the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.interfaces import Prepared, View
from rdfc_core.training import pretrain
from rdfc_core.training.device import device_for
from rdfc_core.training.metrics_log import PretrainPaths
from rdfc_core.training.state import Task
from rdfc_core.views.feature_view import FeatureView
from rdfc_core.views.image_view import ImageView
from rdfc_core.views.options import FeatureViewConfig, ImageViewConfig
from rdfc_encoder_timm.config import TimmConfig
from rdfc_encoder_timm.encoder import TimmEncoder
from rdfc_features_native.config import NativeConfig
from rdfc_features_native.extractor import NativeExtractor
from rdfc_objective_infonce.bank import MemoryBank
from rdfc_objective_infonce.config import CorrespondenceConfig, InfoNCEConfig, MemoryBankConfig
from rdfc_objective_infonce.correspondence import Correspondence
from rdfc_objective_infonce.infonce import InfoNCE

FEATURES = 1000


def clock() -> float:
    """Seconds on the device that computes."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def fitted_views(
    encoder: TimmEncoder, size: tuple[int, int], cases: int
) -> tuple[dict[str, View], dict[str, torch.Tensor]]:
    """The paper's two views on noise, and the collated cases."""
    rng = np.random.default_rng(0)
    names = tuple(f"original_firstorder_{number}" for number in range(FEATURES))
    views: dict[str, View] = {
        "radiomics": FeatureView(FeatureViewConfig(), NativeExtractor(NativeConfig())),
        "image": ImageView(ImageViewConfig(size=size), encoder),
    }
    prepared = {
        "radiomics": [Prepared(rng.normal(size=FEATURES), names) for _ in range(cases)],
        "image": [Prepared(rng.random((1, *size)).astype(np.float16)) for _ in range(cases)],
    }
    for name, view in views.items():
        view.fit(prepared[name])
    return views, {name: view.collate(prepared[name]) for name, view in views.items()}


def bare_steps(
    encoder: TimmEncoder, size: tuple[int, int], settings: PretrainSettings
) -> Callable[[int], None]:
    """Trains the encoder alone for a number of steps."""
    fabric = device_for(settings.precision)
    network = encoder.build(1)
    if settings.channels_last:
        network.to(memory_format=torch.channels_last)
    model, optimizer = fabric.setup(
        network, torch.optim.SGD(network.parameters(), 3e-3, momentum=0.9, weight_decay=1e-4)
    )
    batch = torch.rand(settings.batch_size, 1, *size, device=fabric.device)
    model.train()

    def train(steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            fabric.backward(model(batch).square().mean())
            optimizer.step()

    return train


def main() -> None:
    """Print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--size", default="64,64")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--precision", default="32-true")
    parser.add_argument("--contiguous", action="store_true")
    parser.add_argument("--cases-in", default="device", help="where rdfc's cases wait")
    parser.add_argument("--json", type=Path, help="add the ratio to this file")
    chosen = parser.parse_args()
    height, width = map(int, chosen.size.split(","))
    settings = PretrainSettings(
        epochs=chosen.rounds + 1,
        batch_size=chosen.batch,
        precision=chosen.precision,
        channels_last=not chosen.contiguous,
        data_placement=chosen.data_placement,
        checkpoint_every=chosen.rounds + 1,
    )
    encoder = TimmEncoder(TimmConfig(model=chosen.model))
    views, cases = fitted_views(encoder, (height, width), chosen.batch * chosen.steps)
    pretext = Correspondence(
        CorrespondenceConfig(),
        objective=InfoNCE(InfoNCEConfig()),
        memory=MemoryBank(MemoryBankConfig()),
    )
    towers = {name: view.tower() for name, view in views.items()}
    pretext.build(towers, chosen.batch * chosen.steps, torch.Generator().manual_seed(0))
    train = bare_steps(encoder, (height, width), settings)
    train(2)
    seconds: dict[str, list[float]] = {"rdfc": [], "bare": []}
    begun = clock()

    def epoch_ended(_: object) -> None:
        nonlocal begun
        ended = clock()
        seconds["rdfc"].append(ended - begun)
        train(chosen.steps)
        begun = clock()
        seconds["bare"].append(begun - ended)

    with tempfile.TemporaryDirectory() as folder:
        paths = PretrainPaths(Path(folder), "benchmark")
        pretrain.fit(Task(pretext, views, cases, settings, 0), paths, epoch_ended=epoch_ended)
    # The first round warms up: allocations, and the choice of kernels.
    a_step = {who: statistics.median(t[1:]) / chosen.steps for who, t in seconds.items()}
    name = f"{chosen.model}, {height} × {width}, {chosen.precision}"
    print(f"{name}, batches of {chosen.batch}{', contiguous' * chosen.contiguous}")
    for who, one in a_step.items():
        print(f"{who}: {one * 1000:.1f} ms a step, {chosen.batch / one:.0f} pictures a second")
    ratio = a_step["bare"] / a_step["rdfc"]
    print(f"bare / rdfc: {ratio:.3f}")
    if chosen.json:
        keep(chosen.json, "step", name, ratio)


def keep(path: Path, benchmark: str, name: str, ratio: float) -> None:
    """Add a measured ratio to a JSON file, from which the figure is drawn."""
    found = json.loads(path.read_text("utf-8")) if path.exists() else {}
    found.setdefault(benchmark, {})[name] = round(ratio, 3)
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
