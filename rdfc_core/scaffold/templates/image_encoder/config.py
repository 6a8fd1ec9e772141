"""Options of the encoder; reading them loads nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class ExampleConfig(BaseModel):
    """Size of the network."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(16, ge=1, description="Channels after the first stage; doubled by each.")
    stages: int = Field(3, ge=1, le=6, description="Stages, each halving the picture.")
