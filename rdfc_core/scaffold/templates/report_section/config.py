"""Options of the section; reading them loads nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class ExampleConfig(BaseModel):
    """What the section ranks methods by; sections are built with the defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str = Field("auroc", description="Metric by which methods are ranked.")
