"""Options of the optimiser; reading them loads nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class ExampleConfig(BaseModel):
    """What a step follows, and how fast weights decay.

    ``weight_decay`` has the value that stands beside the optimiser's name in the study, unless it
    is given with the name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    momentum: float = Field(0.9, ge=0, lt=1, description="Share of old gradients in a step.")
    memory: float = Field(0.99, ge=0, lt=1, description="Share of old gradients that is kept.")
    weight_decay: float = Field(1e-4, ge=0, description="Weight decay.")
