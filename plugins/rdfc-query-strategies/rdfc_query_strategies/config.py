"""Options of the query strategies. Loads nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class TypiClustConfig(BaseModel):
    """How typical a case is of its cluster."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    neighbours: int = Field(
        20, ge=1, description="Nearest cases of its cluster that say how typical a case is."
    )


class UncertainTypiClustConfig(TypiClustConfig):
    """Typical cases among those that the model doubts."""

    share: float = Field(
        0.5, gt=0, le=1, description="Share of the candidates, the most doubtful, to choose from."
    )


class ProbCoverConfig(BaseModel):
    """How wide a labelled case covers its surroundings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    purity: float = Field(
        0.95,
        gt=0,
        lt=1,
        description="Least share of cases whose surroundings lie within one cluster; the widest "
        "radius that has it is taken.",
    )


class MaxHerdingConfig(BaseModel):
    """How far a case stands for others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: float = Field(
        1.0,
        gt=0,
        description="Width of the Gaussian kernel, over the median distance of two cases.",
    )
