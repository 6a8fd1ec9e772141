"""The option that extractors of PyRadiomics' features share: what to measure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from rdfc_core.errors import StudyError
from rdfc_core.radiomics.parameters import (
    Parameters,
    bundled_sets,
    load_parameters,
    parse_parameters,
)

if TYPE_CHECKING:
    from rdfc_core.mask_grid import MaskGrid

AUTO = {2: "ultrasound", 3: "ct-3d"}
"""What ``auto`` stands for, by the number of axes."""


class RadiomicsConfig(BaseModel):
    """What to measure.

    A parameter file is read once, here, and its content takes the place of its path: the study
    that a run keeps can be repeated without the file, and from any folder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    parameters: str | dict[str, Any] = Field(
        "auto",
        description="A bundled set (ultrasound, ct, ct-3d), the path of a PyRadiomics parameter "
        "file, or its content; auto: ultrasound for pictures, ct-3d for volumes.",
    )

    @field_validator("parameters")
    @classmethod
    def _read(cls, value: str | dict[str, Any]) -> str | dict[str, Any]:
        if value in ("auto", *bundled_sets()):
            return value
        try:
            return _parameters(value).dump()
        except StudyError as error:
            raise ValueError(str(error).rstrip(".")) from error

    def by_ndim(self) -> dict[int, Parameters]:
        """The parameters for tumours with 2 and with 3 axes."""
        if self.parameters == "auto":
            return {ndim: load_parameters(name) for ndim, name in AUTO.items()}
        parameters = _parameters(self.parameters)
        return {2: parameters, 3: parameters}

    def mask_grid(self) -> MaskGrid | None:
        """What the parameters say of masks on another grid than their image, None if nothing."""
        from rdfc_core.mask_grid import MaskGrid  # here: naming the options loads no NumPy

        settings = self.by_ndim()[3].settings
        if settings.geometry_tolerance is None and not settings.correct_mask:
            return None
        return MaskGrid(settings.geometry_tolerance, settings.correct_mask)


def _parameters(value: str | dict[str, Any]) -> Parameters:
    if isinstance(value, str):
        return load_parameters(value)
    return parse_parameters(value, "this mapping")
