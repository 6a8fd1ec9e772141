"""How the model that a run keeps for its user is chosen: by inner folds of the training cases."""

from __future__ import annotations

from pydantic import Field, field_validator

from rdfc_core.config.settings import Settings
from rdfc_core.results.vocabulary import Candidate


class SelectionSettings(Settings):
    """Which models are candidates, and how they are ranked."""

    enabled: bool = Field(
        False,
        description="Choose the model that is saved for rdfc predict, at every share of the "
        "labels, and judge that choice as the method selected; no test case is looked at. False: "
        "the linear probe is saved.",
    )
    candidates: tuple[Candidate, ...] | None = Field(
        None,
        min_length=1,
        description="The models to choose from: probe (on frozen features), radiomics-logistic, "
        "image-and-radiomics, columns-logistic, features-and-columns, radiomics (the SVM) and "
        "hybrid-finetune; of a regression radiomics-ridge and columns-ridge. Null: the logistic or "
        "ridge regressions, as far as the views allow, and the others that methods names.",
    )
    folds: int = Field(
        3,
        ge=2,
        description="Inner folds of the labelled training cases, by patient, on which candidates "
        "are ranked and calibrated: each is trained so many times more.",
    )
    ensemble: bool = Field(
        True, description="The average of the calibrated candidates is a candidate, too."
    )

    @field_validator("candidates")
    @classmethod
    def _no_repeats(cls, values: tuple[Candidate, ...] | None) -> tuple[Candidate, ...] | None:
        return None if values is None else tuple(dict.fromkeys(values))
