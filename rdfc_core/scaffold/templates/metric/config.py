"""Options of the metric; reading them loads nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class ExampleConfig(BaseModel):
    """How recall and precision are weighed against each other."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    positive: str = Field("malignant", description="The class that is looked for.")
    beta: float = Field(2.0, gt=0, description="How many times recall counts as much.")
