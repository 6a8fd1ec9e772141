"""Options of the metrics that core brings along. Loads nothing heavy."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class OfClassConfig(BaseModel):
    """Which class the metric is about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    positive: str | None = Field(
        None, description="The class that is looked for, such as malignant; it has to be named."
    )


class AtSensitivityConfig(OfClassConfig):
    """Which class is looked for, and how many of its cases have to be found."""

    sensitivity: float = Field(
        0.9, gt=0, le=1, description="Share of the positive cases that has to be found."
    )
