"""What is told of a run stands in MLflow's own database, which is asked by MLflow's client."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from rdfc_core import Results
from rdfc_core.interfaces import LoggedRun
from rdfc_core.testing import check_logger, check_plugin
from rdfc_core.testing.results import example_results
from rdfc_logger_mlflow.config import MLflowConfig
from rdfc_logger_mlflow.logger import MLflowLogger
from rdfc_logger_mlflow.names import flattened, of_results

STUDY = {"seed": 0, "pretrain": {"steps": 100, "optimizer": {"name": "sgd"}}, "classes": ["a"]}


@pytest.fixture(scope="module")
def uri(tmp_path_factory) -> str:
    """An MLflow of these tests: making its tables takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


@pytest.fixture
def client(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    monkeypatch.chdir(tmp_path)  # artifacts of new experiments go into the working directory
    return MlflowClient(tracking_uri=uri)


def run_in(folder: Path, study: dict, resumed: bool = False) -> LoggedRun:
    own = folder / "loggers" / "mlflow"
    return LoggedRun(folder.name, folder, own, study, "evaluate", resumed)


def number(folder: Path) -> str:
    return json.loads((folder / "loggers" / "mlflow" / "run.json").read_text())["run_id"]


def test_the_plugin_is_sound():
    check_plugin("rdfc-logger-mlflow")


def test_the_logger_keeps_its_promises(uri, client):
    check_logger(MLflowLogger(MLflowConfig(uri=uri, experiment="check")))


def test_a_run_stands_in_mlflow_with_metrics_options_results_and_files(uri, client, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    logger = MLflowLogger(MLflowConfig(uri=uri, experiment="lung"))
    logger.begin(run_in(folder, STUDY))
    for epoch in (1, 2):
        metrics = {"loss": 1 / epoch, "a-b.alignment": math.nan}
        logger.log("holdout", metrics, epoch, 3 * epoch)
    results = example_results(True)
    results.write(folder / "results.json")
    (folder / "report.html").write_text("<html></html>")
    logger.results(results)
    logger.end("finished", "")
    run = client.get_run(number(folder))
    assert run.info.run_name == "mine"
    assert run.info.status == "FINISHED"
    assert client.get_experiment(run.info.experiment_id).name == "lung"
    history = client.get_metric_history(run.info.run_id, "holdout/loss")
    assert [(one.step, one.value) for one in history] == [(1, 1.0), (2, 0.5)]
    assert run.data.metrics["holdout/step"] == 6
    assert math.isnan(run.data.metrics["holdout/a-b.alignment"])
    assert run.data.params["pretrain.optimizer.name"] == "sgd"
    assert run.data.params["classes"] == '["a"]'
    told = {name: value for name, value in run.data.metrics.items() if name[:8] == "results/"}
    assert told == of_results(results)
    assert len(told) == len(results.rows) == 8
    for name in ("results.json", "report.html"):
        got = Path(client.download_artifacts(run.info.run_id, name))
        assert got.read_bytes() == (folder / name).read_bytes()


def test_a_resumed_run_is_the_same_run_of_mlflow(uri, client, tmp_path):
    first, second = (MLflowLogger(MLflowConfig(uri=uri)) for _ in range(2))
    first.begin(run_in(tmp_path, STUDY))
    first.log("holdout", {"loss": 1.0}, 1, 3)
    first.end("stopped", "The process was asked to end")
    begun = number(tmp_path)
    assert client.get_run(begun).info.status == "KILLED"
    longer = {**STUDY, "pretrain": {**STUDY["pretrain"], "steps": 200}}
    second.begin(run_in(tmp_path, longer, resumed=True))
    assert client.get_run(begun).info.status == "RUNNING"
    second.log("holdout", {"loss": 0.5}, 2, 6)
    second.end("failed", "The loss became nan")
    run = client.get_run(begun)
    assert number(tmp_path) == begun
    assert run.info.status == "FAILED"
    assert run.data.tags["reason"] == "The loss became nan"
    assert run.data.params["pretrain.steps"] == "100"
    assert run.data.tags["resumed.pretrain.steps"] == "200"
    assert len(client.get_metric_history(begun, "holdout/loss")) == 2


def test_a_run_that_mlflow_has_lost_is_begun_anew(uri, client, tmp_path):
    logger = MLflowLogger(MLflowConfig(uri=uri))
    logger.begin(run_in(tmp_path, STUDY))
    logger.end("finished", "")
    lost = number(tmp_path)
    client.delete_run(lost)
    logger.begin(run_in(tmp_path, STUDY, resumed=True))
    logger.end("finished", "")
    assert number(tmp_path) != lost
    assert client.get_run(number(tmp_path)).info.status == "FINISHED"


def test_no_more_is_handed_over_than_was_asked_for(uri, client, tmp_path):
    Results(rows=(), dataset={}).write(tmp_path / "results.json")
    logger = MLflowLogger(MLflowConfig(uri=uri, artifacts=()))
    logger.begin(run_in(tmp_path, STUDY))
    logger.end("finished", "")
    assert client.list_artifacts(number(tmp_path)) == []


def test_options_are_told_by_their_path():
    study = {"a": {"b c*": 1, "none": {}}, "text": "x", "list": [1, None], "long": "y" * 7000}
    found = dict(flattened(study))
    assert found.pop("long") == "y" * 6000
    assert found == {"a.b c_": "1", "a.none": "{}", "text": "x", "list": "[1, null]"}


def test_hundreds_of_options_and_metrics_are_told(uri, client, tmp_path):
    study = {f"option-{number}": number for number in range(250)}
    logger = MLflowLogger(MLflowConfig(uri=uri))
    logger.begin(run_in(tmp_path, study))
    logger.log("holdout", {f"metric-{number}": number for number in range(1500)}, 1, 1)
    logger.end("finished", "")
    data = client.get_run(number(tmp_path)).data
    assert len(data.params) == 250
    assert len(data.metrics) == 1501
