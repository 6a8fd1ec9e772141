"""Options of the optimisers and schedules that core offers; reading them loads no torch."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class SGDConfig(BaseModel):
    """Options of the optimiser ``sgd``; by default those beside its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum.")
    nesterov: bool = Field(False, description="Nesterov's momentum.")
    weight_decay: float = Field(1e-4, ge=0, description="Weight decay.")


class AdamWConfig(BaseModel):
    """Options of the optimiser ``adamw``; by default those beside its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight_decay: float = Field(1e-4, ge=0, description="Weight decay.")


class StepConfig(BaseModel):
    """Options of the schedule ``step``; by default those beside its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lr_milestone: float = Field(
        0.7, gt=0, le=1, description="Share of the steps after which the rate is divided by 10."
    )
