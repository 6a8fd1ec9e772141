"""Options of the image encoder ``monai``; reading them loads neither MONAI nor torch."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Network = Literal[
    "resnet10",
    "resnet18",
    "resnet34",
    "resnet50",
    "densenet121",
    "densenet169",
    "densenet201",
    "swin-unetr",
]


class MonaiConfig(BaseModel):
    """Which network MONAI builds, and from which weights it starts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Network = Field("resnet10", description="The network, by its name in MONAI.")
    width: float = Field(
        1.0, gt=0, le=4, description="Channels of a ResNet as a share of the published ones."
    )
    stem_stride: tuple[int, int, int] = Field(
        (1, 2, 2),
        description="Stride of a ResNet's first layer along planes, rows and columns; few thick "
        "planes are not made fewer at once. MedicalNet has [2, 2, 2].",
    )
    stem_pool: bool = Field(True, description="Whether a ResNet pools after its first layer.")
    shortcut: Literal["A", "B"] = Field(
        "B", description="Shortcuts of a ResNet: A pads with zeros, as MedicalNet's small ones do."
    )
    feature_size: Literal[12, 24, 36, 48] = Field(
        24, description="Channels of SwinUNETR's first stage; published weights have 48."
    )
    weights: Path | None = Field(
        None,
        description="Start from this file: safetensors, or a state dict saved by torch, which is "
        "read without running code from it.",
    )
    rename: dict[str, str] = Field(
        {},
        description="Names in the file → names in the network, as regular expressions, for weights "
        "that were saved from other code; an empty name leaves the tensor out.",
    )
    partial: bool = Field(
        False,
        description="Take what fits of the weights, and say what does not; false: all of it has "
        "to fit but a classifier.",
    )

    @field_validator("rename")
    @classmethod
    def _are_expressions(cls, rename: dict[str, str]) -> dict[str, str]:
        for pattern in rename:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression ({error})") from error
        return rename

    @field_validator("stem_stride")
    @classmethod
    def _are_strides(cls, strides: tuple[int, int, int]) -> tuple[int, int, int]:
        if not all(1 <= one <= 4 for one in strides):
            raise ValueError("strides are from 1 to 4")
        return strides
