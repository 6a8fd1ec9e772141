"""Options of the view ``table``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator


class TableViewConfig(BaseModel):
    """Columns, and the network on them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    numbers: tuple[str, ...] = Field(
        default=(), description="Columns that hold numbers; an empty cell is a missing value."
    )
    categories: tuple[str, ...] = Field(
        default=(),
        description="Columns that hold words; an empty cell, and a word that no pretext case has, "
        "belong to no category.",
    )
    clip: float | None = Field(
        default=5.0,
        gt=0,
        description="Numbers further than so many standard deviations from the mean are moved "
        "there; null: none are.",
    )
    width: int = Field(default=32, ge=1, le=65_536, description="Units of each layer of the tower.")
    layers: int = Field(default=2, ge=1, le=64, description="Layers of the tower.")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="Dropout after each layer.")
    corruption: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Share of the columns that training takes from another case (Bahri et al. "
        "2022, SCARF).",
    )
    noise: float = Field(
        default=0.0,
        ge=0,
        description="Random noise on numbers in training, in standard deviations.",
    )

    @model_validator(mode="after")
    def _names_columns(self) -> TableViewConfig:
        if not (self.numbers or self.categories):
            raise ValueError("name at least one column under numbers or categories")
        return self
