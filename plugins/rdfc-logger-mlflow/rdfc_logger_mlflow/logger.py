"""A run of rdfc as a run of MLflow."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rdfc_core.interfaces import Ending, LoggedRun, Logger

from .config import MLflowConfig
from .names import flattened, key, of_results

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

    from rdfc_core import Results

STATUS: Mapping[Ending, str] = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}
MOST_METRICS, MOST_PARAMS = 1000, 100
"""In one message to MLflow."""


class MLflowLogger(Logger):
    """A run of MLflow for each run, by its client alone: nothing of MLflow's is global."""

    def __init__(self, config: MLflowConfig) -> None:
        self.config = config

    def begin(self, run: LoggedRun) -> None:
        """Go on with the run of MLflow that the run folder names, or begin one."""
        self._client, self._folder = _client(self.config.uri), run.folder
        kept = run.own / "run.json"
        known = json.loads(kept.read_text("utf-8"))["run_id"] if kept.exists() else None
        if known is None or not self._is_there(known):
            self._run = self._begun(self.config.run_name or run.name)
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps({"run_id": self._run}), "utf-8")
        else:
            self._run = known
            self._client.update_run(known, status="RUNNING")
        self._tell_options(dict(flattened(run.study)))

    def log(self, training: str, metrics: Mapping[str, float], epoch: int, step: int) -> None:
        """All metrics of an epoch in one message."""
        values = {key(training, name): value for name, value in metrics.items()}
        self._tell_metrics({**values, key(training, "step"): float(step)}, epoch)

    def results(self, results: Results) -> None:
        """Each method's metrics by all labels."""
        self._tell_metrics(of_results(results), 0)

    def end(self, outcome: Ending, reason: str) -> None:
        """Hand the files over, and say how it ended."""
        try:
            for name in self.config.artifacts:
                path = self._folder / name
                if path.is_file():
                    self._client.log_artifact(self._run, str(path))
            self._client.set_tag(self._run, "reason", reason[:5000])
        finally:
            self._client.set_terminated(self._run, STATUS[outcome])

    def _is_there(self, run_id: str) -> bool:
        """Whether MLflow still has the run; it may be another MLflow, or have been deleted."""
        from mlflow.exceptions import MlflowException

        try:
            about = self._client.get_run(run_id).info
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return False
            raise
        return bool(about.lifecycle_stage == "active")

    def _begun(self, name: str) -> str:
        experiment = self._client.get_experiment_by_name(self.config.experiment)
        number = (
            self._client.create_experiment(self.config.experiment)
            if experiment is None
            else experiment.experiment_id
        )
        run = self._client.create_run(number, run_name=name, tags={"mlflow.source.name": "rdfc"})
        return str(run.info.run_id)

    def _tell_options(self, options: Mapping[str, str]) -> None:
        """Parameters that are new; those that have changed since the run began, as tags."""
        from mlflow.entities import Param

        known = self._client.get_run(self._run).data.params
        new = [Param(name, text) for name, text in options.items() if name not in known]
        for first in range(0, len(new), MOST_PARAMS):
            self._client.log_batch(self._run, params=new[first : first + MOST_PARAMS])
        for name, text in options.items():
            if known.get(name, text) != text:
                self._client.set_tag(self._run, f"resumed.{name}", text[:5000])

    def _tell_metrics(self, values: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        told = [Metric(name, value, now, step) for name, value in values.items()]
        for first in range(0, len(told), MOST_METRICS):
            self._client.log_batch(self._run, metrics=told[first : first + MOST_METRICS])


def _client(uri: str | None) -> MlflowClient:
    """MLflow is imported here, since that takes seconds; it is to tell nobody that it is used."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri)
