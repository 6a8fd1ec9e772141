"""Where the image encoder looks: Grad-CAM of the class that the linear probe predicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from rdfc_core.interfaces import Tower
from rdfc_core.models.linear_model import LinearModel

LEAST_CELLS = 4
"""Cells a side below which a map only says "somewhere"; an earlier layer then stands in."""
RIGHT, WRONG = 2, 2
"""Cases a class: the surest ones that are right, and that are wrong."""
MOST_CLASSES = 4


@dataclass(frozen=True)
class Layer:
    """A layer whose output still has places.

    Args:
        name: Of its group.
        module: The layer.
        cells: Its map's size: (h, w) or (z, h, w).
    """

    name: str
    module: nn.Module
    cells: tuple[int, ...]


class Probed(nn.Module):
    """A tower and the part of a linear probe that stands on it: (B, C, …) → (B, classes) scores.

    The scores lack the bias and what other views add: constants of a case, which no gradient by
    the picture sees.

    Args:
        tower: Of the picture view.
        weight: (classes, F), the probe's weights of the view's features of unit length.
    """

    def __init__(self, tower: Tower, weight: NDArray[np.float64]) -> None:
        super().__init__()
        self.tower = tower
        self.weight: Tensor
        self.register_buffer("weight", torch.from_numpy(weight).float())

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, C, …) → (B, classes)."""
        features = functional.normalize(self.tower(pictures).float())
        scores: Tensor = features @ self.weight.T
        return scores


def probed(tower: Tower, view: str, model: LinearModel, widths: Mapping[str, int]) -> Probed:
    """The tower of a view below the probe's weights for it.

    Args:
        tower: Of the view.
        view: Its name, one of the probe's.
        model: The probe.
        widths: View name → F, of all of the probe's views.
    """
    start = 0
    for name in model.views:
        if name == view:
            break
        start += widths[name]
    return Probed(tower, model.weight[:, start : start + widths[view]])


def spatial_layer(tower: Tower, picture: Tensor) -> Layer | None:
    """The last layer group whose output is a map of at least `LEAST_CELLS` cells a side.

    Where every map is smaller, the last one with more than one cell; None for networks whose groups
    give no maps, such as a vision transformer's.

    Args:
        tower: Of a picture view.
        picture: (1, C, …), one of its pictures.
    """
    seen: list[Layer] = []
    names = {module: name for name, members in tower.layer_groups().items() for module in members}

    def keep(module: nn.Module, given: object, output: object) -> None:
        if isinstance(output, Tensor) and output.ndim == picture.ndim:
            cells = tuple(int(n) for n in output.shape[2:])
            if max(cells) > 1:
                seen.append(Layer(names[module], module, cells))

    hooks = [module.register_forward_hook(keep) for module in names]
    try:
        with torch.no_grad():
            tower(picture)
    finally:
        for hook in hooks:
            hook.remove()
    fine = [layer for layer in seen if min(layer.cells[-2:]) >= LEAST_CELLS]
    return (fine or seen or [None])[-1]  # type: ignore[list-item]


def grad_cam(
    network: nn.Module, layer: nn.Module, pictures: Tensor, targets: Sequence[int]
) -> NDArray[np.float32]:
    """Grad-CAM of one class a picture, at the pictures' size.

    Args:
        network: (N, C, …) → (N, classes) scores; in evaluation mode.
        layer: One of its layers, with maps as output.
        pictures: (N, C, H, W) or (N, C, Z, H, W).
        targets: N class indices.

    Returns:
        (N, H, W) or (N, Z, H, W), at least 0, each scaled to a maximum of 1; all 0 where nothing
        speaks for the class.

    Source: Selvaraju et al. 2017, by captum's ``LayerGradCam``.
    """
    # Loaded here: it takes seconds, and nothing else of rdfc needs it.
    from captum.attr import LayerGradCam

    with torch.enable_grad():
        maps = LayerGradCam(network, layer).attribute(
            pictures, target=list(targets), relu_attributions=True
        )
    mode = "bilinear" if pictures.ndim == 4 else "trilinear"
    size = pictures.shape[2:]
    full = functional.interpolate(maps.detach().float(), size, mode=mode, align_corners=False)
    heat = full[:, 0].cpu().numpy().astype(np.float32)
    most = heat.reshape(len(heat), -1).max(axis=1).reshape(-1, *[1] * (heat.ndim - 1))
    return np.asarray(np.divide(heat, most, out=np.zeros_like(heat), where=most > 0))


def telling_cases(truth: NDArray[np.int64], probabilities: NDArray[np.float64]) -> list[int]:
    """Places of a few cases of each class: the surest right ones, then the surest wrong ones.

    Args:
        truth: (N,) class indices.
        probabilities: (N, C).
    """
    predicted, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    order = np.argsort(-sure, kind="stable")
    chosen: list[int] = []
    for label in np.unique(truth)[:MOST_CLASSES]:
        for right, most in ((True, RIGHT), (False, WRONG)):
            fits = (truth == label) & ((predicted == truth) == right)
            chosen += [int(place) for place in order if fits[place]][:most]
    return chosen
