"""What lies beside exported weights: inputs, preprocessing, classes and where it all came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdfc_core.export.inputs import Port
from rdfc_core.interfaces import View
from rdfc_core.models.made_by import plain
from rdfc_core.models.model import Model
from rdfc_core.models.outputs import OUTPUTS
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.results.schema import Results
from rdfc_core.results.vocabulary import SELECTED
from rdfc_core.utils.atomic import replacing
from rdfc_core.views.feature_view import FeatureView
from rdfc_core.views.image_view import ImageView

CARD_VERSION = 1

FEATURES = (
    "measured features in the order of names, not standardised; NaN where one is missing: "
    "imputation, scaling and clipping are inside the model"
)
PICTURE = (
    "cut out and scaled to [0, 1] as preprocessing says, brought to size; the network's own "
    "normalisation is inside the model"
)
COLLATED = "as the view of the plugin makes it (View.collate)"


@dataclass(frozen=True)
class Exported:
    """What is exported of a run.

    Args:
        run: Opened.
        models: Split → its model.
        method: What was chosen, or one of the candidates.
    """

    run: OpenRun
    models: Mapping[str, Model]
    method: str = SELECTED

    @property
    def first(self) -> Model:
        """The model of the first split."""
        return next(iter(self.models.values()))


def onnx_card(exported: Exported, ports: Sequence[Port], output: str, file: Path) -> dict[str, Any]:
    """What ``model.json`` says of an ONNX file."""
    first = exported.first
    width = OUTPUTS[first.task].width(first.classes)
    return {
        "card": CARD_VERSION,
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "task": first.task,
        "classes": list(first.classes),
        "inputs": [_input(port, first.views[port.view]) for port in ports],
        "output": {"name": output, "shape": ["N", width], "dtype": "float64"},
        "method": _method(exported),
        **provenance(exported),
    }


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a card, whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def preprocessing(view: ImageView) -> dict[str, Any]:
    """How a picture is made of an image and a mask, from the view's options to its last size."""
    state, config = view.state(), view.config
    size, dims = [int(side) for side in state["size"]], view.encoder.spatial_dims
    channels = int(state["channels"][0])
    mean, deviation = view.encoder.normalisation(channels)
    resampling = "bilinear, antialiased (torch.nn.functional.interpolate)"
    if dims == 3:
        resampling = "trilinear, align_corners=False (torch.nn.functional.interpolate)"
    return {
        **plain(view.recipe()),
        "field": "box" if config.spacing_mm is None else "fixed",
        "range": [0.0, 1.0],
        "size": size,
        "resampling": resampling,
        "channels_count": channels,
        "normalisation": {"mean": [*map(float, mean)], "deviation": [*map(float, deviation)]},
    }


def provenance(exported: Exported) -> dict[str, Any]:
    """Which cases are meant, and what the model comes from."""
    run, first = exported.run, exported.first
    return {
        "cases": first.cases.model_dump(mode="json") if first.cases else None,
        "provenance": {
            "study_sha256": hashlib.sha256(run.place.study.read_bytes()).hexdigest(),
            "dataset": run.study.dataset.name,
            "seed": run.study.seed,
            "splits": list(exported.models),
            "versions": run.place.recorded_versions(),
            "components": dict(first.made_by.versions) if first.made_by else {},
            "weights_began_from": {
                name: network_made_by(view) for name, view in first.views.items()
            },
            **_results(run),
        },
        "intended_use": "research; not a medical device",
    }


def network_made_by(view: View) -> dict[str, Any]:
    """How the network of a view is built elsewhere, and from which weights it began."""
    if not isinstance(view, ImageView):
        return {}
    channels = int(view.state()["channels"][0])
    return dict(view.encoder.made_elsewhere(channels))


def _results(run: OpenRun) -> dict[str, Any]:
    """When the run was made, of how many cases, and what it scored; nothing of one unfinished."""
    if not run.place.results.exists():
        return {}
    results = Results.read(run.place.results)
    headline = results.headline
    return {
        "started": results.run.get("started"),
        "splits_of_cases": [
            {key: split[key] for key in ("name", "pretext", "train", "test") if key in split}
            for split in results.dataset.get("splits", ())
        ],
        "headline": headline.model_dump(mode="json") if headline else None,
    }


def _input(port: Port, view: View) -> dict[str, Any]:
    about: dict[str, Any] = {
        "name": port.name,
        "view": port.view,
        "kind": port.kind,
        "shape": ["N", *port.shape],
        "dtype": port.dtype,
    }
    if isinstance(view, FeatureView):
        about |= {"what": FEATURES, "names": list(view.names), "extraction": plain(view.recipe())}
    elif isinstance(view, ImageView):
        about |= {"what": PICTURE, "preprocessing": preprocessing(view)}
    else:
        about |= {"what": COLLATED, "recipe": plain(view.recipe())}
    return about


def _method(exported: Exported) -> dict[str, Any]:
    """What answers, in each split: its members, each at its temperature, are averaged."""
    splits: dict[str, Any] = {}
    for split, model in exported.models.items():
        selection = model.selection
        if selection is None:
            splits[split] = {"members": {"probe": 1.0}}
            continue
        heat = {one.candidate: one.temperature for one in selection.ranking}
        chosen = exported.method == SELECTED
        names = selection.members if chosen else (exported.method,)
        splits[split] = {
            "members": {name: heat.get(name, 1.0) for name in names},
            **({"chosen": selection.chosen, "reason": selection.reason} if chosen else {}),
        }
    return {
        "name": exported.method,
        "what": "mean over splits of the mean over members, each at its temperature",
        "splits": splits,
    }
