"""Options of the projector; reading them loads nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class ExampleConfig(BaseModel):
    """How wide the network is between features and space."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    expansion: int = Field(2, ge=1, le=64, description="Hidden units for each feature.")
