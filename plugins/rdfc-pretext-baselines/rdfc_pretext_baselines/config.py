"""The options of the three tasks."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rdfc_core import Part, PartOf


class PictureConfig(BaseModel):
    """What every task on one image view asks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    view: str | None = Field(
        None,
        description="The image view to train; by default the study's only one, or the one called "
        "image.",
    )


class AutoencoderConfig(PictureConfig):
    """Options of the pretext task ``autoencoder``."""

    masking: float = Field(
        0.25,
        ge=0,
        lt=1,
        description="Share of the picture's samples that are set to mid-grey, 0 at the network's "
        "input.",
    )
    noise: float = Field(
        0.0,
        ge=0,
        description="Standard deviation of the Gaussian noise that is added, for pictures in "
        "[0, 1].",
    )
    width: int = Field(
        128,
        ge=1,
        le=4096,
        description="Channels of the decoder where it is smallest; halved at each step.",
    )


TileSide = Annotated[int, Field(ge=1, le=4096)]


class JigsawConfig(PictureConfig):
    """Options of the pretext task ``jigsaw``."""

    permutations: int = Field(
        100, ge=2, le=1000, description="Orders of the tiles to be told apart."
    )
    gap: float = Field(
        0.15,
        ge=0,
        le=0.5,
        description="Mean distance of neighbouring tiles, as a share of a third of the picture; "
        "the tiles move about at random within it.",
    )
    tile_size: tuple[TileSide, TileSide] | None = Field(
        None,
        description="Height and width to which tiles are resized, for encoders of one size; "
        "null: as they are cut.",
    )
    width: int = Field(128, ge=1, le=4096, description="Numbers kept of each tile's features.")
    hidden: int = Field(512, ge=1, le=4096, description="Units of the layer that sees all tiles.")


class SimCLRConfig(PictureConfig):
    """Options of the pretext task ``simclr``."""

    temperature: float = Field(0.1, gt=0, description="Softmax temperature.")
    width: int = Field(128, ge=2, le=16384, description="D, the width of the embeddings.")
    hidden: int | None = Field(
        None,
        ge=1,
        le=16384,
        description="Units of the projection's hidden layer; null: as many as features.",
    )
    projector: Annotated[Part | None, PartOf("projector")] = Field(
        None, description="Another projection than the source's two layers, which null stands for."
    )

    @model_validator(mode="after")
    def _hidden_is_its_own(self) -> SimCLRConfig:
        if self.projector is not None and self.hidden is not None:
            raise ValueError("hidden is of SimCLR's own projection: give it to the projector")
        return self
