"""Options of the image encoder ``timm``; reading them loads neither timm nor torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator, model_validator

from rdfc_encoder_timm.starts import STARTS, StartName

OWN_OPTIONS = {
    "model_name": "is the option model",
    "in_chans": "is the number of channels of the view",
    "num_classes": "is 0: rdfc wants features and brings its own classifier",
    "pretrained": "is the option pretrained, beside arguments",
    "checkpoint_path": "is the option weights",
    "img_size": "is the option image_size",
    "drop_rate": "is the option drop_rate, beside arguments",
    "drop_path_rate": "is the option drop_path",
    "features_only": "would give maps instead of pooled features",
    "out_indices": "would give maps instead of pooled features",
    "pretrained_cfg": "is decided by model, pretrained and weights",
    "pretrained_cfg_overlay": "is decided by model, pretrained and weights",
}
"""What `TimmConfig.arguments` may not hold, and where it belongs."""


class TimmConfig(BaseModel):
    """Which network timm builds, and with which weights it starts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(
        "resnet50",
        min_length=1,
        description="Name of the network in timm, with or without a tag; or resnet10_half, "
        "resnet18_half, resnet34_half: half the channels, a quarter of the work.",
    )
    pretrained: bool = Field(
        False, description="Start from timm's published weights, which needs a network once."
    )
    weights: StartName | Path | None = Field(
        None,
        description="Start from this file (safetensors, or a state dict saved by torch), or from "
        "published weights by their name.",
        json_schema_extra={"values": {name: start.summary for name, start in STARTS.items()}},
    )
    normalise: Literal["centred", "published"] = Field(
        "centred",
        description="How pictures in [0, 1] reach the network: in [−1, 1], or by the mean and "
        "deviation that timm publishes with it, which its published weights were trained with.",
    )
    image_size: tuple[PositiveInt, PositiveInt] | None = Field(
        None,
        description="Height and width of the pictures, for networks made for one size (most ViTs).",
    )
    drop_rate: float | None = Field(
        None, ge=0, lt=1, description="Dropout of the pooled features; timm's default if unset."
    )
    drop_path: float | None = Field(
        None, ge=0, lt=1, description="Stochastic depth; timm's default if unset."
    )
    arguments: dict[str, Any] = Field(
        {}, description="More arguments of this network in timm, for example {global_pool: avg}."
    )

    @field_validator("arguments")
    @classmethod
    def _leaves_the_rest_to_rdfc(cls, arguments: dict[str, Any]) -> dict[str, Any]:
        for name, reason in OWN_OPTIONS.items():
            if name in arguments:
                raise ValueError(f"{name} {reason}; take it out of arguments")
        return arguments

    @model_validator(mode="after")
    def _starts_from_one_thing(self) -> TimmConfig:
        if self.pretrained and self.weights is not None:
            raise ValueError("pretrained and weights exclude each other; give one of them")
        return self

    @model_validator(mode="after")
    def _named_weights_fit_the_model(self) -> TimmConfig:
        start = STARTS.get(self.weights) if isinstance(self.weights, str) else None
        if start is not None and self.model.partition(".")[0] != start.model:
            raise ValueError(
                f"the weights {self.weights} are for model {start.model}, and model is "
                f"{self.model}; set model to {start.model}, or name other weights"
            )
        return self
