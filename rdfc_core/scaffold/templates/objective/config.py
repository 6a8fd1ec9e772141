"""Options of the objective; reading them loads nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class ExampleConfig(BaseModel):
    """How far apart cases are pushed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    margin: float = Field(0.5, gt=0, le=2, description="Wanted difference of the two cosines.")
    negatives: int = Field(256, ge=1, description="Other cases drawn for each case.")
