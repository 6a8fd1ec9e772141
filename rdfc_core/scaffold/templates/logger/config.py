"""Options of the logger; reading them loads nothing heavy."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class ExampleConfig(BaseModel):
    """Where the table lies, and what stands in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path | None = Field(None, description="Where tables are kept; null: in the run folder.")
    metrics: tuple[str, ...] = Field(("loss",), description="Metrics that get a column.")
