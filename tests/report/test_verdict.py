"""The verdict: what is called better, and what is not."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from rdfc_core.report.run_data import Method, RecordedPredictions, RecordedResults, RunData
from rdfc_core.report.sections.summary import summary
from rdfc_core.report.verdict import judge, paired_difference, primary_metric
from rdfc_core.results.schema import Row


def row(method, mean, half=0.05, table="control", **changes):
    values = {
        "table": table,
        "method": method,
        "dataset": "d",
        "input": "both",
        "layer": "features",
        "classifier": "logistic",
        "metric": "f1_weighted",
        "mean": mean,
        "sd": None,
        "ci_low": None if half is None else mean - half,
        "ci_high": None if half is None else mean + half,
        "n_cases": 50,
        "folds": 1,
        "seeds": 1,
    }
    return Row(**{**values, **changes})


def predictions(method, labels, predicted, table="control", patients=None, splits=None):
    n = len(labels)
    cases = tuple(f"c{i}" for i in range(n))
    return RecordedPredictions(
        method=Method(table, method, "both", "features", "logistic"),
        splits=tuple(splits or ["s"] * n),
        case_ids=cases,
        patient_ids=tuple(patients or cases),
        labels=tuple(labels),
        predicted=tuple(predicted),
        probabilities=None,
    )


def run_of(*rows, predictions=()):
    return RunData("r", results=RecordedResults(rows=rows), predictions=tuple(predictions))


@pytest.mark.parametrize(
    ("metric", "oracle"),
    [
        ("accuracy", accuracy_score),
        ("balanced_accuracy", balanced_accuracy_score),
        ("f1_weighted", lambda t, p: f1_score(t, p, average="weighted", zero_division=0)),
    ],
)
def test_difference_is_that_of_scikit_learns_scores_averaged_over_splits(metric, oracle):
    rng = np.random.default_rng(3)
    labels = rng.choice(["a", "b", "c"], size=90, p=[0.6, 0.3, 0.1])
    ours = np.where(rng.random(90) < 0.7, labels, rng.choice(["a", "b", "c"], size=90))
    theirs = np.where(rng.random(90) < 0.4, labels, rng.choice(["a", "b", "c"], size=90))
    splits = np.repeat(["s1", "s2", "s3"], 30)
    found = paired_difference(
        predictions("m", labels, ours, splits=splits.tolist()),
        predictions("n", labels, theirs, splits=splits.tolist()),
        metric,
    )
    expected = np.mean(
        [
            oracle(labels[splits == s], ours[splits == s])
            - oracle(labels[splits == s], theirs[splits == s])
            for s in ("s1", "s2", "s3")
        ]
    )
    assert found[0] == pytest.approx(expected)
    assert found[1] < found[0] < found[2]


def test_interval_of_the_difference_matches_theory_for_independent_cases():
    # Ours is right where theirs is wrong in 30 of 100 cases, the reverse in 10: the difference in
    # accuracy is 0.2 with a standard error of sqrt((0.4 - 0.2²) / 100) = 0.06.
    labels = ["a"] * 100
    ours = ["a"] * 90 + ["b"] * 10
    theirs = ["b"] * 30 + ["a"] * 70
    value, low, high = paired_difference(
        predictions("m", labels, ours), predictions("n", labels, theirs), "accuracy"
    )
    assert value == pytest.approx(0.2)
    assert low == pytest.approx(0.2 - 1.96 * 0.06, abs=0.02)
    assert high == pytest.approx(0.2 + 1.96 * 0.06, abs=0.02)


def test_cases_of_one_patient_count_as_one_piece_of_evidence():
    labels = ["a"] * 100
    ours, theirs = ["a"] * 60 + ["b"] * 40, ["b"] * 40 + ["a"] * 60
    alone = paired_difference(
        predictions("m", labels, ours), predictions("n", labels, theirs), "accuracy"
    )
    fours = [f"p{i // 4}" for i in range(100)]
    together = paired_difference(
        predictions("m", labels, ours, patients=fours),
        predictions("n", labels, theirs, patients=fours),
        "accuracy",
    )
    # Four equal cases a patient: a quarter of the evidence, twice the width.
    assert together[2] - together[1] == pytest.approx(2 * (alone[2] - alone[1]), rel=0.1)


def test_other_cases_or_a_metric_of_probabilities_give_no_difference():
    m = predictions("m", ["a", "b"], ["a", "b"])
    assert paired_difference(m, predictions("n", ["a"], ["a"]), "accuracy") is None
    assert paired_difference(m, m, "auroc") is None


def test_metric_that_decides_is_weighted_f1_before_auroc():
    rows = [row("m", 0.5, metric="auroc"), row("m", 0.5), row("m", None, half=None, metric="x")]
    assert primary_metric(rows) == "f1_weighted"
    assert primary_metric(rows[:1]) == "auroc"
    assert primary_metric(rows[2:]) is None
    assert primary_metric([row("m", 0.1, metric="brier"), row("m", 0.5, metric="z")]) == "z"


def test_without_predictions_only_intervals_that_do_not_touch_tell_methods_apart():
    verdict = judge(
        run_of(
            row("rdfc", 0.80, table="linear"),
            row("shape-only", 0.95),
            row("radiomics", 0.84),
            row("size-only", 0.72),
            row("shuffled-labels", 0.50),
            row("random-init", 0.10, half=None),
        )
    )
    assert [(c.row.method, c.outcome) for c in verdict.comparisons] == [
        ("shape-only", "worse"),
        ("radiomics", "open"),
        ("size-only", "open"),
        ("shuffled-labels", "better"),
        ("random-init", "open"),
    ]


def test_head_says_so_if_controls_are_better_or_as_good():
    run = run_of(row("rdfc", 0.80, table="linear"), row("shape-only", 0.95), row("radiomics", 0.84))
    assert summary(run, judge(run)).conclusion == (
        "But shape-only does better, and radiomics cannot be told apart from it on these cases: "
        "no gain over them is shown."
    )
    lone = run_of(row("rdfc", 0.80, table="linear"), row("random-init", 0.80))
    assert summary(lone, judge(lone)).conclusion == (
        "But random-init cannot be told apart from it on these cases: no gain over it is shown."
    )


def test_head_says_so_if_the_method_beats_all_controls_or_there_is_none():
    run = run_of(row("rdfc", 0.90, table="linear"), row("shape-only", 0.70))
    assert summary(run, judge(run)).conclusion == (
        "It does better than every control that was evaluated."
    )
    alone = run_of(row("rdfc", 0.90, table="linear"))
    assert summary(alone, judge(alone)).conclusion == (
        "No control was evaluated, so this number cannot be judged."
    )


def test_paired_cases_decide_where_intervals_alone_would_not():
    labels = ["a", "b"] * 50
    ours = [*labels[:90], *(["b", "a"] * 5)]
    theirs = [*(["b", "a"] * 8), *labels[16:90], *(["b", "a"] * 5)]
    run = run_of(
        row("rdfc", 0.90, table="linear"),
        row("shape-only", 0.88),
        predictions=[
            predictions("rdfc", labels, ours, table="linear"),
            predictions("shape-only", labels, theirs),
        ],
    )
    (comparison,) = judge(run).comparisons
    assert comparison.outcome == "better"
    assert comparison.difference[0] == pytest.approx(0.16)


def test_best_learnt_variant_leads_and_supervised_or_few_label_rows_do_not():
    verdict = judge(
        run_of(
            row("rdfc", 0.80, table="linear", input="image"),
            row("rdfc", 0.85, table="linear"),
            row("hybrid-scratch", 0.95, table="supervised"),
            row("rdfc", 0.99, table="label-efficiency", label_fraction=0.05),
            row("rdfc", 0.97, table="label-efficiency"),
        )
    )
    assert verdict.main.mean == 0.85
    assert verdict.variants == 2
    assert [c.row.method for c in verdict.comparisons] == ["hybrid-scratch"]


def test_variant_named_beforehand_is_judged_though_another_scored_higher():
    rows = (
        row("rdfc", 0.80, table="linear", input="both", layer="features"),
        row("rdfc", 0.85, table="linear", input="image", layer="features"),
        row("random-init", 0.60, input="both", layer="features"),
        row("random-init", 0.70, input="image", layer="features"),
    )
    classifier = rows[0].classifier
    main = {"input": "both", "layer": "features", "classifier": classifier}
    run = RunData("r", results=RecordedResults(rows=rows, run={"main": main}))
    verdict = judge(run)
    assert (verdict.main.mean, verdict.variants) == (0.80, 1)
    assert [c.row.mean for c in verdict.comparisons] == [0.60]
    assert "named beforehand" in summary(run, verdict).headline


def test_a_compared_pretext_does_not_stand_for_the_study_s_own():
    rows = (row("rdfc", 0.80, table="linear"), row("other", 0.95, table="linear"))
    main = {"input": "both", "layer": "features", "classifier": "logistic"}
    run = RunData("r", results=RecordedResults(rows=rows, run={"main": main, "method": "rdfc"}))
    verdict = judge(run)
    assert (verdict.main.method, verdict.variants) == ("rdfc", 1)


def repeated(method, labels, each, table="control"):
    """What one method said of the same cases in several repetitions."""
    n = len(labels)
    cases = tuple(f"c{i}" for i in range(n)) * len(each)
    return RecordedPredictions(
        method=Method(table, method, "both", "features", "logistic"),
        splits=("s",) * len(cases),
        case_ids=cases,
        patient_ids=cases,
        labels=tuple(labels) * len(each),
        predicted=tuple(label for said in each for label in said),
        probabilities=None,
        repeats=tuple(k for k in range(len(each)) for _ in range(n)),
    )


def test_difference_to_a_repeated_method_is_that_to_the_mean_of_its_repetitions():
    labels = ["a", "b"] * 20
    good, bad = labels, ["b", "a"] * 20
    fair = [*labels[:20], *bad[20:]]
    ours = predictions("m", labels, fair)
    value, low, high = paired_difference(ours, repeated("n", labels, [good, bad, bad]), "accuracy")
    assert value == pytest.approx(0.5 - 1 / 3)
    # Which repetitions are drawn is part of the interval: three good ones, or three bad ones.
    assert low < -0.4
    assert high > 0.4


def test_head_says_first_of_the_repeats_only_where_an_older_run_kept_no_other():
    labels = ["a", "b"] * 20
    rows = row("rdfc", 1.0, table="linear"), row("random-init", 0.5, seeds=3)
    ours = predictions("rdfc", labels, labels, table="linear")
    wrong = ["b", "a"] * 20
    for theirs, says in (
        (predictions("random-init", labels, wrong), True),
        (repeated("random-init", labels, [wrong, labels, wrong]), False),
    ):
        run = run_of(*rows, predictions=[ours, theirs])
        (finding,) = summary(run, judge(run)).findings
        assert ("from the first of 3 repeats" in finding.others[0].difference) is says


def test_a_repetition_that_lacks_a_case_gives_no_difference():
    labels = ["a", "b"]
    whole = repeated("n", labels, [labels, labels])
    torn = RecordedPredictions(
        **{
            **{name: getattr(whole, name)[:-1] for name in ("splits", "case_ids", "patient_ids")},
            **{name: getattr(whole, name)[:-1] for name in ("labels", "predicted", "repeats")},
            "method": whole.method,
            "probabilities": None,
        }
    )
    ours = predictions("m", labels, labels)
    assert paired_difference(ours, whole, "accuracy") == (0.0, 0.0, 0.0)
    assert paired_difference(ours, torn, "accuracy") is None
