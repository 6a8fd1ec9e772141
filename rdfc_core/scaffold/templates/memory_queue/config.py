"""Options of the queue; reading them loads nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class ExampleConfig(BaseModel):
    """How much the queue remembers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(1024, ge=2, description="Embeddings that are kept.")
