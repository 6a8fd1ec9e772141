"""No headline on what cannot be judged, and no interval without its estimate."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from rdfc_core.case import Case
from rdfc_core.data.splits import Split
from rdfc_core.data.targets import CLASSES
from rdfc_core.evaluation.bootstrap import Prediction, estimates, interval
from rdfc_core.evaluation.sample_size import LEAST, held_back, too_few
from rdfc_core.report import write_report
from rdfc_core.results.schema import Results
from rdfc_core.results.vocabulary import METRICS


def case(number: int, label: str, patient: int | None = None) -> Case:
    owner = f"p{number if patient is None else patient}"
    return Case(f"c{number}", owner, Path("i"), Path("m"), label)


def test_cases_and_patients_of_each_class_are_counted_over_all_splits():
    cases = [case(0, "a"), case(1, "a", 0), case(2, "b"), case(3, "b"), case(4, "a")]
    splits = [Split("fold-1", (), (), ("c0", "c1", "c2")), Split("fold-2", (), (), ("c3",))]
    assert held_back(cases, splits, CLASSES.groups(("a", "b", "c"))) == {
        "a": {"cases": 2, "patients": 1},
        "b": {"cases": 2, "patients": 2},
        "c": {"cases": 0, "patients": 0},
    }
    assert held_back(cases, [Split("all", ("c0",), (), ())], CLASSES.groups(("a",))) == {}


@pytest.mark.parametrize("enough", [True, False])
@pytest.mark.parametrize("what", ["cases", "patients"])
def test_below_a_stated_number_of_either_nothing_is_judged(enough, what):
    counts = {"a": {"cases": 40, "patients": 40}, "b": {"cases": 30, "patients": 30}}
    counts["b"][what] = LEAST if enough else LEAST - 1
    if what == "cases":
        counts["b"]["patients"] = counts["b"]["cases"]
    sentence = too_few(counts, folds=False)
    assert bool(sentence) != enough
    if sentence:
        assert "of 'b'" in sentence
        assert "of 'a'" not in sentence
        assert f"at least {LEAST}" in sentence
        assert "split.kind=folds" in sentence
        assert "split.kind=folds" not in too_few(counts, folds=True)
    assert too_few({}, folds=False) == ""


def test_a_run_on_few_cases_has_no_headline(finished, tmp_path):
    """Of the small study, four cases of each class are held back."""
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    results = Results.read(run / "results.json")
    tested = results.dataset["tested"]
    assert sum(one["cases"] for one in tested.values()) == results.dataset["splits"][0]["test"]
    sentence = too_few(tested, folds=False)
    assert sentence in results.warnings
    html = write_report(run).read_text(encoding="utf-8")
    assert "<b>It cannot be told</b> Too few cases are held back" in html
    assert " reaches " not in html.partition("</header>")[0]
    enough = {label: {"cases": 50, "patients": 50} for label in tested}
    results.model_copy(
        update={"dataset": {**results.dataset, "tested": enough}, "warnings": ()}
    ).write(run / "results.json")
    assert (
        "rdfc reaches " in write_report(run).read_text(encoding="utf-8").partition("</header>")[0]
    )


@pytest.mark.parametrize("seed", range(8))
def test_every_interval_contains_its_estimate(seed):
    """Calibrated probabilities of few cases: every resample has a larger calibration error."""
    rng = np.random.default_rng(seed)
    chance = rng.uniform(0.5, 1, 40)
    truth = (rng.uniform(size=40) < chance).astype(np.int64)
    prediction = Prediction(
        "holdout",
        tuple(f"c{i}" for i in range(40)),
        tuple(f"p{i}" for i in range(40)),
        truth,
        np.stack([1 - chance, chance], axis=1),
    )
    found = estimates([prediction], 200, 0.95, seed)
    for metric in METRICS:
        assert found[metric].low <= found[metric].mean <= found[metric].high, metric


def test_an_interval_is_that_of_the_percentiles_where_these_hold_the_estimate():
    drawn = np.arange(1001.0)
    assert interval(drawn, 500.0, 0.9) == pytest.approx((50.0, 950.0))
    assert interval(drawn, 10.0, 0.9) == pytest.approx((10.0, 950.0))
    assert interval(drawn, 2000.0, 0.9) == pytest.approx((50.0, 2000.0))
    assert np.isnan(interval(np.array([np.nan]), 1.0, 0.9)).all()
