"""PublishedStudy: what a paper did with a data set, and the numbers that it reports."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field


class PublishedRow(BaseModel):
    """One number of a paper, and the row of ours that stands beside it.

    ``input``, ``layer`` and ``classifier`` narrow the rows; without them, all of the method count.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str = Field(description="linear, supervised or label-efficiency.")
    method: str = Field(description="As tables call it: rdfc, simclr, hybrid-finetune, …")
    metric: str = Field(description="f1_weighted, accuracy, …")
    mean: float = Field(ge=0, le=1, description="The number, as a share.")
    sd: float | None = Field(None, ge=0, description="Standard deviation over folds.")
    label_fraction: float = Field(1.0, gt=0, le=1, description="Share of the labels.")
    input: str | None = None
    layer: str | None = None
    classifier: str | None = None


class PublishedStudy(BaseModel):
    """A paper's study on a data set: ``rdfc reproduce NAME --root DIR`` runs it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(description="Where it is published.")
    study: dict[str, Any] = Field(
        description="The study at the paper's settings, without the data set."
    )
    quick: dict[str, Any] = Field(
        description="KEY: value, as for --set: what makes it an hour's work on two cores."
    )
    rows: tuple[PublishedRow, ...] = Field(description="The published numbers.")

    @classmethod
    def read(cls, path: Traversable) -> PublishedStudy:
        """The study of a ``paper.yaml`` that a data set's plugin carries.

        Raises:
            ValidationError: If the file does not fit.
        """
        return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
