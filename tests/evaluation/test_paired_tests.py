"""Paired tests between methods: which pairs, what difference, how sure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.linear_probe import Variant
from rdfc_core.evaluation.metrics import scores
from rdfc_core.evaluation.paired_tests import (
    BOOTSTRAP,
    DELONG,
    UNTESTED,
    Compared,
    compare,
    holm,
    judged_variants,
    views_apart,
)
from rdfc_core.results.vocabulary import METRICS

TESTED = [metric for metric in METRICS if metric not in UNTESTED]


def said(truth: Any, right: Any, split: str = "holdout", repeat: int = 0) -> Prediction:
    """Predictions that are right where it is said, at 0.9 against 0.1."""
    predicted = np.where(right, truth, 1 - truth)
    ids = tuple(f"{split}-{i}" for i in range(len(truth)))
    return Prediction(split, ids, ids, truth, np.eye(2)[predicted] * 0.8 + 0.1, repeat)


def variant(
    method: str, table: str = "supervised", fraction: float = 1.0, name: str = ""
) -> Variant:
    return Variant(table, method, name, "features", "head", fraction)


def one(found: list[Compared], metric: str, test: str = BOOTSTRAP) -> Compared:
    [wanted] = [c for c in found if (c.metric, c.test) == (metric, test)]
    return wanted


TRUTH = np.arange(200) % 2


def test_the_interval_of_a_paired_difference_is_that_of_its_discordant_cases():
    rng = np.random.default_rng(0)
    a, b = rng.random(200) < 0.85, rng.random(200) < 0.75
    judged = {variant("a"): [said(TRUTH, a)], variant("b"): [said(TRUTH, b)]}
    found = one(compare(judged, 5000, 0.95, 0), "accuracy")
    differences = a.astype(float) - b
    assert found.difference == pytest.approx(differences.mean())
    error = differences.std() / math.sqrt(200)
    z = stats.norm.ppf(0.975)
    assert found.ci_low == pytest.approx(differences.mean() - z * error, abs=0.007)
    assert found.ci_high == pytest.approx(differences.mean() + z * error, abs=0.007)
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(differences.mean()) / error), abs=0.02)


def test_pairing_finds_what_two_intervals_would_hide():
    rng = np.random.default_rng(1)
    b = rng.random(200) < 0.7
    a = b | (rng.random(200) < 0.2)  # never wrong where b is right
    judged = {variant("a"): [said(TRUTH, a)], variant("b"): [said(TRUTH, b)]}
    found = one(compare(judged, 2000, 0.95, 0), "accuracy")
    assert found.ci_low > 0
    unpaired = math.sqrt(a.var() / 200 + b.var() / 200)
    assert found.ci_high - found.ci_low < 0.7 * 2 * 1.96 * unpaired


def test_a_method_does_not_differ_from_itself():
    right = np.random.default_rng(2).random(200) < 0.8
    judged = {variant("a"): [said(TRUTH, right)], variant("b"): [said(TRUTH, right)]}
    for found in compare(judged, 500, 0.95, 0):
        assert (found.difference, found.ci_low, found.ci_high) == (0, 0, 0)
        assert (found.p, found.p_corrected) == (1, 1)


def test_p_is_seldom_small_where_methods_are_equally_good():
    small = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        judged = {variant(name): [said(TRUTH[:80], rng.random(80) < 0.75)] for name in ("a", "b")}
        small += one(compare(judged, 200, 0.95, seed), "accuracy").p < 0.1
    # 200 trials at 0.1: three standard errors are 0.064.
    assert small / 200 == pytest.approx(0.1, abs=0.064)


def test_the_difference_is_that_of_the_means_over_splits_and_repetitions():
    rng = np.random.default_rng(3)
    methods: dict[Variant, list[Prediction]] = {variant("a"): [], variant("b"): []}
    for fold in range(2):
        truth = rng.permutation(TRUTH[:40])
        for repeat in range(3):
            methods[variant("a")].append(said(truth, rng.random(40) < 0.9, f"fold-{fold}", repeat))
        methods[variant("b")].append(said(truth, rng.random(40) < 0.7, f"fold-{fold}"))
    found = compare(methods, 300, 0.95, 0)
    for metric in TESTED:
        means = [
            np.mean([scores(p.truth, p.probabilities)[metric][0] for p in predictions])
            for predictions in methods.values()
        ]
        assert one(found, metric).difference == pytest.approx(means[0] - means[1])


def test_repetitions_that_differ_widen_the_interval():
    rng = np.random.default_rng(4)
    steady = rng.random(200) < 0.75
    b = [said(TRUTH, rng.random(200) < 0.75)]
    good, bad = np.ones(200, bool), np.zeros(200, bool)
    good[::2], bad[::2] = steady[::2], steady[::2]
    alike = [said(TRUTH, steady, repeat=i) for i in range(2)]
    unlike = [said(TRUTH, right, repeat=i) for i, right in enumerate((good, bad))]
    widths = []
    for a in (alike, unlike):
        found = one(compare({variant("a"): a, variant("b"): b}, 1000, 0.95, 0), "accuracy")
        widths.append(found.ci_high - found.ci_low)
    assert widths[1] > 2 * widths[0]


def test_repetitions_are_paired_where_both_methods_have_as_many():
    rng = np.random.default_rng(5)
    # Draws of labels: the first is good for both methods, the second bad for both.
    draws = [rng.random(200) < share for share in (0.95, 0.55)]
    both = [[said(TRUTH, right, repeat=i) for i, right in enumerate(draws)] for _ in range(2)]
    found = one(compare({variant("a"): both[0], variant("b"): both[1]}, 500, 0.95, 0), "accuracy")
    assert (found.ci_low, found.ci_high, found.p) == (0, 0, 1)


def test_auroc_is_tested_in_both_ways_and_they_agree():
    rng = np.random.default_rng(6)
    judged = {}
    for name, strength in (("a", 1.2), ("b", 0.6)):
        score = stats.norm.cdf(rng.normal(size=200) + strength * TRUTH)
        ids = tuple(map(str, range(200)))
        probabilities = np.stack([1 - score, score], axis=1)
        judged[variant(name)] = [Prediction("holdout", ids, ids, TRUTH, probabilities)]
    found = compare(judged, 4000, 0.95, 0)
    drawn, ranked = (one(found, "auroc", test) for test in (BOOTSTRAP, DELONG))
    assert drawn.difference == pytest.approx(ranked.difference)
    assert drawn.ci_low == pytest.approx(ranked.ci_low, abs=0.012)
    assert drawn.ci_high == pytest.approx(ranked.ci_high, abs=0.012)


@pytest.mark.parametrize(
    ("p", "corrected"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),  # 3 × .01; 2 × .03; max(.06, .04)
        ([0.5, 0.9], [1.0, 1.0]),
        ([0.02], [0.02]),
        ([0.01, math.nan, 0.04], [0.02, math.nan, 0.04]),
        ([], []),
    ],
)
def test_holm_multiplies_by_the_number_that_is_left(p, corrected):
    assert holm(p) == pytest.approx(corrected, nan_ok=True)


def test_a_family_is_one_table_with_all_its_shares_one_metric_and_one_test():
    rng = np.random.default_rng(7)
    judged = {
        variant(name, table, fraction): [said(TRUTH, rng.random(200) < share)]
        for table, fraction in (
            ("supervised", 1.0),
            ("label-efficiency", 0.1),
            ("label-efficiency", 1.0),
        )
        for name, share in (("a", 0.95), ("b", 0.8), ("c", 0.6))
    }
    found = compare(judged, 500, 0.95, 0)
    assert len(found) == 3 * 3 * (len(TESTED) + 1)
    for table, pairs in (("supervised", 3), ("label-efficiency", 6)):
        family = [c for c in found if (c.table, c.metric, c.test) == (table, "accuracy", BOOTSTRAP)]
        assert len(family) == pairs
        least = min(family, key=lambda c: c.p)
        assert least.p_corrected == pytest.approx(min(1, pairs * least.p))
    assert not {(c.method_a, c.method_b) for c in found} - {("a", "b"), ("a", "c"), ("b", "c")}


def test_what_is_undefined_for_one_class_is_not_tested():
    truth = np.ones(20, int)
    rng = np.random.default_rng(8)
    judged = {variant(name): [said(truth, rng.random(20) < 0.7)] for name in ("a", "b")}
    found = compare(judged, 200, 0.95, 0)
    for test in (BOOTSTRAP, DELONG):
        assert math.isnan(one(found, "auroc", test).p)
        assert math.isnan(one(found, "auroc", test).p_corrected)
    assert not math.isnan(one(found, "accuracy").p)


def test_of_each_method_the_variant_named_beforehand_is_compared():
    settings = EvaluateSettings(
        classifiers=("sgd", "logistic"), supervised={"finetune": "all", "sweep": ["paper"]}
    )
    linear = [
        Variant("linear", method, name, layer, chosen)
        for method, names in (("rdfc", ("radiomics", "image", "both")), ("simclr", ("image",)))
        for layer in ("features", "embedding")
        for name in names
        for chosen in ("sgd", "logistic")
    ]
    tuned = [
        Variant("supervised", "hybrid-finetune", n, "features", "head") for n in ("paper", "all")
    ]
    scratch = Variant("supervised", "hybrid-scratch", "both", "features", "head")
    few = Variant("label-efficiency", "rdfc", "both", "features", "sgd", 0.05)
    control = Variant("control", "radiomics", "radiomics", "raw", "sgd")
    everything = [*linear, *tuned, scratch, scratch.scaled(), few, few.scaled(), control]
    assert set(judged_variants(settings, {e: [] for e in everything})) == {
        Variant("linear", "rdfc", "both", "features", "sgd"),
        Variant("linear", "simclr", "image", "features", "sgd"),
        tuned[1],
        scratch,
        few,
    }


def test_image_is_compared_with_image_and_both_views_are_named_as_such():
    """Ours on the image alone says what the other one says; with both views it is always right."""
    rng = np.random.default_rng(3)
    truth = np.array([0, 1] * 30)
    weak, strong = predicted(truth, 0.7, rng), predicted(truth, 1.0, rng)
    variant = {
        (method, view): Variant("linear", method, view, "features", "logistic")
        for method, views in {"rdfc": ("radiomics", "image", "both"), "simclr": ("image",)}.items()
        for view in views
    }
    found = {
        variant["rdfc", "radiomics"]: [strong],
        variant["rdfc", "image"]: [weak],
        variant["rdfc", "both"]: [strong],
        variant["simclr", "image"]: [weak],
    }
    settings = EvaluateSettings()
    pairs = compare(judged_variants(settings, found), 200, 0.95, 0, views_apart(settings, found))
    by_name = {(c.method_a, c.method_b): c for c in pairs if c.metric == "accuracy"}
    assert set(by_name) == {("rdfc", "simclr"), ("rdfc (both views)", "simclr")}
    assert by_name["rdfc", "simclr"].difference == 0
    weak_accuracy = (weak.probabilities.argmax(axis=1) == truth).mean()
    assert by_name["rdfc (both views)", "simclr"].difference == pytest.approx(1 - weak_accuracy)


def test_two_of_three_views_are_not_alike_because_they_are_two():
    """One pretext joins image and radiomics, another image and text: they share the image."""
    rng = np.random.default_rng(4)
    truth = np.array([0, 1] * 30)
    seen = {"rdfc": ("radiomics", "image", "both"), "other": ("image", "text", "both")}
    variant = {
        (method, view): Variant("linear", method, view, "features", "logistic")
        for method, views in seen.items()
        for view in views
    }
    found = {entry: [predicted(truth, 0.8, rng)] for entry in variant.values()}
    settings = EvaluateSettings()
    pairs = compare(judged_variants(settings, found), 200, 0.95, 0, views_apart(settings, found))
    by_name = {(c.method_a, c.method_b): c.difference for c in pairs if c.metric == "accuracy"}
    assert set(by_name) == {
        ("rdfc (image)", "other (image)"),
        ("rdfc (radiomics and image)", "other (image and text)"),
    }

    def accuracy(method: str, view: str) -> float:
        said = found[variant[method, view]][0].probabilities
        return float((said.argmax(axis=1) == truth).mean())

    expected = accuracy("rdfc", "image") - accuracy("other", "image")
    assert by_name["rdfc (image)", "other (image)"] == pytest.approx(expected)


def test_three_views_are_compared_with_two_view_by_view():
    truth = np.array([0, 1] * 30)
    rng = np.random.default_rng(5)
    seen = {"rdfc": ("a", "b", "c", "all"), "other": ("a", "b", "both")}
    found = {
        Variant("linear", method, view, "features", "logistic"): [predicted(truth, 0.8, rng)]
        for method, views in seen.items()
        for view in views
    }
    settings = EvaluateSettings()
    pairs = compare(judged_variants(settings, found), 100, 0.95, 0, views_apart(settings, found))
    assert {(c.method_a, c.method_b) for c in pairs} == {
        ("rdfc (a)", "other (a)"),
        ("rdfc (b)", "other (b)"),
        ("rdfc (all views)", "other (both views)"),
    }


def predicted(truth, right: float, rng) -> Prediction:
    """Someone who is right in this share of cases, each its own patient."""
    said = np.where(rng.uniform(size=len(truth)) < right, truth, 1 - truth)
    ids = tuple(f"c{i}" for i in range(len(truth)))
    return Prediction("holdout", ids, ids, truth, np.eye(2)[said] * 0.8 + 0.1)
