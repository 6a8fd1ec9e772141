"""Options of the view; reading them loads nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class ExampleConfig(BaseModel):
    """What the view holds, and its tower."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quantiles: int = Field(16, ge=2, description="Quantiles of the grey values, evenly spread.")
    width: int = Field(32, ge=1, description="Units of the tower's layers.")
    noise: float = Field(0.1, ge=0, description="Noise in training, in standard deviations.")
