"""Options of the readers. The limits guard against files that claim more than anyone meant."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

PILLOW_PIXELS = 89_478_485
"""Above this number of pixels Pillow itself warns of a decompression bomb."""


class PictureReaderConfig(BaseModel):
    """Options of `rdfc_core.readers.pictures.PictureReader`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_pixels: int = Field(
        8192 * 8192,
        ge=1,
        le=PILLOW_PIXELS,
        description="Refuse pictures whose header claims more pixels than this.",
    )


class VolumeReaderConfig(BaseModel):
    """Options of `rdfc_core.readers.volumes.VolumeReader`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_voxels: int = Field(
        2**30,
        ge=1,
        description="Refuse volumes whose header claims more voxels than this; the default is "
        "1024 x 1024 x 1024, twice a whole-body CT.",
    )
