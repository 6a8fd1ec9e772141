"""Options of the logger ``mlflow``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class MLflowConfig(BaseModel):
    """Which experiment of which MLflow, and what it gets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    experiment: str = Field(
        "rdfc", min_length=1, description="Experiment; made if there is none of this name."
    )
    uri: str | None = Field(
        None,
        description="Where runs are kept: sqlite:////data/mlflow.db, http://host:5000; null: as "
        "MLflow is set up (MLFLOW_TRACKING_URI).",
    )
    run_name: str | None = Field(
        None, description="What the run is called; null: as the run folder is called."
    )
    artifacts: tuple[str, ...] = Field(
        ("study.yaml", "results.json", "report.html"),
        description="Files of the run folder that are handed over at its end. The last two name "
        "cases, and the report shows thumbnails.",
    )
