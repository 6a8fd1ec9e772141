"""The option that extractors of PyRadiomics' features share: what to measure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

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

    resample_masks: Literal["nearest", "linear"] | None = Field(
        None,
        description="Bring a mask with another grid than its image onto that grid, for all views: "
        "nearest, as correctMask of a parameter file does, or linear, the outline interpolated and "
        "cut at half. Null: as the parameters say; without a word such cases are refused.",
    )

    @field_validator("parameters")
    @classmethod
    def _read(cls, value: str | dict[str, Any]) -> str | dict[str, Any]:
        if value in ("auto", *bundled_sets()):
            return value
        try:
            return _parameters(value).dump_all()
        except StudyError as error:
            raise ValueError(str(error).rstrip(".")) from error

    def by_ndim(self) -> dict[int, Parameters]:
        """The parameters for tumours with 2 and with 3 axes."""
        if self.parameters == "auto":
            return {ndim: load_parameters(name) for ndim, name in AUTO.items()}
        parameters = _parameters(self.parameters)
        return {2: parameters, 3: parameters}

    def falls_back(self, ndim: int) -> bool:
        """Whether a B-spline gives way to linear interpolation where it cannot be used.

        For bundled sets alone: they have to measure whatever images there are, while a file of
        the user's own says what is wanted. What equals a bundled set is one, however it was given:
        equal content means equal values.
        """
        content = self.by_ndim()[ndim].dump()
        return any(load_parameters(name).dump() == content for name in bundled_sets())

    def mask_grid(self) -> MaskGrid | None:
        """What the parameters say of masks on another grid than their image, None if nothing."""
        from rdfc_core.mask_grid import MaskGrid  # here: naming the options loads no NumPy

        settings = self.by_ndim()[3].settings
        correct = settings.correct_mask or self.resample_masks is not None
        if settings.geometry_tolerance is None and not correct:
            return None
        return MaskGrid(settings.geometry_tolerance, correct, self.resample_masks == "linear")

    def of_masks(self) -> dict[str, str]:
        """What a recipe says of `resample_masks`: nothing where it is not set."""
        return {} if self.resample_masks is None else {"resample_masks": self.resample_masks}


def _parameters(value: str | dict[str, Any]) -> Parameters:
    if isinstance(value, str):
        return load_parameters(value)
    return parse_parameters(value, "this mapping")
