"""Options of the extractor ``colour``. Light: listing and completion load this."""

from pydantic import BaseModel, ConfigDict, Field


class ColourConfig(BaseModel):
    """What to measure."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rim: float = Field(
        0.3,
        gt=0,
        le=4,
        description="Width of the rim outside the outline that the tumour's colours are compared "
        "with, as a share of the radius of a circle of the tumour's area; one pixel at least.",
    )
