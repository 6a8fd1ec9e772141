"""The three lines that a report and the terminal begin with: each says what the run shows."""

from __future__ import annotations

import re

import pytest
import typer

from rdfc_core.cli import app
from rdfc_core.report.answers import answers
from rdfc_core.report.glossary import METRIC_MEANINGS, explained
from rdfc_core.report.run_data import RecordedResults
from rdfc_core.results.schema import Against, Comparison, Headline, Judged, Row, Selection
from rdfc_core.results.vocabulary import METRICS, NUMBER_METRICS

INTERVALS = {"better": (0.02, 0.2), "open": (-0.05, 0.15), "worse": (-0.2, -0.02)}
ENOUGH = {name: {"cases": 60, "patients": 60} for name in ("benign", "malignant")}


def judged(table: str, method: str, classifier: str = "") -> Judged:
    return Judged(table=table, method=method, input="", layer="", classifier=classifier)


MAIN = judged("supervised", "selected")
NETWORKS = judged("supervised", "hybrid-finetune"), judged("supervised", "hybrid-scratch")
PROBES = judged("linear", "rdfc"), judged("control", "random-init")
CONTROL = judged("control", "size-only")


def against(of: Judged, less: Judged, outcome: str) -> Against:
    low, high = INTERVALS[outcome]
    return Against(
        of=of,
        less=less,
        difference=(low + high) / 2,
        ci_low=low,
        ci_high=high,
        p=0.01,
        p_corrected=0.02,
    )


def few_labels(outcome: str, share: float = 0.05) -> Comparison:
    low, high = INTERVALS[outcome]
    return Comparison(
        table="label-efficiency",
        label_fraction=share,
        metric="f1_weighted",
        method_a="hybrid-finetune",
        method_b="hybrid-scratch",
        difference=(low + high) / 2,
        ci_low=low,
        ci_high=high,
        p=0.01,
        p_corrected=0.02,
        test="paired-bootstrap",
    )


def results(*pairs: Against, **changes) -> RecordedResults:
    """A run whose chosen model is the fine-tuned network, with enough cases of all kinds."""
    row = Row(
        **MAIN.model_dump(),
        dataset="d",
        metric="f1_weighted",
        mean=0.8,
        sd=None,
        ci_low=0.7,
        ci_high=0.9,
        n_cases=120,
        folds=1,
        seeds=1,
    )
    chosen = Selection(
        split="holdout",
        chosen="hybrid-finetune",
        members=("hybrid-finetune",),
        folds=5,
        labelled_cases=80,
        reason="it has the lowest log loss",
    )
    headline = Headline(
        main=MAIN,
        metric="f1_weighted",
        against=(against(MAIN, CONTROL, "better"), *pairs),
        confidence=0.95,
        resamples=100,
    )
    values = {
        "rows": (row,),
        "selections": (chosen,),
        "headline": headline,
        "dataset": {
            "tested": ENOUGH,
            "unlabelled": 300,
            "splits": [{"name": "holdout", "pretext": 400, "train": 80, "test": 120}],
        },
    }
    return RecordedResults(**{**values, **changes})


def networks(outcome: str) -> Against:
    return against(*NETWORKS, outcome)


def probes(outcome: str) -> Against:
    return against(*PROBES, outcome)


@pytest.mark.parametrize(
    ("pairs", "fewer", "word"),
    [
        (("better", "better"), None, "Yes"),
        (("better", "open"), None, "In part"),
        (("better", "worse"), "better", "In part"),
        (("open", "open"), "better", "With few labels"),
        (("open", "open"), "open", "No gain is shown"),
        (("open", "open"), None, "No gain is shown"),
        (("worse", "open"), None, "No, it does worse"),
    ],
)
def test_whether_pretraining_helped_is_told_by_like_with_like(pairs, fewer, word):
    comparisons = (few_labels(fewer), few_labels("better", 0.2)) if fewer else ()
    found = results(networks(pairs[0]), probes(pairs[1]), comparisons=comparisons)
    first = answers(found, "run")[0]
    assert (first.question, first.word) == ("Did pretraining help?", word)
    for outcome, name in zip(
        pairs, ("training from scratch", "the untrained network"), strict=True
    ):
        low, high = (f"{end:+.3f}".replace("-", "−") for end in INTERVALS[outcome])
        assert re.search(
            rf"gainst {name} \S+ \[{re.escape(low)}, {re.escape(high)}\]", first.grounds
        )
    assert ("with 5\u00a0% of the labels" in first.grounds) == bool(fewer)
    assert "20\u00a0%" not in first.grounds


def test_that_the_chosen_model_beats_a_control_is_no_gain_of_pretraining():
    first = answers(results(against(MAIN, PROBES[1], "better")), "run")[0]
    assert first.word == "Not asked"
    assert "random-init" in first.grounds
    assert "hybrid-scratch" in first.grounds


def test_the_saved_model_is_named_with_its_score_and_why_it_was_taken():
    second = answers(results(networks("better")), "run")[1]
    assert (second.question, second.word) == ("Which model is saved?", "The fine-tuned network")
    for words in ("0.800 [0.700, 0.900]", "120 held-back cases", "size-only", "lowest log loss"):
        assert words in second.grounds


UNCONVERGED = {
    "convergence": {
        "holdout": {"converged": False, "history": [{}], "longer": ["pretrain.steps=1600"]},
        "holdout.simclr": {"converged": False, "history": [{}], "longer": ["pretrain.steps=9"]},
    }
}
FEW = {
    "dataset": {
        "tested": {"benign": {"cases": 3, "patients": 3}},
        "splits": [{"name": "holdout"}],
    }
}
BY_DEFAULT = {
    "selections": (
        Selection(
            split="holdout",
            chosen="probe",
            members=("probe",),
            folds=0,
            labelled_cases=3,
            reason="too few",
        ),
    )
}
FAILED = {"failed": ({"case_id": "a", "reason": "cut off"}, {"case_id": "b"})}


@pytest.mark.parametrize(
    ("changes", "word", "grounds"),
    [
        (
            {"run": UNCONVERGED},
            "Train longer",
            "runs/a/study.yaml --out runs/a --set pretrain.steps=1600 ",
        ),
        (FEW, "More held-back cases", "--set split.kind=folds"),
        (BY_DEFAULT, "Label more patients", "too few labels to choose a model by"),
        (FAILED, "Mend the cases that failed", "2 cases could not be used"),
        ({}, "Validate it elsewhere", "rdfc validate runs/a --manifest OTHER.csv"),
        (
            {**FAILED, "run": UNCONVERGED, **FEW},
            "Mend the cases that failed",
            "More held-back cases: ",
        ),
    ],
)
def test_what_comes_next_follows_from_what_the_run_lacks(changes, word, grounds):
    last = answers(results(networks("better"), probes("better"), **changes), "runs/a")[2]
    assert (last.question, last.word) == ("What next?", word)
    assert grounds in last.grounds
    assert "pretrain.steps=9" not in last.grounds


def test_without_a_gain_labels_are_advised_and_unlabelled_cases_where_there_are_none():
    found = results(networks("open"))
    assert answers(found, "r")[2].word == "Label more"
    bare = found.model_copy(
        update={"dataset": found.dataset.model_copy(update={"unlabelled": None})}
    )
    assert answers(bare, "r")[2].word == "Add cases without a diagnosis"


def test_an_unconverged_pretraining_qualifies_the_first_answer():
    said = [
        answers(results(networks("open"), run=run), "r")[0].grounds for run in ({}, UNCONVERGED)
    ]
    assert ["before its task was learnt" in one for one in said] == [False, True]


def test_of_too_few_cases_no_number_is_given():
    first, second, _ = answers(results(networks("better"), **FEW), "r")
    assert first.word == "It cannot be told"
    assert "3 of 'benign'" in first.grounds
    assert not re.search(r"0\.\d", first.grounds + second.grounds)


def test_every_command_that_is_advised_is_there():
    there = set(typer.main.get_command(app).commands)
    found = [
        results(networks(outcome), probes(outcome), **changes)
        for outcome in ("better", "open")
        for changes in ({}, FAILED, FEW, {"run": UNCONVERGED})
    ]
    said = " ".join(str(answer) for one in found for answer in answers(one, "r"))
    advised = set(re.findall(r"\brdfc ([a-z]+)", said))
    assert advised >= {"run", "validate", "predict", "suggest"}
    assert advised <= there


def test_words_are_explained_where_they_are_used_and_nowhere_else():
    said = str(answers(results(networks("better")), "r"))
    told = dict(explained(said, ["f1_weighted", "auroc"], 0.9))
    assert "Weighted F1" in told
    assert "training from scratch" in told
    assert "90 %" in told["[0.72, 0.81]"]
    assert "AUROC" not in told
    assert "untrained network" not in told
    assert set(METRIC_MEANINGS) == {*METRICS, *NUMBER_METRICS}
