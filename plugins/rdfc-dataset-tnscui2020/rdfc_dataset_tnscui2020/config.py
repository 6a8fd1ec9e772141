"""Options of the data set ``tn-scui2020``."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class TnScui2020Config(BaseModel):
    """Where the data set lies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    root: Path = Field(
        description="The folder with train.csv, image/ and mask/, or the folder around it."
    )
