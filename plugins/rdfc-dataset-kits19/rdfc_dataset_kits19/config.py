"""Options of the data set ``kits19``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Kits19Config(BaseModel):
    """Where the data set lies, and which of its cases are used how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    root: Path = Field(description="The folder around data/, or data/ itself, with kits.json.")
    component: Literal["largest", "all"] = Field(
        "largest",
        description="Only the largest connected component of the tumour, or all of it; the same "
        "for every view.",
    )
    seed: int = Field(0, ge=0, description="Draws the labelled clear cell cases.")
    allow_missing: bool = Field(
        False,
        description="Use the cases whose scans are there, instead of refusing an incomplete copy.",
    )
    leave_out_faulty: bool = Field(
        False,
        description="Leave out the cases with repeated slices or faulty masks (15, 25, 37, 61, "
        "117).",
    )
