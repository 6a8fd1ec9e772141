"""Options of the two views. Free of torch: listing, completion and worker processes load this."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rdfc_core.plugin.component import Part, PartOf
from rdfc_core.views.stability_options import StabilityOptions

MOST_WEIGHTS = 2**26
"""Of a tower: 256 MiB as float32; features are some thousands at most."""

MOST_SAMPLES = 2**26
"""Of a field of fixed size: 256 MiB as float32."""

LARGEST_SIDE = 4096
"""Pixels of the picture that a network sees."""

VARIATIONS = (
    "crop_scale",
    "flip",
    "elastic",
    "blur",
    "gamma",
    "contrast",
    "brightness",
    "speckle",
    "noise",
)
"""Options of the image view that only its random variations depend on."""


class _OfImages(BaseModel):
    """Which of a case's images a view is of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: str | None = Field(
        None,
        min_length=1,
        description="The image that is measured, of cases of several; null: their one image.",
    )
    images: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="Several images at once: features of each, their names behind the image's; or "
        "their channels side by side, on the grid of the first.",
    )

    @model_validator(mode="after")
    def _one_or_several(self) -> _OfImages:
        if self.image is not None and self.images is not None:
            raise ValueError("name one image, or several images, not both")
        if self.images is not None and len(set(self.images)) < len(self.images):
            raise ValueError("name each of the images once")
        return self

    @property
    def named(self) -> tuple[str, ...] | None:
        """The images that are named; None where it is the one image."""
        return self.images if self.image is None else (self.image,)


class FeatureViewConfig(_OfImages, StabilityOptions):
    """Options of the view of handcrafted features."""

    extractor: Annotated[Part, PartOf("feature_extractor")] = Part(name="native")
    width: int = Field(256, ge=1, description="Units of each hidden layer of the tower.")
    layers: int = Field(3, ge=1, description="Hidden layers: Linear, BatchNorm, ReLU, Dropout.")
    dropout: float = Field(0.5, ge=0, lt=1, description="Dropout after each hidden layer.")
    clip: float | None = Field(
        None, gt=0, description="Largest standardised value, in standard deviations; null: none."
    )
    channels: Literal["grey", "rgb"] = Field(
        "grey",
        description="What is measured of a picture: its grey values (of colours the luminance), "
        "or red, green and blue each by itself, names of features behind red., green. and blue.; "
        "shape is measured once.",
    )
    harmonise: Annotated[Part | None, PartOf("harmoniser")] = Field(
        None,
        description="Takes differences of scanners or sites out of the features, as learnt from "
        "the pretext cases alone, such as {name: combat, batch: scanner}; null: none.",
    )
    corruption: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of features replaced, when training, by another case's of the batch.",
    )

    @model_validator(mode="after")
    def _fits_the_memory(self) -> FeatureViewConfig:
        if self.width**2 * self.layers > MOST_WEIGHTS:
            raise ValueError(
                f"{self.layers} layers of {self.width} units have more than {MOST_WEIGHTS} "
                "weights: take fewer"
            )
        return self


class ImageViewConfig(_OfImages):
    """Options of the view of the tumour's picture."""

    encoder: Annotated[Part, PartOf("image_encoder")] = Part(name="timm")
    size: tuple[int, ...] | Literal["average"] = Field(
        (64, 64),
        description="Height and width in pixels (for a 3D encoder planes, height, width), or the "
        "average size of the pretext crops.",
    )
    spacing_mm: tuple[float, ...] | None = Field(
        None,
        description="See a field of fixed size about the outline's middle, size samples at this "
        "spacing in mm (as many numbers as size), in place of its box brought to size; margin "
        "and aspect are of the box and have no effect then. What of a tumour is larger than the "
        "field is cut off.",
    )
    window: tuple[float, float] | dict[str, tuple[float, float] | None] | None = Field(
        None,
        description="Intensities that become 0 and 1; null: 0–255 for 8-bit images, otherwise "
        "the crop's 1st and 99th percentile. Both kinds in one data set are warned of. Of several "
        "images one for all, or one for each by name, such as {ct: [-160, 240], pet: [0, 10]}.",
    )
    channels: Literal["grey", "rgb"] = Field(
        "grey",
        description="What the network sees of a picture: its grey values, or red, green and blue "
        "(three equal ones of a grey picture).",
    )
    slices: int = Field(10, ge=1, le=1024, description="Axial slices of a volume, as channels.")
    margin: float = Field(
        0.0, ge=0, le=4, description="Context around the tumour's box, as a share of its size."
    )
    aspect: Literal["stretch", "keep"] = Field(
        "stretch",
        description="Stretch the box to the size as the paper does, or widen the box so that "
        "proportions stay.",
    )
    mask_channel: bool = Field(False, description="Add the outline as further channels.")
    crop_scale: tuple[float, float] = Field(
        (0.4, 1.0), description="Area of the random crop, as a share of the picture."
    )
    flip: tuple[Literal["horizontal", "vertical"], ...] = Field(
        ("horizontal",), description="Random flips."
    )
    elastic: float = Field(
        0.0,
        ge=0,
        le=0.05,
        description="Random elastic deformation: largest displacement, as a share of the side.",
    )
    blur: float = Field(
        0.0, ge=0, le=8, description="Random Gaussian blur: largest sigma in pixels of size."
    )
    gamma: float = Field(
        0.0, ge=0, le=1.5, description="Random gamma: exponents from e^-gamma to e^gamma."
    )
    contrast: float = Field(
        0.0,
        ge=0,
        le=1.5,
        description="Random contrast: factors from e^-contrast to e^contrast about the mean.",
    )
    brightness: float = Field(
        0.0, ge=0, le=1, description="Random brightness: largest shift, black to white being 1."
    )
    speckle: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Random noise in proportion to the signal: largest standard deviation.",
    )
    noise: float = Field(
        0.0, ge=0, le=1, description="Random noise: largest standard deviation, of white being 1."
    )

    @model_validator(mode="after")
    def _plausible(self) -> ImageViewConfig:
        if self.size != "average" and (
            len(self.size) not in (2, 3) or not all(1 <= n <= LARGEST_SIDE for n in self.size)
        ):
            raise ValueError(
                f"size is [height, width] or [planes, height, width], all from 1 to {LARGEST_SIDE}"
            )
        self._require_field()
        self._require_windows()
        low, high = self.crop_scale
        if not 0 < low <= high <= 1:
            raise ValueError("crop_scale is [low, high] with 0 < low <= high <= 1")
        return self

    def window_of(self, image: str) -> tuple[float, float] | None:
        """The window of an image by name; "" stands for the one image."""
        return self.window.get(image) if isinstance(self.window, dict) else self.window

    def _require_windows(self) -> None:
        """Windows have a width, and are of each of the images that are named."""
        windows = self.window if isinstance(self.window, dict) else {"": self.window}
        for name, window in windows.items():
            if window is not None and window[0] >= window[1]:
                of_image = f" of {name!r}" if name else ""
                raise ValueError(f"window{of_image} is [low, high] with low below high")
        if isinstance(self.window, dict) and set(self.window) != set(self.named or ()):
            raise ValueError(
                f"window has {', '.join(self.window) or 'no image'} and the view sees "
                f"{', '.join(self.named or ()) or 'one image without a name'}: give one window, or "
                "one for each image that the view names (null: as without a window)"
            )

    def _require_field(self) -> None:
        """A field is of a size in samples, and of nothing that belongs to a box."""
        if self.spacing_mm is None:
            return
        if self.size == "average" or len(self.size) != len(self.spacing_mm):
            raise ValueError(
                f"spacing_mm {list(self.spacing_mm)} needs a size of as many numbers, not "
                f"{self.size if self.size == 'average' else list(self.size)}"
            )
        if math.prod(self.size) > MOST_SAMPLES:
            raise ValueError(f"size {list(self.size)} has more than {MOST_SAMPLES} samples")
        if not all(1e-3 <= mm <= 1e3 for mm in self.spacing_mm):
            raise ValueError("spacing_mm is in mm, from 0.001 to 1000")
