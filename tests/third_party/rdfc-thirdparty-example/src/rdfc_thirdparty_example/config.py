"""Options of the four components."""

from pydantic import BaseModel, ConfigDict, Field, model_validator


class SlimCnnConfig(BaseModel):
    """Size of the encoder ``slim-cnn``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(32, ge=1, description="Channels of the first stage; doubled by the others.")
    blocks: int = Field(1, ge=1, le=8, description="Residual blocks a stage.")


class RadialProfileConfig(BaseModel):
    """Rings and tower of the view ``radial-profile``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rings: int = Field(12, ge=2, description="Rings between the middle and the outline.")
    outside: int = Field(2, ge=0, description="Rings of the same width beyond the outline.")
    width: int = Field(64, ge=1, description="Units of the tower's layers.")
    gain: float = Field(0.1, ge=0, lt=1, description="Random change of contrast in training.")


class ClinicalConfig(BaseModel):
    """Columns and tower of the view ``clinical``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    numbers: tuple[str, ...] = Field((), description="Columns that hold numbers.")
    categories: tuple[str, ...] = Field((), description="Columns that hold words.")
    width: int = Field(32, ge=1, description="Units of the tower's layers.")
    noise: float = Field(0.1, ge=0, description="Random noise in training, in standard deviations.")

    @model_validator(mode="after")
    def _names_columns(self) -> "ClinicalConfig":
        if not (self.numbers or self.categories):
            raise ValueError("name columns under numbers or categories")
        return self


class MomentsConfig(BaseModel):
    """Options of the extractor ``moments``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    depth_mm: float = Field(2.0, gt=0, description="Thickness of the rim beneath the outline.")
