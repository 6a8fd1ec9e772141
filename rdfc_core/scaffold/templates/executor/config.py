"""Options of the executor; reading them loads nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class ExampleConfig(BaseModel):
    """How many jobs run at a time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threads: int = Field(2, ge=1, description="Jobs that run at a time.")
