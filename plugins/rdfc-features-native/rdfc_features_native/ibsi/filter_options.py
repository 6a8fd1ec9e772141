"""Options of the filters of the IBSI's second chapter. Light: listing and completion load this."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rdfc_core.radiomics.vocabulary import WAVELETS, suggestion

Length = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
KERNEL = re.compile(r"L3|L5|E3|E5|S3|S5|W5|R5")


class FilterOptions(BaseModel):
    """What filters have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dimensions: Literal[2, 3] = Field(3, description="In slices (the only way of pictures) or 3D.")
    boundary: Literal["zero", "nearest", "periodic", "mirror"] = Field(
        "mirror", description="What lies outside the image."
    )

    @property
    def image_name(self) -> str:
        """Of the filtered image, as features name it."""
        options = self.model_dump(exclude={"kind"}, exclude_defaults=True)
        told = (f"{key}-{value}" for key, value in options.items())
        name = "-".join([self.model_dump()["kind"], *told])
        return re.sub(r"[^\w.-]+", "-", name).replace("_", "-").replace(".", "-")


class TurnedOptions(FilterOptions):
    """Of filters that can be made invariant to rotations."""

    pooling: Literal["max", "average"] | None = Field(
        None, description="Of the responses in all rotations; null: one rotation."
    )


class MeanFilter(FilterOptions):
    """The mean of a neighbourhood."""

    kind: Literal["mean"]
    support: int = Field(ge=1, le=199, description="Voxels a side, an odd number.")

    @field_validator("support")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("a support is an odd number of voxels")
        return value


class LogFilter(FilterOptions):
    """The Laplacian of a Gaussian."""

    kind: Literal["log"]
    sigma_mm: Length = Field(description="Of the Gaussian, in mm.")
    cutoff: float = Field(4.0, gt=0, le=10, description="Where the kernel ends, in sigmas.")


class LawsFilter(TurnedOptions):
    """Laws' kernels, and the energy of their response."""

    kind: Literal["laws"]
    kernels: str = Field(description="One along x, y (and z), such as L5E5S5.")
    energy_reach: int | None = Field(
        None,
        ge=1,
        le=99,
        description="Mean absolute response within so many voxels; null: the response itself.",
    )

    @model_validator(mode="after")
    def _one_an_axis(self) -> LawsFilter:
        found = KERNEL.findall(self.kernels)
        if "".join(found) != self.kernels or len(found) != self.dimensions:
            raise ValueError(
                f"kernels is {self.kernels!r} and names one of L3, L5, E3, E5, S3, S5, W5, R5 for "
                f"each of {self.dimensions} axes"
            )
        return self


class GaborFilter(FilterOptions):
    """The modulus of a Gabor filter's response in a plane."""

    kind: Literal["gabor"]
    sigma_mm: Length = Field(description="Of the Gaussian, in mm.")
    wavelength_mm: Length = Field(description="Of the wave, in mm.")
    gamma: float = Field(
        1.0, ge=0.05, le=20, description="How much narrower the Gaussian is across the wave."
    )
    theta_degrees: float = Field(
        0.0, ge=0, lt=360, description="Direction of the wave in axial slices, clockwise."
    )
    directions: int = Field(
        1,
        ge=1,
        le=64,
        description="Directions around the circle whose responses are averaged, from "
        "theta_degrees on.",
    )
    dimensions: Literal[2, 3] = Field(
        2, description="In axial slices, or the average over the three orthogonal planes."
    )


class WaveletFilter(TurnedOptions):
    """A separable wavelet, undecimated."""

    kind: Literal["wavelet"]
    wavelet: str = Field(description="Discrete wavelet, by PyWavelets' name.")
    bands: str = Field(description="L (low) or H (high) along x, y (and z), such as LHL.")
    level: int = Field(1, ge=1, le=5, description="Level of decomposition.")

    @field_validator("wavelet")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in WAVELETS:
            raise ValueError(f"there is no such discrete wavelet. {suggestion(name, WAVELETS)}")
        return name

    @model_validator(mode="after")
    def _one_an_axis(self) -> WaveletFilter:
        if set(self.bands) - {"L", "H"} or len(self.bands) != self.dimensions:
            raise ValueError(f"bands has an L or an H for each of {self.dimensions} axes")
        return self


class SimoncelliFilter(FilterOptions):
    """The band-pass of Simoncelli's non-separable wavelet."""

    kind: Literal["simoncelli"]
    level: int = Field(1, ge=1, le=8, description="Level of decomposition.")
    boundary: Literal["periodic"] = Field(
        "periodic", description="It is applied in the Fourier domain."
    )


Filter = Annotated[
    MeanFilter | LogFilter | LawsFilter | GaborFilter | WaveletFilter | SimoncelliFilter,
    Field(discriminator="kind"),
]


def refuse_equal_names(filters: tuple[Any, ...]) -> None:
    """No filter stands twice.

    Raises:
        ValueError: If one does.
    """
    names = [one.image_name for one in filters]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the filter {name} stands twice")
