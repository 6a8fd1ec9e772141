"""Options of the evaluators that core brings along. Loads nothing heavy."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Tables = Literal["features", "embeddings", "handcrafted", "columns"]


class TreesConfig(BaseModel):
    """What trees look at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: tuple[Tables, ...] = Field(
        ("handcrafted",),
        min_length=1,
        description="What they look at, side by side: handcrafted features, columns of the data "
        "set, features or embeddings of the pretext.",
    )

    @field_validator("inputs")
    @classmethod
    def _no_repeats(cls, values: tuple[Tables, ...]) -> tuple[Tables, ...]:
        return tuple(dict.fromkeys(values))


class BoostingConfig(TreesConfig):
    """Trees that mend each other's mistakes."""

    iterations: int = Field(100, ge=1, description="Trees a class.")
    learning_rate: float = Field(0.1, gt=0, description="Share of its correction each tree adds.")
    leaves: int = Field(15, ge=2, description="Most leaves of a tree.")
    min_leaf: int = Field(2, ge=1, description="Fewest labelled cases of a leaf.")
    l2: float = Field(1.0, ge=0, description="L2 penalty of the leaves' values.")


class ForestConfig(TreesConfig):
    """Trees on resamples, whose shares are averaged."""

    trees: int = Field(500, ge=1, description="How many.")
    min_leaf: int = Field(1, ge=1, description="Fewest labelled cases of a leaf.")
