"""What every group of a study's settings has in common."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict

FILE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
"""What names files: of a pretext that is compared, of a setting of fine-tuning."""


class Settings(BaseModel):
    """Frozen, and no option is taken that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")
