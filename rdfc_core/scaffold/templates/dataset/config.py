"""Options of the data set; reading them loads nothing heavy."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class ExampleConfig(BaseModel):
    """Where the data lies and how its files are named."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    root: Path = Field(description="Folder with one folder a class.")
    suffix: str = Field(".png", min_length=2, description="End of the pictures' file names.")
