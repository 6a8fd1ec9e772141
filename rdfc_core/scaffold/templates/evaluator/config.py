"""Options of the evaluator; reading them loads nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class ExampleConfig(BaseModel):
    """How sure the nearest mean makes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float = Field(0.1, gt=0, description="Temperature of the softmax over cosines.")
