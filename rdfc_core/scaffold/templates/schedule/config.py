"""Options of the schedule; reading them loads nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class ExampleConfig(BaseModel):
    """Where the learning rate ends."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    end: float = Field(0.0, ge=0, le=1, description="Share of the peak that is left at the end.")
