"""Options of the extractor; reading them loads nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class ExampleConfig(BaseModel):
    """What is measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bins: int = Field(32, ge=2, description="Bins of the histogram behind the entropy.")
