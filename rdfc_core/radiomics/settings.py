"""The settings of a PyRadiomics extraction, typed and bounded."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
)

from rdfc_core.radiomics.vocabulary import INTERPOLATORS, WAVELETS, suggestion


def _interpolator(value: Any) -> Any:
    return INTERPOLATORS.get(value, value) if type(value) is int else value


def _wavelet(name: str) -> str:
    if name not in WAVELETS:
        raise ValueError(f"there is no such discrete wavelet. {suggestion(name, WAVELETS)}")
    return name


def _sigma_mm(value: Any) -> int | float:
    # 1 and 1.0 stay apart: PyRadiomics writes the number into the features' names.
    if type(value) not in (int, float) or not 0 < value < math.inf:
        raise ValueError("a sigma must be a number of mm above 0")
    return value  # type: ignore[no-any-return]


Interpolator = Literal[
    "sitkNearestNeighbor",
    "sitkLinear",
    "sitkBSpline",
    "sitkGaussian",
    "sitkLabelGaussian",
    "sitkHammingWindowedSinc",
    "sitkCosineWindowedSinc",
    "sitkWelchWindowedSinc",
    "sitkLanczosWindowedSinc",
    "sitkBlackmanWindowedSinc",
]
NonNegative = Annotated[float, Field(ge=0)]
Distance = Annotated[int, Field(gt=0)]
SigmaMm = Annotated[int | float, PlainValidator(_sigma_mm)]


class RadiomicsSettings(BaseModel):
    """The settings of an extraction; the defaults are PyRadiomics' own.

    Fields are named as everywhere in rdfc (``bin_width``), their aliases as in parameter files
    (``binWidth``). Spacings follow SimpleITK's axes (x, y[, z]), ``force_2d_dimension`` the
    array's (z, y, x).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    # Image and mask, before anything is measured
    normalize: bool = Field(False, description="Scale the image to mean 0 and deviation 1 first.")
    normalize_scale: float = Field(
        1.0, gt=0, alias="normalizeScale", description="Deviation after normalisation."
    )
    remove_outliers: float | None = Field(
        None, gt=0, alias="removeOutliers", description="Clip at so many deviations from the mean."
    )
    resampled_spacing_mm: tuple[NonNegative, ...] | None = Field(
        None,
        alias="resampledPixelSpacing",
        strict=False,
        description="Spacing (x, y[, z]) in mm to resample to; 0 keeps an axis as it is.",
    )
    interpolator: Annotated[Interpolator | None, BeforeValidator(_interpolator)] = Field(
        "sitkBSpline", description="How the image is resampled; null: not at all."
    )
    pad_distance: int = Field(
        5, ge=0, alias="padDistance", description="Voxels kept around the mask when resampling."
    )
    pre_crop: bool = Field(
        False, alias="preCrop", description="Crop to mask and pad_distance before filtering."
    )
    resegment_range: tuple[float, ...] | None = Field(
        None,
        min_length=1,
        max_length=2,
        alias="resegmentRange",
        strict=False,
        description="Keep only voxels from the lower (to the upper) threshold in the mask.",
    )
    resegment_mode: Literal["absolute", "relative", "sigma"] = Field(
        "absolute",
        alias="resegmentMode",
        description="Thresholds as grey values, parts of the maximum, or deviations.",
    )
    resegment_shape: bool = Field(
        False, alias="resegmentShape", description="Measure the shape of the resegmented mask."
    )
    minimum_roi_dimensions: int = Field(
        2, ge=1, le=3, alias="minimumROIDimensions", description="Axes the mask must extend over."
    )
    minimum_roi_size: int | None = Field(
        None, gt=0, alias="minimumROISize", description="The mask must have more voxels than this."
    )
    geometry_tolerance: float | None = Field(
        None,
        gt=0,
        alias="geometryTolerance",
        description="How far image and mask grids may differ.",
    )
    correct_mask: bool = Field(
        False, alias="correctMask", description="Resample the mask onto the image's grid."
    )
    label: int = Field(1, gt=0, description="Value of the mask that marks the tumour.")
    label_channel: int = Field(0, ge=0, description="Channel of a mask that has several.")
    additional_info: bool = Field(
        True, alias="additionalInfo", description="Report versions and image properties too."
    )

    # Two dimensions
    force_2d: bool = Field(False, alias="force2D", description="Measure slice by slice.")
    force_2d_dimension: int | None = Field(
        None,
        ge=0,
        le=2,
        alias="force2Ddimension",
        description="Array axis across the slices, as stored; null: the axis of axial slices.",
    )

    # Discretisation and texture matrices
    bin_width: float = Field(25.0, gt=0, alias="binWidth", description="Grey values a bin.")
    bin_count: int | None = Field(
        None, gt=0, alias="binCount", description="Number of bins, in place of a bin width."
    )
    voxel_array_shift: int = Field(
        0, alias="voxelArrayShift", description="Added to grey values for Energy and RMS."
    )
    distances: tuple[Distance, ...] = Field(
        (1,), min_length=1, strict=False, description="Distances between neighbours, in voxels."
    )
    symmetrical_glcm: bool = Field(
        True, alias="symmetricalGLCM", description="Count each pair of voxels both ways."
    )
    weighting_norm: Literal["euclidean", "manhattan", "infinity", "no_weighting"] | None = Field(
        None, alias="weightingNorm", description="Weigh directions by length; null: average them."
    )
    gldm_a: int = Field(0, ge=0, description="Largest difference of levels that are dependent.")

    # Filters
    sigma_mm: tuple[SigmaMm, ...] = Field(
        (), alias="sigma", strict=False, description="Widths of the Laplacian of Gaussian, in mm."
    )
    wavelet: Annotated[str, AfterValidator(_wavelet)] = Field(
        "coif1", description="Discrete wavelet, by PyWavelets' name."
    )
    start_level: int = Field(0, ge=0, description="Wavelet levels to pass over.")
    level: int = Field(1, gt=0, description="Wavelet levels to measure.")
    gradient_use_spacing: bool = Field(
        True, alias="gradientUseSpacing", description="Gradient a mm rather than a voxel."
    )
    lbp_2d_radius: float = Field(1.0, gt=0, alias="lbp2DRadius", description="In voxels.")
    lbp_2d_samples: int = Field(
        8, ge=1, alias="lbp2DSamples", description="Neighbours on the circle."
    )
    lbp_2d_method: Literal["default", "ror", "uniform", "var"] = Field(
        "uniform", alias="lbp2DMethod", description="Kind of local binary pattern."
    )
    lbp_3d_levels: int = Field(
        2, ge=1, alias="lbp3DLevels", description="Levels of spherical harmonics."
    )
    lbp_3d_icosphere_radius: float = Field(
        1.0, gt=0, alias="lbp3DIcosphereRadius", description="In voxels."
    )
    lbp_3d_icosphere_subdivision: int = Field(
        1, ge=0, alias="lbp3DIcosphereSubdivision", description="Fineness of the sphere."
    )

    def overridden(self, by: RadiomicsSettings) -> RadiomicsSettings:
        """These settings with those that the other one states."""
        return self.model_copy(update={key: getattr(by, key) for key in by.model_fields_set})


WHOLE_IMAGE = frozenset(
    {
        *("normalize", "normalize_scale", "remove_outliers", "resampled_spacing_mm"),
        *("interpolator", "pad_distance", "pre_crop", "resegment_range", "resegment_mode"),
        *("resegment_shape", "minimum_roi_dimensions", "minimum_roi_size", "geometry_tolerance"),
        *("correct_mask", "label", "label_channel", "additional_info"),
    }
)
"""Settings of what is done to image and mask before the filters: no filter can override them."""
