"""A study's query strategies: tried on every split, in its results and in its report."""

from __future__ import annotations

import pytest

from rdfc_core.report import write_report
from rdfc_core.results.schema import Results
from tests.support.small_study import QUICK, run_study

OWN = (
    "evaluate.controls=[]",
    "evaluate.query_strategies={typical: typiclust, margin: margin}",
    "evaluate.querying={labels: [2, 10, 12, 500], repeats: 2}",
)


@pytest.fixture(scope="module")
def judged(pictures, once):
    def run(place):
        run_study(pictures, place / "run", place / "store.sqlite", (*QUICK, *OWN))

    return once("queried", run) / "run"


def test_results_tell_every_strategy_at_every_number_of_labels(judged):
    found = Results.read(judged / "results.json").queries
    counts = ((2,), (10,), (12,), (10, 12))
    assert {(one.strategy, one.labels) for one in found} == {
        (name, labels) for name in ("random", "typical", "margin") for labels in counts
    }
    for one in found:
        assert one.metric == "f1_weighted"
        assert (one.folds, one.repeats) == (1, 2)
        assert one.ci_low <= one.mean <= one.ci_high
        assert one.difference_low <= one.difference <= one.difference_high
        if one.strategy == "random":
            assert one.difference == one.difference_low == one.difference_high == 0


def test_the_report_draws_them(judged):
    page = write_report(judged).read_text("utf-8")
    assert 'id="buying"' in page
    for words in ("typical", "margin", "mean of 10 to 12", "labels-bought"):
        assert words in page


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("query_strategies=[typicluster]", "Did you mean 'typiclust'?"),
        ("query_strategies=[margin, margin]", "one query_strategy stands twice; name them"),
        ("query_strategies={random: margin}", "'random' is what strategies are compared with"),
    ],
)
def test_what_cannot_be_tried_is_refused(rdfc_here, study_file, setting, told):
    rdfc_here("run", study_file, f"--set=evaluate.{setting}", "--executor=local:workers=0").refused(
        told
    )
