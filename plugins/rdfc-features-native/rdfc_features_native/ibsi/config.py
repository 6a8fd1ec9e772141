"""Options of the extractor ``ibsi``. Light: listing and completion load this."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rdfc_features_native.ibsi.filter_options import Filter, refuse_equal_names

Aggregation = Literal[
    "2d_averaged",
    "2d_slice_merged",
    "2.5d_direction_merged",
    "2.5d_merged",
    "3d_averaged",
    "3d_merged",
]
AGGREGATIONS: tuple[Aggregation, ...] = get_args(Aggregation)
Family = Literal[
    "shape",
    "local",
    "firstorder",
    "histogram",
    "ivh",
    "glcm",
    "glrlm",
    "glszm",
    "gldzm",
    "ngtdm",
    "ngldm",
]
Filtered = Literal[
    "firstorder", "histogram", "ivh", "glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm"
]
SpacingMm = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class IbsiConfig(BaseModel):
    """What to measure, in the terms of the IBSI's manual."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    families: tuple[Family, ...] = Field(
        (
            *("shape", "local", "firstorder", "histogram", "ivh"),
            *("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm"),
        ),
        min_length=1,
        description="Families of features; pictures have neither shape nor local.",
    )
    spacing_mm: tuple[SpacingMm, ...] | None = Field(
        None,
        description="Spacing (x, y[, z]) in mm to interpolate to, on a grid that has the image's "
        "centre; 0 keeps an axis as it is. Null: not interpolated.",
    )
    interpolation: Literal["nearest", "linear", "cubic"] = Field(
        "linear",
        description="Of the image: nearest neighbour, trilinear, or tricubic spline. Masks are "
        "interpolated linearly and cut at half.",
    )
    round_intensities: bool = Field(
        False, description="Round intensities to whole numbers after interpolation, as for CT."
    )
    resegment_range: tuple[Finite | None, Finite | None] | None = Field(
        None,
        description="Intensities that count, the least and the largest; null leaves a side open. "
        "Shape is that of the whole outline.",
    )
    outlier_deviations: float | None = Field(
        None,
        gt=0,
        description="Leave out voxels further from the mean than so many standard deviations.",
    )
    bin_width: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Intensities a grey level, from the lower end of resegment_range (from the "
        "least intensity, if there is none). Null: bin_count.",
    )
    bin_count: int | None = Field(
        None,
        ge=2,
        le=2**16,
        description="Number of grey levels, from the least to the largest intensity. Null: 32, "
        "unless there is a bin_width.",
    )
    ivh_bin_width: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Intensities a step of the intensity-volume histogram. Null: ivh_bin_count.",
    )
    ivh_bin_count: int | None = Field(
        1000,
        ge=2,
        le=2**16,
        description="Steps of the intensity-volume histogram, which is of levels then, unless "
        "there is an ivh_bin_width. Null: whole intensities, which the image has to have.",
    )
    aggregation: Aggregation = Field(
        "3d_averaged",
        description="How texture matrices are added up or averaged over slices and directions; "
        "zones and neighbourhoods have only 2d, 2.5d and 3d.",
    )

    filters: tuple[Filter, ...] = Field(
        (),
        description="Filtered images that are measured beside the original, each a mapping with "
        "its kind: mean, log, laws, gabor, wavelet, simoncelli.",
    )
    filtered_families: tuple[Filtered, ...] = Field(
        ("firstorder",), min_length=1, description="Families measured on filtered images."
    )
    filtered_bin_count: int = Field(
        32,
        ge=2,
        le=2**16,
        description="Number of grey levels of filtered images, whose values have no unit.",
    )

    @model_validator(mode="after")
    def _one_discretisation(self) -> IbsiConfig:
        if self.bin_width is not None and self.bin_count is not None:
            raise ValueError("give bin_width or bin_count, not both")
        low, high = self.resegment_range or (None, None)
        if low is not None and high is not None and not low < high:
            raise ValueError("resegment_range begins with the least intensity that counts")
        refuse_equal_names(self.filters)
        return self

    @property
    def levels(self) -> int:
        """The number of grey levels, where there is no bin width."""
        return self.bin_count or 32

    def of_filtered(self) -> IbsiConfig:
        """The options that hold for filtered images: a number of levels, whatever the values."""
        bins = {"bin_width": None, "bin_count": self.filtered_bin_count, "resegment_range": None}
        ivh = {"ivh_bin_width": None, "ivh_bin_count": self.ivh_bin_count or 1000}
        return self.model_copy(update={**bins, **ivh})
