"""What guards a single prediction: sets that hold the label, distance, chosen operating points."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from rdfc_core.config.settings import Settings


class ConformalSettings(Settings):
    """Conformal prediction sets, or intervals of predicted numbers."""

    enabled: bool = Field(
        True,
        description="Give every prediction a set of classes (of a regression: an interval) that "
        "holds the label as often as coverage says, calibrated on training cases that were held "
        "back by inner folds; no test case takes part.",
    )
    coverage: float = Field(
        0.9, gt=0.5, lt=1, description="How often the set is to hold the label, over patients."
    )
    by_class: bool | None = Field(
        None,
        description="Calibrate each class for itself, so that the coverage holds within each; "
        "null: where every class has patients enough, otherwise all classes together.",
    )


class OutOfDistributionSettings(Settings):
    """How far a case is from those that the model learnt from."""

    enabled: bool = Field(
        True,
        description="Tell how far each predicted case is from the training cases, in the features "
        "that the saved model stands on, and which labelled ones are nearest.",
    )
    quantile: float = Field(
        0.99,
        gt=0.5,
        lt=1,
        description="A case is flagged that lies further off than this share of the training "
        "cases do from those of other patients.",
    )
    neighbours: int = Field(
        5, ge=1, description="The distance is that to the so many nearest training case."
    )


class OperatingPointSettings(Settings):
    """A threshold of the probability of one of two classes, by what it is to reach."""

    sensitivity: float | None = Field(
        None, gt=0, lt=1, description="Of the positive cases, at least this share is found."
    )
    specificity: float | None = Field(
        None, gt=0, lt=1, description="Of the others, at least this share is left alone."
    )
    positive: str = Field(description="The class that is looked for.")

    @model_validator(mode="after")
    def _one_aim(self) -> OperatingPointSettings:
        if (self.sensitivity is None) == (self.specificity is None):
            raise ValueError(
                "an operating point has one aim: {sensitivity: 0.95, positive: CLASS} or "
                "{specificity: 0.95, positive: CLASS}"
            )
        return self

    @property
    def name(self) -> str:
        """``sensitivity_0.95``, for a column."""
        aim = "specificity" if self.sensitivity is None else "sensitivity"
        return f"{aim}_{self.sensitivity or self.specificity:g}"


def _apart(points: tuple[OperatingPointSettings, ...]) -> tuple[OperatingPointSettings, ...]:
    names = [one.name for one in points]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{twice[0]} stands twice, and names a column")
    return points


OperatingPoints = Annotated[
    tuple[OperatingPointSettings, ...],
    AfterValidator(_apart),
    Field(
        description="Thresholds for one of two classes, such as [{sensitivity: 0.95, positive: "
        "malignant}]: chosen on held-back training cases, saved with the model, and applied as "
        "chosen."
    ),
]
"""The option ``evaluate.operating_points``."""
