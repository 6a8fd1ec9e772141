"""Options of the reader; reading them loads nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class ExampleConfig(BaseModel):
    """Limits of what is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_voxels: int = Field(
        500_000_000, ge=1, description="Larger arrays are refused before they are read."
    )
