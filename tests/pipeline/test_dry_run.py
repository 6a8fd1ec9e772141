"""What a study asks for is tried on two cases before all are extracted."""

from __future__ import annotations

import shutil

import pytest

from rdfc_core import RdfcError
from rdfc_core.pipeline import run as studies
from tests.support import small_study
from tests.support.small_study import QUICK

TIMM = "views.image.encoder={name: timm, model: %s}"
BOTH = 2 * 6
"""Results that the store holds of two cases: three views, size, thumbnail and inspection."""


@pytest.mark.parametrize("until", ["extract", "pretrain"])
@pytest.mark.parametrize("model", ["resnet19", "resnet18, weights: /nowhere.pt"])
def test_a_step_alone_refuses_what_the_next_one_would(
    pictures, run_context, tmp_path, model, until
):
    study = small_study.resolved(pictures, *QUICK, TIMM % model)
    with pytest.raises(RdfcError):
        studies.run(study, tmp_path / "run", run_context, until=until)
    assert run_context.store.count() <= BOTH
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ([TIMM % "resnet19"], "has no model 'resnet19'. Did you mean 'resnet18'"),
        ([TIMM % "resnet18.nobody"], "has no weights tagged 'nobody'"),
        ([TIMM % "resnet18, arguments: {depth: 3}"], "timm cannot build resnet18"),
        ([TIMM % "resnet18, weights: /nowhere.pt"], "/nowhere.pt are not a file"),
        ([TIMM % "vit_tiny_patch16_224"], "made for pictures of one size"),
        (["pretext.terms=[[radiomics, moon]]"], "moon"),
        (["evaluate.compare=[{name: jigsaw, grid: 9}]"], "jigsaw"),
        (
            [
                "evaluate.methods=[hybrid-finetune]",
                "evaluate.supervised.finetune={name: own, freeze: [image.layer9]}",
            ],
            "layer9",
        ),
    ],
)
def test_what_cannot_be_built_costs_two_cases_and_leaves_no_folder(
    pictures, run_context, tmp_path, overrides, words
):
    with pytest.raises(RdfcError) as caught:
        studies.run(
            small_study.resolved(pictures, *QUICK, *overrides), tmp_path / "run", run_context
        )
    assert words in str(caught.value)
    assert run_context.store.count() <= BOTH
    assert not (tmp_path / "run").exists()


def test_trying_changes_nothing_of_what_is_learnt(pictures, run_context, tmp_path, monkeypatch):
    study = small_study.resolved(pictures, *QUICK)
    studies.run(study, tmp_path / "tried", run_context)
    monkeypatch.setattr(studies, "try_on_few", lambda *_: None)
    studies.run(study, tmp_path / "not", run_context)
    assert small_study.lasting(tmp_path / "tried") == small_study.lasting(tmp_path / "not")


def test_cases_that_cannot_be_read_are_left_to_the_extraction(pictures, run_context, tmp_path):
    folder = shutil.copytree(pictures, tmp_path / "own")
    for place in range(4):
        (folder / "masks" / f"case-{place:03d}.png").unlink()
    study = small_study.resolved(folder, *QUICK, "pretrain.epochs=1")
    assert len(studies.run(study, tmp_path / "run", run_context).failed) == 4
