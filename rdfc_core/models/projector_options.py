"""Options of core's projectors; reading them loads no torch."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class MLPConfig(BaseModel):
    """Options of the projector ``mlp``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layers: int = Field(2, ge=1, le=8, description="Linear layers, the last included.")
    hidden: int | None = Field(
        None, ge=1, le=16384, description="Units of hidden layers; null: as many as features."
    )
    normalisation: Literal["batch", "layer", "none"] = Field(
        "batch", description="What follows each layer but the last, before the ReLU."
    )
