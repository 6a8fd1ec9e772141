"""What results.json says of features that are kept, being stable."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class KeptFeatures(BaseModel):
    """How many features a view keeps on a split, and by which rule."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    split: str
    view: str
    kept: int
    measured: int
    cases: int
    stable: float
    stable_by: str = "low"
    stable_chain: str = ""
    stable_perturbations: int = 0
