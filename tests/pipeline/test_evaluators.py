"""A study's own evaluators: tried as rdfc's methods are, and in its tables under their names."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter

import pyarrow.parquet as pq
import pytest

from rdfc_core.evaluation.trials import depends_on_pretext
from rdfc_core.report import write_report
from rdfc_core.results.schema import Results
from tests.support.small_study import QUICK, run_study

OWN = (
    "evaluate.controls=[random-init]",
    "evaluate.methods=[radiomics]",
    "evaluate.supervised.seeds=2",
    "evaluate.label_fractions=[0.3, 1]",
    "evaluate.label_seeds=2",
    "evaluate.temperature_scaling=true",
    "evaluate.inner_folds=2",
    "evaluate.evaluators={boosted: {name: gradient-boosting, iterations: 5}, "
    "on-features: {name: random-forest, trees: 10, inputs: [features, handcrafted]}, "
    "frequencies: class-frequencies}",
)


@pytest.fixture(scope="module")
def judged(pictures, once):
    def run(place):
        run_study(pictures, place / "run", place / "store.sqlite", (*QUICK, *OWN))

    return once("evaluators", run) / "run"


@pytest.fixture(scope="module")
def results(judged):
    return Results.read(judged / "results.json")


def keys(results, table):
    """Method, input, layer and classifier → repetitions."""
    return {
        (row.method, row.input, row.layer, row.classifier, row.label_fraction): row.seeds
        for row in results.rows
        if row.table == table and row.metric == "auroc" and "temperature" not in row.classifier
    }


BOOSTED = ("boosted", "radiomics", "raw", "gradient-boosting")
ON_FEATURES = ("on-features", "all+radiomics", "features", "random-forest")


def test_methods_stand_in_the_tables_of_methods_at_every_share(results):
    found = keys(results, "supervised")
    assert {key[0] for key in found} == {"radiomics", "boosted", "on-features"}
    assert found[*BOOSTED, 1.0] == found[*ON_FEATURES, 1.0] == 2
    found = keys(results, "label-efficiency")
    for method in (BOOSTED, ON_FEATURES):
        assert {key[4]: seeds for key, seeds in found.items() if key[:4] == method} == {
            0.3: 2,
            1.0: 2,
        }


def test_a_control_stands_among_the_controls_with_all_labels_alone(results):
    assert keys(results, "control")["frequencies", "", "raw", "class-frequencies", 1.0] == 2
    assert "frequencies" not in {key[0] for key in keys(results, "label-efficiency")}
    chance = next(r for r in results.rows if (r.method, r.metric) == ("frequencies", "auroc"))
    assert chance.mean == chance.ci_low == chance.ci_high == 0.5


def test_they_have_intervals_paired_tests_and_calibrated_rows(results):
    rows = [row for row in results.rows if row.method == "boosted" and row.table == "supervised"]
    assert {row.classifier for row in rows} == {
        "gradient-boosting",
        "gradient-boosting+temperature",
    }
    assert all(row.ci_low <= row.mean <= row.ci_high for row in rows)
    pairs = {(c.table, *sorted((c.method_a, c.method_b))) for c in results.comparisons}
    assert ("supervised", "boosted", "radiomics") in pairs
    assert ("label-efficiency", "on-features", "radiomics") in pairs


def test_the_headline_is_compared_with_those_that_begin_from_no_pretext(results):
    against = {one.less.method for one in results.headline.against}
    assert {"boosted", "frequencies", "radiomics"} <= against
    assert "on-features" not in against


def test_each_training_is_kept_as_those_of_methods_are(judged):
    names = Counter(path.name.split(".labels")[0] for path in (judged / "trials").glob("*/*.json"))
    assert names["boosted"] == names["on-features"] == 4 * 3  # with two inner folds each
    assert names["frequencies"] == 2  # a control is not calibrated


def test_an_extended_run_tries_them_again_and_no_method_without_pretext():
    """Whether an evaluator stands on the pretext is not known by its name."""
    assert depends_on_pretext("boosted.labels-1.seed-0")
    assert depends_on_pretext("hybrid-finetune.paper.labels-1.seed-0")
    assert not depends_on_pretext("radiomics.labels-1.seed-0")


def test_the_report_names_them(judged):
    page = write_report(judged).read_text("utf-8")
    for words in ("boosted", "on-features", "frequencies", "radiomics, raw, gradient-boosting"):
        assert words in page


def test_predictions_are_kept_under_their_names(judged):
    table = pq.read_table(judged / "predictions.parquet").to_pylist()
    assert {"boosted", "on-features", "frequencies"} <= {row["method"] for row in table}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["evaluators=[gradient-bosting]"], "Did you mean 'gradient-boosting'?"),
        (["evaluators={radiomics: random-forest}"], "'radiomics' is taken; call the evaluator"),
        (["evaluators={net-finetune: random-forest}"], "'net-finetune' is taken"),
        (["evaluators=[random-forest, random-forest]"], "one evaluator stands twice; name them"),
        (
            ["evaluators=[{name: random-forest, inputs: [columns]}]"],
            "random-forest needs a view of columns (such as table), and the study has",
        ),
        (
            ["evaluators=[random-forest]", "selection.candidates=[probe, random-forest]"],
            "the evaluator 'random-forest' is judged and not saved; choose among rdfc's own",
        ),
        (
            ["evaluators=[random-forest]", "compare={random-forest: simclr}"],
            "'random-forest' names an evaluator and a compared pretext; rename one",
        ),
    ],
)
def test_what_cannot_be_judged_is_refused(rdfc_here, study_file, settings, told):
    chosen = [f"--set=evaluate.{one}" for one in settings]
    rdfc_here("run", study_file, *chosen, "--executor=local:workers=0").refused(told)


def test_other_test_labels_change_nothing_that_evaluators_say(pictures, tmp_path, judged):
    """The same study where the labels of all held-back cases are turned round."""
    folder = tmp_path / "pictures"
    shutil.copytree(pictures, folder)
    split = {}
    with (judged / "cases.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            split[row["case_id"]] = row["holdout"]
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows, header = list(reader), [*reader.fieldnames, "part"]
    outputs = {}
    for turned in (False, True):
        for row in rows:
            row["part"] = split[row["case_id"]]
            if turned and row["part"] == "test":
                row["label"] = {"benign": "malignant", "malignant": "benign"}[row["label"]]
        with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, header)
            writer.writeheader()
            writer.writerows(rows)
        run = tmp_path / f"run-{turned}"
        column = ("split.kind=column", "split.column=part", "pretrain.epochs=1")
        run_study(folder, run, tmp_path / "store.sqlite", (*QUICK, *OWN, *column))
        outputs[turned] = {
            path.name: json.loads(path.read_text("utf-8"))
            for path in (run / "trials").glob("*/*.json")
        }
    assert outputs[False] == outputs[True]
    assert any(name.startswith("boosted") for name in outputs[False])
