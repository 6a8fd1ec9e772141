"""Options of the data set ``manifest``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rdfc_core.data.cells import plain_number, tidy


class ManifestConfig(BaseModel):
    """Where the list is, and what its columns mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    root: Path | None = Field(
        None,
        description="A folder that holds manifest.csv, or a CSV file. With csv: the folder from "
        "which relative paths start.",
    )
    csv: Path | None = Field(None, description="The CSV file, where it is not root's manifest.csv.")
    label_column: str | None = Field(
        None, min_length=1, description="Column that holds the class; by default label."
    )
    patient_column: str | None = Field(
        None,
        min_length=1,
        description="Column that names the patient; by default patient_id, patient or their like. "
        "The column of the case ids: each case is a patient of its own.",
    )
    classes: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="All classes in order, of two the second is the positive one; by default the "
        "labels found, sorted. Cases with another label then count as unlabelled.",
    )
    mask_value: int | None = Field(
        None,
        description="Value that marks the tumour in all masks whose row names none; by default "
        "every value but 0.",
    )
    component: Literal["all", "largest"] = Field(
        "all",
        description="All of the mask, or only its largest connected component, for rows whose "
        "column component says nothing (all, largest, or n: the n-th largest).",
    )
    columns: tuple[str, ...] = Field(
        (),
        description="Columns that views may ask for, such as [age, sex]; never the label. Cells "
        "without a value stay empty, numbers are written one way.",
    )
    main_image: str | None = Field(
        None,
        min_length=1,
        description="Of several images (columns image.NAME): the one that views measure which "
        "name none.",
    )
    split_column: str | None = Field(
        None,
        min_length=1,
        description="Column that says train, test or pretext for each case; without it, cases are "
        "held out at random.",
    )

    @field_validator("classes", mode="before")
    @classmethod
    def _labels_are_text(cls, classes: object) -> object:
        if isinstance(classes, list | tuple):  # in YAML, 0 and 1 are numbers
            if any(isinstance(label, bool) for label in classes):
                raise ValueError("put yes, no, true and false in quotes: YAML reads them as logic")
            return tuple(
                plain_number(tidy(str(label))) if isinstance(label, int | float | str) else label
                for label in classes
            )
        return classes

    @field_validator("classes")
    @classmethod
    def _each_class_once(cls, classes: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if classes and len(set(classes)) < len(classes):
            raise ValueError("name each class once")
        return classes

    @model_validator(mode="after")
    def _lies_somewhere(self) -> ManifestConfig:
        if self.root is None and self.csv is None:
            raise ValueError("name root, the folder that holds manifest.csv, or csv, the file")
        return self
