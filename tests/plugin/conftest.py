"""A zoo of broken plugins: each is a real distribution with one fault, installed for one test."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest

from rdfc_core.plugin import registry
from tests.support.command import Done

VERSION = "1.7"

ANNOUNCES = """
from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components():
    return [Component({kind!r}, {name!r}, "Is broken", {target!r}{config})]
"""

SOUND = """
import os, random, sys
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import nn

from rdfc_core import Case, DataError, ShapeError, Volume
from rdfc_core.interfaces import *


class Plain:
    def __init__(self, config):
        super().__init__()


class Measuring(Plain, FeatureExtractor):
    def names(self, ndim):
        return tuple(f"f{place}" for place in range(12))

    def recipe(self):
        return {"name": "zoo"}

    def extract(self, tumour):
        grey = tumour.image.array[tumour.mask].astype(np.float64)
        return Features(np.quantile(grey, np.linspace(0, 1, 12)))


class Encoding(Plain, ImageEncoder):
    def build(self, channels):
        return nn.Sequential(nn.Conv2d(channels, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())


class Straight(Tower):
    def __init__(self, features=8):
        super().__init__()
        self.layer = nn.Linear(features, 8)
        self.out_features = 8

    def forward(self, batch):
        return self.layer(batch)


class Looking(Plain, View):
    def recipe(self):
        return {"name": "zoo"}

    def prepare(self, tumour):
        grey = tumour.image.array[tumour.mask].astype(np.float64)
        return Prepared(np.quantile(grey, np.linspace(0, 1, 8)) / 255)

    def fit(self, prepared):
        if not prepared:
            raise DataError("none")
        self.mean = np.mean([one.array for one in prepared], axis=0)

    def collate(self, prepared):
        table = np.stack([one.array for one in prepared]) - self.mean
        return torch.from_numpy(table.astype(np.float32))

    def tower(self):
        return Straight()

    def state(self):
        return {"mean": self.mean}

    def load_state(self, state):
        self.mean = state["mean"]


class Agreeing(Plain, Objective):
    uses_memory = False

    def forward(self, a, b, memory):
        if a.shape != b.shape:
            raise ShapeError("make them equal")
        return (a - b).square().sum(dim=1).mean(), {}


class Listing(Plain, Dataset):
    classes = ("benign", "malignant")

    def listed(self):
        folder = Path(os.environ["ZOO_PICTURES"])
        for image in sorted((folder / "images").iterdir())[:12]:
            label = self.classes[int(image.stem[-1]) % 2]
            mask = folder / "masks" / image.name
            ids = dict(case_id=image.stem, patient_id=image.stem)
            yield dict(**ids, image=image, mask=mask, label=label)

    def cases(self):
        return [Case(**one) for one in self.listed()]


class Reading(Plain, Reader):
    def reads(self, path):
        return path.suffix == ".png"

    def read_image(self, path):
        from PIL import Image

        return Volume.of(np.array(Image.open(path)), (1.0, 1.0))
"""

Install = Callable[..., None]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where distributions are installed for one test; what they bring is forgotten afterwards."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    registry.installed.cache_clear()
    yield folder
    registry.installed.cache_clear()
    for name in [
        n for n, m in sys.modules.items() if str(folder) in str(getattr(m, "__file__", ""))
    ]:
        del sys.modules[name]


@pytest.fixture
def animal(site: Path, distribution: Callable[..., None]) -> Install:
    """Installs a broken plugin ``zoo-NAME 1.7``.

    Its module is given whole (``source``), or announces one component of a kind whose class, called
    ``Animal``, stands in ``parts`` behind sound classes of every kind.
    """

    def install(
        name: str, source: str = "", kind: str = "", parts: str = "", options: bool = False
    ) -> None:
        module = f"zoo_{name.replace('-', '_')}"
        if kind:
            config = f", {f'{module}_parts:Options'!r}" if options else ""
            target = f"{module}_parts:Animal"
            source = ANNOUNCES.format(kind=kind, name=name, target=target, config=config)
            (site / f"{module}_parts.py").write_text(f"{SOUND}\n\n{parts}", encoding="utf-8")
        (site / f"{module}.py").write_text(source, encoding="utf-8")
        distribution(site, f"zoo-{name}", f"{name} = {module}", version=VERSION)
        registry.installed.cache_clear()

    return install


def blamed(done: Done, name: str, *words: str, code: int = 2) -> str:
    """The one line that tells of the plugin ``zoo-NAME 1.7``, with these words in it."""
    assert done.code == code, done.err
    assert "Traceback" not in done.err
    assert "fault of rdfc:" not in done.err
    unwrapped = re.sub(r"\s*\n {9}", " ", done.err)  # warnings are broken into lines
    lines = [line for line in unwrapped.splitlines() if f"zoo-{name} {VERSION}" in line]
    assert lines, done.err
    for word in words:
        assert word in lines[-1], lines[-1]
    others = {one.metadata["Name"] for one in distributions()} - {f"zoo-{name}"}
    assert not [one for one in others if one.startswith("rdfc-") and f"of {one} " in lines[-1]]
    return lines[-1]


@pytest.fixture(scope="session")
def blame() -> Callable[..., str]:
    """See `blamed`."""
    return blamed
