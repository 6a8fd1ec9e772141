"""Options of the harmoniser ``combat``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ComBatConfig(BaseModel):
    """Which column names the batch, and what is done with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch: str = Field(
        min_length=1, description="The column that names the batch, such as scanner or site."
    )
    numbers: tuple[str, ...] = Field(
        (),
        description="Columns of numbers whose effect on the features is kept, such as age. Never "
        "the label.",
    )
    categories: tuple[str, ...] = Field(
        (), description="Columns of words whose effect on the features is kept, such as sex."
    )
    reference: str | None = Field(
        None,
        description="The batch that stays as it is, and that the others are brought to; null: all "
        "are brought to what they have in common.",
    )
    empirical_bayes: bool = Field(
        True,
        description="Draw each feature's location and scale in a batch towards those of the "
        "batch's other features, which steadies batches of few cases.",
    )
    mean_only: bool = Field(False, description="Correct the location alone, and not the scale.")
    min_cases: int = Field(
        3, ge=2, description="Pretext cases that a batch needs; one with fewer is refused."
    )
    new_sites: Literal["refuse", "pooled", "own"] = Field(
        "refuse",
        description="Cases of a batch that no pretext case has: refuse them; pooled leaves them as "
        "they are; own takes location and scale of the cases that are looked at together, without "
        "their labels: what is said of one then depends on the others.",
    )
    min_new_cases: int = Field(
        10, ge=2, description="Cases of a new batch that new_sites: own needs."
    )

    @model_validator(mode="after")
    def _each_once(self) -> ComBatConfig:
        named = (self.batch, *self.numbers, *self.categories)
        twice = next((name for name in named if named.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"the column {twice!r} is named twice; name it once")
        return self
