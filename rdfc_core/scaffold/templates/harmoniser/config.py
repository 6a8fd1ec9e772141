"""Options of the harmoniser; reading them loads nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class ExampleConfig(BaseModel):
    """Which column names the site, and how many cases of one are enough."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    site: str = Field("scanner", min_length=1, description="The column that names the site.")
    min_cases: int = Field(3, ge=1, description="Pretext cases that a site needs.")
