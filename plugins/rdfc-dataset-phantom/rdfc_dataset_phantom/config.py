"""Options of the data set ``phantom``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Kind = Literal["mixed", "texture"]
Label = Literal["class", "number"]

DEFAULT_SIZE: dict[tuple[Kind, int], tuple[int, ...]] = {
    ("mixed", 2): (128, 160),
    ("mixed", 3): (24, 64, 64),
    ("texture", 2): (96, 96),
    ("texture", 3): (48, 64, 64),
}


class PhantomConfig(BaseModel):
    """How many tumours, of what kind, and how hard they are to tell apart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = Field(
        "mixed",
        description="mixed: the class shows in outline and texture; texture: in an interaction of "
        "grain and skew of the echoes alone.",
    )
    label: Label = Field(
        "class",
        description="number: the label is the grain of the echoes in mm, for task: regression "
        "(kind texture); size, outline and brightness do not tell it.",
    )
    cases: int = Field(300, ge=2, le=1_000_000, description="Number of tumours.")
    labelled: (
        Annotated[int, Field(strict=True, ge=0)] | Annotated[float, Field(strict=True, ge=0, le=1)]
    ) = Field(0.4, description="Tumours with a label: a number of them, or a share such as 0.4.")
    dimensions: Literal[2, 3] = Field(
        2,
        description="2 for ultrasound-like pictures, 3 for volumes: CT-like, or ultrasound-like "
        "where kind is texture.",
    )
    image_size: tuple[Annotated[int, Field(ge=16, le=2048)], ...] | None = Field(
        None,
        description="(H, W) or (Z, Y, X) in samples; by default 128 x 160 or 24 x 64 x 64, and for "
        "kind texture 96 x 96 or 48 x 64 x 64.",
    )
    classes: int = Field(
        2,
        ge=2,
        le=4,
        description="Number of classes: benign and malignant, or grades (types, if kind is "
        "texture) 1 to 3 or 4.",
    )
    tumours_per_patient: int = Field(
        1,
        ge=1,
        le=20,
        description="Tumours of one patient, who is seen with one setting of the scanner.",
    )
    difficulty: float = Field(
        0.5, ge=0, le=1, description="0: classes are easy to tell apart; 1: they do not differ."
    )
    seed: int = Field(0, ge=0, description="Another seed gives other tumours.")

    @model_validator(mode="after")
    def _fits(self) -> PhantomConfig:
        if self.image_size is not None and len(self.image_size) != self.dimensions:
            raise ValueError(
                f"image_size has {len(self.image_size)} numbers, and dimensions is "
                f"{self.dimensions}"
            )
        if self.label == "number" and self.kind != "texture":
            raise ValueError(f"label is number, which kind {self.kind} has not; use kind: texture")
        if self.label == "number" and self.classes != 2:
            raise ValueError(f"label is number, so that there are no {self.classes} classes")
        if isinstance(self.labelled, int) and self.labelled > self.cases:
            raise ValueError(f"labelled is {self.labelled}, and there are {self.cases} cases")
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of every image."""
        return self.image_size or DEFAULT_SIZE[self.kind, self.dimensions]

    @property
    def labelled_cases(self) -> int:
        """How many cases have a label."""
        if isinstance(self.labelled, int):
            return self.labelled
        return round(self.labelled * self.cases)
