"""The task learns the correspondence of two real towers, and the controls do not."""

import pytest
import torch

from rdfc_core.training.collapse import collapse_signs

CASES = 128  # retrieval by chance: 1 / 128 = 0.008
EPOCHS = 60


@pytest.mark.parametrize(
    "objective",
    [
        {"variant": "stale-positive"},
        {"variant": "stale-positive", "positive_in_denominator": False},
        {"variant": "stale-positive", "estimator": "nce"},
        {"variant": "stale-positive", "negatives_per": "batch"},
        {"variant": "full-bank"},
        {"variant": "in-batch"},
    ],
    ids=lambda options: "-".join(str(value) for value in options.values()),
)
def test_each_case_finds_its_counterpart_after_training(problem, pretext_of, objective) -> None:
    scene = problem(CASES, ["radiomics", "image"])
    pretext = pretext_of(scene, objective)
    untrained = collapse_signs(scene.embeddings(pretext))
    scene.train(pretext, EPOCHS)
    signs = collapse_signs(scene.embeddings(pretext))
    assert untrained["radiomics-image.retrieval_top1"] < 0.1
    assert signs["radiomics-image.retrieval_top1"] > 0.4
    assert abs(signs["image.off_diagonal"]) < 0.3


@pytest.mark.parametrize(
    ("variant", "pairing"),
    [
        ("stale-positive", "fixed-shuffle"),
        ("full-bank", "fixed-shuffle"),
        ("stale-positive", "reshuffled"),
        ("in-batch", "reshuffled"),
    ],
)
def test_a_control_learns_nothing_of_the_true_correspondence(
    problem, pretext_of, variant, pairing
) -> None:
    scene = problem(CASES, ["radiomics", "image"])
    pretext = pretext_of(scene, {"variant": variant}, pairing=pairing)
    scene.train(pretext, EPOCHS)
    signs = collapse_signs(scene.embeddings(pretext))
    assert signs["radiomics-image.retrieval_top1"] < 0.1


def test_a_fresh_positive_degenerates_as_its_warning_says(problem, pretext_of) -> None:
    cosines = {}
    for variant in ("stale-positive", "fresh-positive"):
        scene = problem(CASES, ["radiomics", "image"])
        pretext = pretext_of(scene, {"variant": variant})
        scene.train(pretext, 40)
        cosines[variant] = collapse_signs(scene.embeddings(pretext))["image.off_diagonal"]
    assert cosines["stale-positive"] < 0.2
    assert cosines["fresh-positive"] > 0.6


def test_what_was_learnt_holds_for_cases_never_seen(problem, pretext_of) -> None:
    scene = problem(2 * CASES, ["radiomics", "image"])
    every = scene.data
    scene.cases, scene.data = CASES, {name: rows[:CASES] for name, rows in every.items()}
    pretext = pretext_of(scene)
    scene.train(pretext, EPOCHS)
    scene.data = {name: rows[CASES:] for name, rows in every.items()}
    signs = collapse_signs(scene.embeddings(pretext))
    assert signs["radiomics-image.retrieval_top1"] > 0.2


def test_three_views_and_an_image_image_term_train_together(problem, pretext_of) -> None:
    scene = problem(CASES, ["radiomics", "image", "report"])
    terms = [["radiomics", "image"], ["radiomics", "report"], ["image", "image"]]
    pretext = pretext_of(scene, terms=terms, weights=[1, 1, 0.5])
    scene.train(pretext, EPOCHS)
    signs = collapse_signs(scene.embeddings(pretext))
    assert signs["radiomics-image.retrieval_top1"] > 0.4
    assert signs["radiomics-report.retrieval_top1"] > 0.4


def test_training_is_repeated_bit_by_bit(problem, pretext_of) -> None:
    states = []
    for _ in range(2):
        scene = problem(40, ["radiomics", "image"])
        pretext = pretext_of(scene)
        scene.train(pretext, 2)
        states.append(pretext.state_dict())
    assert all(torch.equal(states[0][key], value) for key, value in states[1].items())
