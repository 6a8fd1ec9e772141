"""ResNets of half the width, which timm does not list: a quarter of the work on small pictures."""

from __future__ import annotations

from typing import Any

from timm.models import register_model
from timm.models.resnet import BasicBlock, ResNet
from torch import nn

from rdfc_core.errors import StudyError

CHANNELS = (32, 64, 128, 256)

LAYERS = {
    "resnet10_half": (1, 1, 1, 1),
    "resnet18_half": (2, 2, 2, 2),
    "resnet34_half": (3, 4, 6, 3),
}
"""Blocks of each stage."""


def made_elsewhere(name: str) -> tuple[str, dict[str, Any]] | None:
    """The call of timm alone that builds one of these networks, and its arguments."""
    if name not in LAYERS:
        return None
    arguments = {"layers": list(LAYERS[name]), "channels": list(CHANNELS)}
    return "timm.models.resnet.ResNet", {"block": "timm.models.resnet.BasicBlock", **arguments}


def _half(name: str, pretrained: bool, **arguments: Any) -> nn.Module:
    if pretrained:
        raise StudyError(
            f"There are no published weights of {name}: they are of the full width. Use "
            f"{name.removesuffix('_half')}, or leave out pretrained."
        )
    for name_of_timm in ("pretrained_cfg", "pretrained_cfg_overlay", "cache_dir"):
        arguments.pop(name_of_timm, None)
    # timm's annotation asks for a block where it takes the class of one.
    return ResNet(BasicBlock, layers=LAYERS[name], channels=CHANNELS, **arguments)  # type: ignore[arg-type]


@register_model
def resnet10_half(pretrained: bool = False, **arguments: Any) -> nn.Module:
    """Four blocks, 32 to 256 channels."""
    return _half("resnet10_half", pretrained, **arguments)


@register_model
def resnet18_half(pretrained: bool = False, **arguments: Any) -> nn.Module:
    """Eight blocks, 32 to 256 channels."""
    return _half("resnet18_half", pretrained, **arguments)


@register_model
def resnet34_half(pretrained: bool = False, **arguments: Any) -> nn.Module:
    """Sixteen blocks, 32 to 256 channels."""
    return _half("resnet34_half", pretrained, **arguments)
