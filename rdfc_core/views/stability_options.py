"""Options by which a view keeps the features that perturbations of training cases hardly change."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, field_validator

from rdfc_core.errors import StudyError
from rdfc_core.radiomics.perturbation import in_order


class StabilityOptions(BaseModel):
    """What of a feature view has to do with stability."""

    stable: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Keep the features alone whose intraclass correlation under perturbation of "
        "training cases reaches this, in each split by itself; null: all.",
    )
    stable_by: Literal["low", "icc"] = Field(
        "low",
        description="What has to reach it: the lower end of the 95 % interval, or the estimate.",
    )
    stable_chain: str = Field(
        "NTVC",
        description="How image and mask are perturbed: N noise, R rotation, T translation, V "
        "volume, C contour.",
    )
    stable_perturbations: int = Field(
        10, ge=2, le=100, description="How often each case is perturbed."
    )
    stable_cases: int = Field(
        50,
        ge=3,
        description="Training cases that are perturbed, of as many patients, at most.",
    )

    @field_validator("stable_chain")
    @classmethod
    def _known_letters(cls, value: str) -> str:
        try:
            return in_order(value)
        except StudyError as error:
            raise ValueError(str(error).rstrip(".")) from error
