"""Options of the reader ``dicom``; reading them loads no pydicom."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class DicomReaderConfig(BaseModel):
    """What is meant by files that could be read in several ways."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    segment: str | int | None = Field(
        None,
        description="Number or label of the segment of every SEG whose path names none; by default "
        "all segments, each with its number as the mask's value.",
    )
    roi: str | None = Field(
        None,
        min_length=1,
        description="Name of the region of every RTSTRUCT whose path names none, or a regular "
        "expression of the whole name; by default its only region.",
    )
    threshold: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Voxels of a fractional SEG with at least this share of its largest value "
        "count as inside.",
    )
    slice_spacing: Literal["refuse", "resample"] = Field(
        "refuse",
        description="What is done about a series with missing slices or different distances "
        "between them: refuse it, or interpolate it linearly at its usual distance and say so.",
    )
    contours: Literal["nearest", "drawn"] = Field(
        "nearest",
        description="What planes between the contours of an RTSTRUCT hold: the nearest contour "
        "(up to half the usual distance of contours away), or nothing.",
    )
    references: Literal["series", "frame", "any"] = Field(
        "series",
        description="What a SEG or RTSTRUCT has to have in common with its image: the series that "
        "it refers to (of an RTSTRUCT its frame of reference, with a warning), the frame of "
        "reference (the patient's coordinates), or nothing.",
    )
    burned_in: Literal["refuse", "allow"] = Field(
        "refuse",
        description="What is done about images whose header says that text is burnt into their "
        "pixels (BurnedInAnnotation): it may name the patient, and pixels reach store and report.",
    )
    max_voxels: int = Field(
        2**30,
        ge=1,
        description="Refuse images and masks whose header claims more voxels than this.",
    )
