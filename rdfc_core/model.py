"""A trained model: views, towers and a linear classifier; saved as safetensors and JSON."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from torch import nn

from rdfc_core.checkpoint import flush
from rdfc_core.data.case_definition import CaseDefinition
from rdfc_core.errors import DataError
from rdfc_core.evaluate.probe import LinearModel
from rdfc_core.files import MOST_TEXT, MOST_WEIGHTS, partial_name, within
from rdfc_core.interfaces import MemoryStore, Prepared, Pretext, View
from rdfc_core.plugins import Registry
from rdfc_core.resolve import ResolvedStudy
from rdfc_core.training.seeding import seeded

BATCH = 256
WEIGHTS, ABOUT = "weights.safetensors", "model.json"

# What a damaged model folder raises:
DAMAGED = (OSError, SafetensorError, LookupError, TypeError, ValueError, RuntimeError, MemoryError)


class _About(BaseModel):
    """What ``model.json`` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: tuple[str, ...]
    layer: Literal["features", "embedding"]
    views: tuple[str, ...] | None
    sha256: str
    cases: CaseDefinition | None = None


@dataclass
class Model:
    """Everything that turns prepared cases into features, embeddings and probabilities.

    Args:
        views: View name → the fitted view.
        pretext: The built pretext with its towers.
        classes: The labels in their order.
        classifier: The linear classifier, once one is trained.
        layer: What the classifier stands on: ``features`` or ``embedding``.
        cases: What the cases are that it was trained on; None where nobody said.
    """

    views: Mapping[str, View]
    pretext: Pretext
    classes: tuple[str, ...] = ()
    classifier: LinearModel | None = None
    layer: str = "features"
    cases: CaseDefinition | None = None

    def outputs(
        self, prepared: Mapping[str, Sequence[Prepared]]
    ) -> dict[str, dict[str, NDArray[np.float32]]]:
        """What the network makes of N cases, without augmentation.

        Returns:
            ``features``: view name → (N, F), before the projections, rows of unit length;
            ``embedding``: view name → (N, D), where the pretext has such a space.
        """
        towers = self.pretext.encoders()
        collated = {name: self.views[name].collate(prepared[name]) for name in towers}
        count = len(next(iter(collated.values()))) if collated else 0
        device = next((p.device for p in self.pretext.parameters()), torch.device("cpu"))
        pieces: dict[str, dict[str, list[NDArray[np.float32]]]] = {"features": {}, "embedding": {}}
        self.pretext.eval()
        with torch.inference_mode():
            for start in range(0, count, BATCH):
                features = {
                    name: tower(collated[name][start : start + BATCH].to(device)).float()
                    for name, tower in towers.items()
                }
                normed = {
                    name: torch.nn.functional.normalize(one) for name, one in features.items()
                }
                for layer, found in (
                    ("features", normed),
                    ("embedding", self.pretext.embed(features)),
                ):
                    for name, one in found.items():
                        pieces[layer].setdefault(name, []).append(one.cpu().numpy())
        return {
            layer: {name: np.concatenate(parts) for name, parts in found.items()}
            for layer, found in pieces.items()
        }

    def calibrate(self, prepared: Mapping[str, Sequence[Prepared]]) -> None:
        """Set the statistics of batch normalisation from these cases, and no weight.

        An untrained network has the statistics of no data at all; compared like that, a trained
        one would win by its statistics alone.
        """
        towers = self.pretext.encoders()
        norms = [
            module
            for tower in towers.values()
            for module in tower.modules()
            if isinstance(module, nn.modules.batchnorm._BatchNorm)
        ]
        momentum = [norm.momentum for norm in norms]
        self.pretext.eval()
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the mean over all batches
            norm.train()
        with torch.no_grad():
            for name, tower in towers.items():
                cases = self.views[name].collate(prepared[name])
                device = next((p.device for p in tower.parameters()), torch.device("cpu"))
                for batch in cases.tensor_split(math.ceil(len(cases) / BATCH)):
                    tower(batch.to(device))
        for norm, before in zip(norms, momentum, strict=True):
            norm.momentum = before
        self.pretext.eval()

    def predict(self, prepared: Mapping[str, Sequence[Prepared]]) -> NDArray[np.float64]:
        """Class probabilities of N cases, (N, C).

        Raises:
            DataError: If no classifier was trained.
            ShapeError: If it was trained on other views or widths than the networks give.
        """
        if self.classifier is None:
            raise DataError(
                "This model has no classifier: it was only pretrained. Finish it with rdfc run, "
                "or use rdfc embed."
            )
        return self.classifier.predict(self.outputs(prepared)[self.layer])

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` and ``model.json``; each appears whole or not at all.

        Weights and description that do not belong together are known by the checksum.

        Memories are left out: they hold what the training cases look like to the network.
        """
        memories = _memory_keys(self.pretext)
        arrays = {
            f"pretext.{key}": value.detach().cpu().numpy()
            for key, value in self.pretext.state_dict().items()
            if key not in memories
        }
        for name, view in self.views.items():
            arrays |= {f"view.{name}.{key}": value for key, value in view.state().items()}
        about: dict[str, Any] = {"classes": list(self.classes), "layer": self.layer, "views": None}
        if self.cases is not None:
            about["cases"] = self.cases.model_dump(mode="json")
        if self.classifier is not None:
            arrays["classifier.weight"] = self.classifier.weight
            arrays["classifier.bias"] = self.classifier.bias
            about["views"] = list(self.classifier.views)
        partial = partial_name(folder)
        partial.mkdir(parents=True)
        try:
            weights = partial / WEIGHTS
            save_file({key: np.asarray(value, order="C") for key, value in arrays.items()}, weights)
            flush(weights)
            about["sha256"] = _sha256(weights)
            (partial / ABOUT).write_text(json.dumps(about, indent=2), encoding="utf-8")
            if folder.exists():  # perhaps with somebody else's files beside ours
                for name in (WEIGHTS, ABOUT):
                    (partial / name).replace(folder / name)
                partial.rmdir()
            else:
                partial.rename(folder)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


def fresh(
    study: ResolvedStudy,
    registry: Registry,
    views: Mapping[str, View],
    cases: int,
    seed: int,
    blank: bool = False,
) -> Model:
    """A model with fresh weights for fitted views; the same for the same seed.

    Args:
        study: Names the pretext.
        registry: Where components come from.
        views: Fitted.
        cases: N, the number of pretext cases.
        seed: Decides the weights.
        blank: Leave out the weights that towers may begin with: others are loaded over them.
    """
    with seeded(seed):
        pretext: Pretext = study.pretext.build(registry)
        towers = {n: view.blank_tower() if blank else view.tower() for n, view in views.items()}
        pretext.build(towers, cases, torch.Generator().manual_seed(seed))
    return Model(views, pretext)


def load(folder: Path, study: ResolvedStudy, registry: Registry) -> Model:
    """The model in the folder.

    Raises:
        DataError: If a file is missing or damaged, or does not fit the study.
    """
    try:
        about = _About.model_validate_json(within(folder / ABOUT, MOST_TEXT).read_bytes())
        # safetensors itself does not notice a bit that turned over among the numbers.
        if about.sha256 != _sha256(within(folder / WEIGHTS, MOST_WEIGHTS)):
            raise ValueError("its weights do not match their checksum")
        arrays = load_file(folder / WEIGHTS)
        _check_finite({key: arrays[key] for key in arrays if not key.startswith("view.")})
        views: dict[str, View] = {}
        for name, part in study.views.items():
            views[name] = part.build(registry)
            views[name].load_state(_below(arrays, f"view.{name}."))
        # Two stand for however many cases it was trained on: their memory is not kept.
        model = fresh(study, registry, views, cases=2, seed=study.seed, blank=True)
        weights = {k: torch.from_numpy(v) for k, v in _below(arrays, "pretext.").items()}
        own = model.pretext.state_dict()
        weights |= {key: own[key] for key in _memory_keys(model.pretext)}
        model.pretext.load_state_dict(weights)
        model.pretext.eval()
        model.classes, model.layer, model.cases = about.classes, about.layer, about.cases
        if about.views is not None:
            weight, bias = arrays["classifier.weight"], arrays["classifier.bias"]
            if not weight.shape[:-1] == bias.shape == (len(about.classes),):
                raise ValueError(f"its classifier is not for its {len(about.classes)} classes")
            model.classifier = LinearModel(weight, bias, about.views)
    except DAMAGED as error:
        raise DataError(
            f"The model {folder} cannot be used: {' '.join(str(error).split())[:300]}. Train it "
            "again with rdfc run … --overwrite."
        ) from error
    return model


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_finite(arrays: Mapping[str, NDArray[Any]]) -> None:
    for key, values in arrays.items():
        if not np.isfinite(values).all():
            raise ValueError(f"its weights {key} hold NaN or infinite numbers")


def _below(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def _memory_keys(pretext: Pretext) -> set[str]:
    return {
        f"{name}.{key}"
        for name, module in pretext.named_modules(remove_duplicate=False)
        if isinstance(module, MemoryStore)
        for key in module.state_dict()
    }
