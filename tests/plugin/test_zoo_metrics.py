"""Metrics that break their contract: blamed by name before anything is measured, or left out."""

from __future__ import annotations

import json

import pytest
import yaml

HERE = "--executor=local:workers=0"
HEAD = "class Animal(Plain, Metric):\n    title = 'Of animals'\n"
MEAN = "(predictions.argmax(1) == truth).mean()"

METRICS = {
    "raising": (
        "    def score(self, truth, predictions): raise ValueError('only one class present')",
        "Animal.values() raised ValueError: only one class present",
    ),
    "raising-for-one-class": (
        "    def score(self, truth, predictions):\n"
        "        if len(set(truth)) < 2: raise ValueError('one class')\n"
        f"        return {MEAN}",
        "raised ValueError: one class. Give NaN where the metric is undefined",
    ),
    "of-one-number": (
        f"    def values(self, truth, predictions, weights): return {MEAN}",
        "gave float64 () for 6 weightings; give numbers (6,)",
    ),
    "of-words": (
        "    def values(self, truth, predictions, weights): return ['good'] * len(weights)",
        "for 6 weightings; give numbers (6,)",
    ),
    "undefined": (
        "    def score(self, truth, predictions): return float('nan')",
        "gave NaN for 24 cases of all classes",
    ),
    "infinite": (
        "    bounds = (0, float('inf'))\n"
        "    def score(self, truth, predictions):\n"
        "        return -np.log(predictions[np.arange(len(truth)), truth]).mean()",
        "gave infinity; give NaN where the metric is undefined, or clip",
    ),
    "out-of-bounds": (
        f"    def score(self, truth, predictions): return 100 * {MEAN}",
        "which is out of its bounds 0 to 1",
    ),
    "unweighted": (
        "    def values(self, truth, predictions, weights):\n"
        f"        return np.full(len(weights), {MEAN})",
        "a weight of 2 has to count as two equal rows",
    ),
    "of-the-first-case": (
        "    def values(self, truth, predictions, weights):\n"
        "        return np.full(len(weights), float(predictions[0, 0]))",
        "depends on the order of the cases",
    ),
    "sorting-in-place": (
        "    def values(self, truth, predictions, weights):\n"
        "        truth.sort()\n"
        "        return weights @ (truth == 1) / weights.sum(1)",
        "changed the arrays that it was given",
    ),
    "gambling-metric": (
        "    def values(self, truth, predictions, weights): return np.random.rand(len(weights))",
        "seeds or draws from NumPy's global generator",
    ),
    "empty": ("    pass", "implements neither values() nor score()"),
    "untitled-metric": (
        f"    title = ''\n    def score(self, truth, predictions): return {MEAN}",
        "give a heading of up to 40 letters",
    ),
    "of-another-task": (
        f"    task = 'ranking'\n    def score(self, truth, predictions): return {MEAN}",
        "task is 'ranking'; use one of classification, regression",
    ),
    "of-three-arguments": (
        "    def score(self, truth, predictions, classes): return 1.0",
        "score cannot be called as score(truth, predictions)",
    ),
}


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_that_breaks_its_contract_is_told_before_training(
    animal, rdfc_here, blame, study_file, name
):
    body, reason = METRICS[name]
    animal(name, kind="metric", parts=f"{HEAD}{body}")
    done = rdfc_here("run", study_file, f"--set=evaluate.metrics=[{name}]", HERE)
    blame(done, name, f"metric {name!r} of", "breaks its contract", reason)


def test_a_metric_of_predicted_numbers_is_refused_where_classes_are_predicted(
    animal, rdfc_here, study_file
):
    body = (
        "    task = 'regression'\n    bounds = (0, float('inf'))\n"
        "    def score(self, truth, predictions): return float(np.abs(truth - predictions).mean())"
    )
    animal("deviation", kind="metric", parts=f"{HEAD}{body}")
    done = rdfc_here("run", study_file, "--set=evaluate.metrics=[deviation]", HERE)
    done.refused("evaluate.metrics: deviation is of the task regression", "Leave it out")


def test_a_metric_that_fails_after_training_costs_itself_alone(
    animal, rdfc_here, study_file, tmp_path
):
    late = (
        "    def score(self, truth, predictions):\n"
        "        if len(truth) < 24 and len(set(truth)) > 1: return 1 / 0\n"
        f"        return {MEAN}"
    )
    sound = f"    def score(self, truth, predictions): return {MEAN}"
    animal("late", kind="metric", parts=f"{HEAD}{late}")
    animal("sound-metric", kind="metric", parts=f"{HEAD}{sound}")
    study = yaml.safe_load(study_file.read_text("utf-8"))
    study["evaluate"] |= {"metrics": ["late", "sound-metric"], "controls": []}
    study_file.write_text(yaml.safe_dump(study), "utf-8")
    run = tmp_path / "run"
    done = rdfc_here("run", study_file, "--out", run, HERE)
    assert done.code == 0, done.err
    told = " ".join(done.err.split())
    assert "The metric late is left out of the results. The metric 'late' of zoo-late 1.7" in told
    results = json.loads((run / "results.json").read_text("utf-8"))
    assert [one["name"] for one in results["metrics"]] == ["sound-metric"]
    assert any("metric late is left out" in one for one in results["warnings"])
    means = {
        (row["metric"], row["input"], row["layer"], row["classifier"]): row["mean"]
        for row in results["rows"]
    }
    assert not [key for key in means if key[0] == "late"]
    for (metric, *rest), mean in means.items():
        if metric == "sound-metric":
            assert mean == pytest.approx(means["accuracy", *rest])
