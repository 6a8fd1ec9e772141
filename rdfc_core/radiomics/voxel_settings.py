"""The settings of maps of features, which a parameter file has under ``voxelSetting``."""

from __future__ import annotations

import math
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator


class VoxelSettings(BaseModel):
    """How maps of features are made; the defaults are PyRadiomics' own."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kernel_radius: int = Field(
        1, gt=0, alias="kernelRadius", description="Voxels from a window's middle to its border."
    )
    masked_kernel: bool = Field(
        True, alias="maskedKernel", description="Windows end at the mask, and not at the image."
    )
    init_value: float = Field(
        0.0, alias="initValue", description="Value of a map outside the mask; may be nan."
    )
    voxel_batch: int | None = Field(
        None,
        gt=0,
        alias="voxelBatch",
        description="Voxels at once; changes no value, and limits no memory where none is needed.",
    )

    @field_validator("init_value", mode="before")
    @classmethod
    def _not_a_number(cls, value: Any) -> Any:
        """YAML writes .nan, which parameter files as PyRadiomics reads them have as a word."""
        if isinstance(value, str) and value.lower() in (".nan", "nan"):
            return math.nan
        return float(value) if type(value) is int else value

    @field_serializer("init_value")
    def _as_word(self, value: float) -> float | str:
        """JSON knows no NaN."""
        return "nan" if math.isnan(value) else value


VOXEL_SETTINGS = tuple(field.alias for field in VoxelSettings.model_fields.values() if field.alias)
"""Their names in parameter files."""
