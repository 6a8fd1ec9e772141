"""The image encoder of a run: weights by the names of its library, and how pictures reach it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from rdfc_core.errors import StudyError
from rdfc_core.export.card import (
    CARD_VERSION,
    Exported,
    network_made_by,
    preprocessing,
    provenance,
    write_json,
)
from rdfc_core.export.inputs import tried_cases
from rdfc_core.views.image_view import ImageTower, ImageView

WEIGHTS, CARD, EXAMPLE = "encoder.safetensors", "encoder.json", "example.npz"

USE = (
    "Build the network by network.call with network.arguments, load the weights, switch to "
    "evaluation, and give it (picture - mean) / deviation of preprocessing.normalisation, with "
    "pictures in [0, 1] of preprocessing.size, (N, C, H, W) or (N, C, Z, H, W)."
)


@dataclass(frozen=True)
class ExportedEncoder:
    """The pretrained network of a view, and pictures to try it on.

    Args:
        view: Fitted.
        tower: In evaluation mode.
        pictures: (N, C, …) in [0, 1], noise.
        features: (N, F), what the network gives for them, not normalised.
    """

    view: ImageView
    tower: ImageTower
    pictures: torch.Tensor
    features: torch.Tensor


def encoder_of(exported: Exported, name: str) -> ExportedEncoder:
    """The encoder of a view.

    Raises:
        StudyError: If there is no such view, its pretext trained no network of it, or it looks at
            no picture.
    """
    model = exported.first
    towers = model.pretext.encoders()
    pictured = [one for one, view in model.views.items() if isinstance(view, ImageView)]
    there = [one for one in pictured if one in towers]
    view, tower = model.views.get(name), towers.get(name)
    if not isinstance(view, ImageView) or not isinstance(tower, ImageTower):
        raise StudyError(
            f"--view {name}: the run has no trained image encoder of this name. It has: "
            f"{', '.join(there) or 'none'}."
        )
    tower.eval()
    tried = tried_cases({name: view}, [name], tower_dims(view))
    pictures = torch.from_numpy(tried.arrays[name])
    with torch.inference_mode():
        features = tower(pictures).float()
    return ExportedEncoder(view, tower, pictures.clone(), features.clone())


def tower_dims(view: ImageView) -> int:
    """Axes of the pictures that its network takes."""
    return int(view.encoder.spatial_dims)


def write_encoder(exported: Exported, folder: Path, name: str) -> list[Path]:
    """Write weights, card and example.

    Raises:
        StudyError: As `encoder_of`.
    """
    own = encoder_of(exported, name)
    weights, card, example = (folder / one for one in (WEIGHTS, CARD, EXAMPLE))
    save_file(state_of(own.tower.network), weights)
    np.savez(example, picture=own.pictures.numpy(), features=own.features.numpy())
    write_json(card, encoder_card(exported, own, name, weights))
    return [weights, card, example]


def state_of(network: nn.Module) -> dict[str, torch.Tensor]:
    """The network's numbers by name, each in memory of its own."""
    return {key: value.detach().cpu().clone() for key, value in network.state_dict().items()}


def encoder_card(
    exported: Exported, own: ExportedEncoder, name: str, weights: Path
) -> dict[str, Any]:
    """What ``encoder.json`` says."""
    return {
        "card": CARD_VERSION,
        "file": weights.name,
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "view": name,
        "network": network_made_by(own.view),
        "features": own.tower.out_features,
        "use": USE,
        "preprocessing": preprocessing(own.view),
        **provenance(exported),
    }
