"""Options of the memory; reading them loads nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class ExampleConfig(BaseModel):
    """How slowly the memory changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    momentum: float = Field(0.5, ge=0, lt=1, description="Weight of the old embedding.")
