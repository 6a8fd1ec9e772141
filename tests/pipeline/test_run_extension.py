"""A larger budget extends a run: what it ends with is what it would have had from the start."""

from __future__ import annotations

import pytest
import torch

from rdfc_core.config.load import load_study
from rdfc_core.config.resolve import resolve
from rdfc_core.errors import StudyError
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.pipeline.run_inputs import changes, extends
from tests.support.small_study import QUICK, lasting, resolved, run_study, train

STABLE = ("pretrain.schedule=warmup-stable-decay", "pretrain.warmup_steps=2")


def weights(pretext):
    return torch.cat([value.double().ravel() for value in pretext.state_dict().values()])


def test_an_extended_training_is_that_of_the_larger_budget(pictures, tmp_path):
    small, large = (*STABLE, "pretrain.epochs=6"), (*STABLE, "pretrain.epochs=10")
    ended = weights(train(pictures, tmp_path / "a", small))
    extended = weights(train(pictures, tmp_path / "a", large))
    whole = weights(train(pictures, tmp_path / "b", large))
    assert torch.equal(extended, whole)
    assert not torch.equal(extended, ended)


def test_a_finished_training_is_not_done_again(pictures, tmp_path):
    told = []

    class Told:
        def send(self, metrics):
            told.append(metrics["epoch"])

    study = (*STABLE, "pretrain.epochs=6")
    first = weights(train(pictures, tmp_path, study, Told()))
    assert told == [1, 2, 3, 4, 5, 6]
    assert torch.equal(weights(train(pictures, tmp_path, study, Told())), first)
    assert told == [1, 2, 3, 4, 5, 6]


def test_a_finished_run_is_extended_by_a_larger_budget_alone(pictures, tmp_path):
    quick = (*QUICK[:1], *STABLE, "evaluate.controls=[]")
    run_study(pictures, tmp_path / "a", tmp_path / "store", (*quick, "pretrain.epochs=4"))
    run_study(pictures, tmp_path / "a", tmp_path / "store", (*quick, "pretrain.epochs=7"))
    run_study(pictures, tmp_path / "b", tmp_path / "store", (*quick, "pretrain.epochs=7"))
    extended, whole = lasting(tmp_path / "a"), lasting(tmp_path / "b")
    assert extended["rows"] == whole["rows"]
    assert extended["run"]["convergence"] == whole["run"]["convergence"]
    with pytest.raises(StudyError, match="another study"):
        run_study(pictures, tmp_path / "a", tmp_path / "store", (*quick, "pretrain.epochs=5"))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (("epochs=5",), ("epochs=6",), True),
        (("epochs=6",), ("epochs=5",), False),
        (("epochs=5",), ("epochs=5",), False),
        (("steps=5",), ("steps=9",), True),
        (("steps=5",), (), True),  # without steps the epochs alone are the budget
        ((), ("steps=5",), False),
        (("epochs=5", "patience=3"), ("epochs=6", "patience=2"), False),
    ],
)
def test_only_a_budget_that_is_nowhere_smaller_extends(pictures, old, new, expected):
    none = ("steps=null", "patience=null")
    before, now = (
        resolved(pictures, *(f"pretrain.{one}" for one in (*none, *keys))) for keys in (old, new)
    )
    assert extends(now, before.dump()) is expected


def test_an_unconverged_run_says_so_and_how_to_go_on(pictures, tmp_path, caplog, registry):
    quick = (*QUICK[:1], *STABLE, "evaluate.controls=[]", "pretrain.patience=9")
    results = run_study(
        pictures, tmp_path / "run", tmp_path / "store", (*quick, "pretrain.epochs=4")
    )
    sentence = next(one for one in results.warnings if "unconverged" in one)
    assert sentence in caplog.text
    assert "rdfc run RUN/study.yaml --out RUN --set pretrain.epochs=8." in sentence
    run = RunFolder(tmp_path / "run")
    longer = resolve(load_study(run.study, ["pretrain.epochs=8"]), registry)
    assert extends(longer, run.read_study())
    assert changes(longer, run.filled_in(registry), None, {}) == []
    assert not results.run["convergence"]["holdout"]["converged"]


def test_the_folds_of_a_pretext_are_told_of_in_one_sentence_with_their_count(pictures, tmp_path):
    quick = (*QUICK[:1], *STABLE, "evaluate.controls=[]", "pretrain.patience=9")
    folds = ("split.kind=folds", "split.folds=3", "evaluate.compare={plain: {name: simclr}}")
    budget = ("pretrain.epochs=4", "evaluate.classifiers=[logistic]")
    results = run_study(pictures, tmp_path / "run", tmp_path / "store", (*quick, *folds, *budget))
    told = [one for one in results.warnings if "unconverged" in one]
    assert len(told) == 2
    assert told[0].startswith("Pretraining (in 3 of 3 splits) ended unconverged after ")
    assert told[1].startswith("Pretraining (plain, in 3 of 3 splits) ended unconverged after ")
    splits = {f"fold-{n}" for n in (1, 2, 3)}
    assert set(results.run["convergence"]) == splits | {f"{one}.plain" for one in splits}


def test_where_patience_ends_it_nothing_is_said(pictures, tmp_path):
    patient = ("pretrain.patience=1", "pretrain.check_steps=1", "pretrain.learning_rate=1e-9")
    quick = (*QUICK[:1], *STABLE, "evaluate.controls=[]", *patient)
    results = run_study(
        pictures, tmp_path / "run", tmp_path / "store", (*quick, "pretrain.epochs=50")
    )
    assert results.run["convergence"]["holdout"]["converged"]
    assert results.run["convergence"]["holdout"]["epochs"] < 50
    assert not any("unconverged" in one for one in results.warnings)
