"""How query strategies are tried: labels are bought one batch after another."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from rdfc_core.config.settings import Settings


class QueryingSettings(Settings):
    """How many labels are bought, and how often it is tried."""

    labels: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (2, 5, 10, 20, 40, 70, 100),
        min_length=1,
        description="Numbers of labels at which the model is judged, counted by label_unit: each "
        "batch goes from one to the next. Those beyond the training cases are left out.",
    )
    repeats: int = Field(
        10, ge=1, description="How often labels are bought anew on each split, with other seeds."
    )

    @field_validator("labels")
    @classmethod
    def _in_order(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(values)))
