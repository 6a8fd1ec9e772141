"""MONAI's networks without their classifiers, (B, C, Z, H, W) → (B, F)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import monai
from monai.networks import nets
from monai.networks.nets.swin_unetr import SwinUNETR
from torch import Tensor, nn

from rdfc_encoder_monai.config import MonaiConfig

SWIN_STRIDE = 32
"""Sides that SwinUNETR takes are multiples of this: a patch of 2 and four halvings."""


@dataclass(frozen=True)
class Sides:
    """What a network takes of a volume.

    Args:
        least: Smallest number of planes, rows and columns.
        multiple: Each is a multiple of this.
    """

    least: tuple[int, int, int] = (1, 1, 1)
    multiple: int = 1

    def fit(self, size: Sequence[int]) -> tuple[int, ...]:
        """The smallest size that the network takes and that is not below the given one."""
        return tuple(
            -(-max(side, low) // self.multiple) * self.multiple
            for side, low in zip(size, self.least, strict=True)
        )


def build(config: MonaiConfig, channels: int) -> tuple[nn.Module, Sides]:
    """A network with fresh weights, and the volumes that it takes."""
    if config.model == "swin-unetr":
        return SwinFeatures(channels, config.feature_size), Sides((32, 32, 32), SWIN_STRIDE)
    if config.model.startswith("densenet"):
        shape = _densenet_arguments(channels)
        return DenseFeatures(getattr(nets, config.model)(**shape)), Sides((32, 32, 32))
    network: nn.Module = getattr(nets, config.model)(**_resnet_arguments(config, channels))
    return network, Sides()


def made_elsewhere(config: MonaiConfig, channels: int) -> dict[str, Any]:
    """The call of MONAI whose network has these parameters by the same names.

    Only that of a ResNet gives these features; what follows the others is told under ``then``.
    """
    library, nets_of = f"monai {monai.__version__}", "monai.networks.nets"
    if config.model == "swin-unetr":
        shape = {"in_channels": channels, "out_channels": 1, "feature_size": config.feature_size}
        call, then = f"{nets_of}.SwinUNETR", "swinViT(volumes)[-1], averaged over all places"
    elif config.model.startswith("densenet"):
        shape = _densenet_arguments(channels)
        call, then = f"{nets_of}.{config.model}", "features(volumes), ReLU, averaged over places"
    else:
        call, arguments = f"{nets_of}.{config.model}", _resnet_arguments(config, channels)
        return {"library": library, "call": call, "arguments": arguments}
    return {"library": library, "call": call, "arguments": shape, "then": then}


def _densenet_arguments(channels: int) -> dict[str, Any]:
    return {"spatial_dims": 3, "in_channels": channels, "out_channels": 1}


def _resnet_arguments(config: MonaiConfig, channels: int) -> dict[str, Any]:
    return {
        "spatial_dims": 3,
        "n_input_channels": channels,
        "feed_forward": False,
        "widen_factor": config.width,
        "conv1_t_stride": config.stem_stride,
        "no_max_pool": not config.stem_pool,
        "shortcut_type": config.shortcut,
        "bias_downsample": False,
    }


class DenseFeatures(nn.Module):
    """A DenseNet up to the pooled features; its names are those of MONAI."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.features: nn.Module = network.get_submodule("features")
        self.pool = nn.Sequential(nn.ReLU(inplace=True), nn.AdaptiveAvgPool3d(1), nn.Flatten())

    def forward(self, volumes: Tensor) -> Tensor:
        """(B, C, Z, H, W) → (B, F)."""
        features: Tensor = self.pool(self.features(volumes))
        return features


class SwinFeatures(nn.Module):
    """The transformer of SwinUNETR, its last stage averaged; names are those of its files."""

    def __init__(self, channels: int, feature_size: int) -> None:
        super().__init__()
        whole = SwinUNETR(in_channels=channels, out_channels=1, feature_size=feature_size)
        self.swinViT = whole.swinViT

    def forward(self, volumes: Tensor) -> Tensor:
        """(B, C, Z, H, W) → (B, F)."""
        deepest: Tensor = self.swinViT(volumes)[-1]
        return deepest.mean(dim=(2, 3, 4))


def layer_groups(network: nn.Module) -> Mapping[str, Sequence[nn.Module]]:
    """Named groups from input to output: ``stem``, then each stage."""
    if isinstance(network, SwinFeatures):
        stages = {"stem": [network.swinViT.patch_embed]}
        return stages | {f"layer{n}": [getattr(network.swinViT, f"layers{n}")] for n in range(1, 5)}
    if isinstance(network, DenseFeatures):
        parts = dict(network.features.named_children())
        groups: dict[str, list[nn.Module]] = {"stem": []}
        for name, part in parts.items():
            if name.startswith("denseblock"):
                groups[name] = []
            groups[list(groups)[-1]].append(part)
        return groups
    parts = dict(network.named_children())
    stem = [part for name, part in parts.items() if name in ("conv1", "bn1")]
    return {"stem": stem} | {n: [p] for n, p in parts.items() if n.startswith("layer")}
