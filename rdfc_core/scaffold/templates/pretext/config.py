"""Options of the pretext task; reading them loads nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class ExampleConfig(BaseModel):
    """The shared space and what is asked of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(32, ge=2, description="Dimensions of the shared space.")
    redundancy: float = Field(0.02, ge=0, description="Weight of the off-diagonal correlations.")
