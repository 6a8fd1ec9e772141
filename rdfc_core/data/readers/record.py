"""Which reader read the cases of a run: recorded with the run and with its model."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class ReaderRecord(BaseModel):
    """One reader.

    Args:
        identity: Its class and version: a new one means that files are read differently.
        distribution: That it came from; "" for a reader of the data set itself.
        version: Of the distribution.
        options: All of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    identity: str
    distribution: str = ""
    version: str = ""
    options: dict[str, Any] = {}
