"""Correspondence and SimCLR in one word: its loss, its draws, and what the word sets."""

import math

import numpy as np
import pytest
import torch
from pytorch_metric_learning.losses import NTXentLoss
from torch.nn import functional as F

from rdfc_core.config.load import load_study
from rdfc_core.config.resolve import resolve, resolve_part
from rdfc_core.errors import StudyError
from rdfc_core.interfaces import Batch
from rdfc_core.plugin.component import Part
from rdfc_core.plugin.registry import installed
from rdfc_core.testing import check_pretext
from rdfc_core.testing.partners import picture_view, vector_view
from rdfc_core.testing.tumours import example_tumours
from rdfc_objective_infonce.correspondence_simclr import corrupted, nt_xent

CASES = 8
WORDS = ("correspondence-simclr", "correspondence-simclr-bank", "correspondence-reconstruction")


def task(word="correspondence-simclr", **options):
    torch.manual_seed(0)
    part = Part(name=word, options={"width": 16, **options})
    return resolve_part("pretext", part, installed(), "pretext").build(installed())


class Scene:
    """Eight generated tumours in a view of numbers and a view of pictures."""

    def __init__(self, **views):
        self.views = views or {"radiomics": vector_view(), "image": picture_view()}
        self.data = {}
        for name, view in self.views.items():
            prepared = [view.prepare(tumour) for tumour in example_tumours(2, CASES)]
            view.fit(prepared)
            self.data[name] = view.collate(prepared)

    def build(self, pretext):
        torch.manual_seed(1)
        towers = {name: view.tower() for name, view in self.views.items()}
        pretext.build(towers, CASES, torch.Generator().manual_seed(3))
        return pretext

    def batch(self, seed=0, indices=None):
        indices = torch.arange(CASES) if indices is None else indices
        prepared = {name: rows[indices] for name, rows in self.data.items()}
        return Batch(indices, prepared, self.views, torch.Generator().manual_seed(seed))


def units(rows, seed):
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(rows, 16, generator=generator), dim=1)


@pytest.mark.parametrize("temperature", [0.07, 0.2, 1.0])
def test_nt_xent_is_that_of_pytorch_metric_learning(temperature):
    first, second = units(7, 0), units(7, 1)
    labels = torch.arange(7).repeat(2)
    expected = NTXentLoss(temperature)(torch.cat([first, second]), labels)
    found = nt_xent(first, second, torch.arange(7), temperature)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_case_that_stands_twice_in_a_batch_is_not_its_own_negative():
    first, second = units(4, 0), units(4, 1)
    cases = [3, 5, 3, 9]
    draws = torch.cat([first, second]).double().numpy()
    losses = []
    for i in range(8):
        j = (i + 4) % 8
        others = [k for k in range(8) if cases[k % 4] != cases[i % 4]]
        total = sum(math.exp(draws[i] @ draws[k] / 0.2) for k in (j, *others))
        losses.append(math.log(total) - draws[i] @ draws[j] / 0.2)
    found = nt_xent(first, second, torch.tensor(cases), 0.2)
    assert found.item() == pytest.approx(np.mean(losses), rel=1e-5)


def test_equal_embeddings_cost_the_logarithm_of_all_other_draws():
    same = F.normalize(torch.ones(6, 16), dim=1)
    assert nt_xent(same, same, torch.arange(6), 0.2).item() == pytest.approx(math.log(11))


def test_features_are_corrupted_by_the_same_feature_of_other_cases():
    rows = torch.arange(200 * 50, dtype=torch.float32).reshape(200, 50)
    found = corrupted(rows, 0.3, torch.Generator().manual_seed(0))
    assert torch.equal(found % 50, rows % 50)  # the column stays
    assert (found != rows).float().mean().item() == pytest.approx(0.3 * 199 / 200, abs=0.02)
    kept = (found == rows).float().mean(1)
    assert kept.std() > 0  # each feature is drawn on its own, and not a fixed number a case
    assert corrupted(rows, 0.0, torch.Generator()) is rows


def test_the_loss_is_correspondence_with_both_draws_and_simclr():
    scene = Scene()
    pretext = scene.build(task(corruption=0.4)).eval()
    output = pretext(scene.batch(seed=5))
    generator = torch.Generator().manual_seed(5)
    features = scene.views["radiomics"].augment(scene.data["radiomics"], generator)
    features = corrupted(features, 0.4, generator)
    varied = scene.views["image"].varied(
        {"crop_scale": (0.3, 1.0), "contrast": 0.35, "brightness": 0.2, "noise": 0.03}
    )
    pictures = [varied.augment(scene.data["image"], generator) for _ in range(2)]
    towers = pretext.encoders()
    r = pretext.embed({"radiomics": towers["radiomics"](features)})["radiomics"]
    d = [pretext.embed({"image": towers["image"](one)})["image"] for one in pictures]
    own = torch.arange(CASES)
    expected = NTXentLoss(0.2)(torch.cat(d), own.repeat(2))
    for one in d:
        logits = one @ r.T / 0.07
        expected = expected + 0.5 * (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own))
    assert output.loss.item() == pytest.approx(expected.item(), rel=1e-4)
    torch.testing.assert_close(output.embeddings["image"], d[0].detach())
    assert set(output.embeddings) == {"radiomics", "image"}


def test_named_terms_and_weights_decide():
    scene = Scene()
    terms = [["radiomics", "image"], ["image", "image"]]
    losses = []
    for weights in ([1, 1], [1, 3], [2, 1]):
        pretext = scene.build(task(terms=terms, weights=weights)).eval()
        losses.append(pretext(scene.batch(seed=5)).loss.item())
    plain = scene.build(task()).eval()(scene.batch(seed=5))
    assert plain.loss.item() == pytest.approx(losses[0], rel=1e-6)
    logs = plain.logs
    assert losses[1] - losses[0] == pytest.approx(2 * logs["image-image.loss"].item(), rel=1e-4)
    assert losses[2] - losses[0] == pytest.approx(logs["radiomics-image.loss"].item(), rel=1e-4)


def test_every_pair_of_views_and_every_view_of_pictures_is_a_term():
    scene = Scene(radiomics=vector_view(), image=picture_view(), other=picture_view())
    pretext = scene.build(task())
    pairs = [("radiomics", "image"), ("radiomics", "other"), ("image", "other")]
    assert pretext.terms == (*pairs, ("image", "image"), ("other", "other"))
    assert torch.isfinite(pretext(scene.batch()).loss)


def test_the_bank_remembers_the_first_draw():
    scene = Scene()
    pretext = scene.build(task("correspondence-simclr-bank"))
    pretext.prime(scene.batch())
    before = pretext.memories["image"].read(torch.arange(CASES)).clone()
    output = pretext(scene.batch(seed=4))
    pretext.after_step(torch.arange(CASES), output.embeddings)
    pretext.end_epoch()
    expected = F.normalize(0.5 * before + 0.5 * output.embeddings["image"], dim=1)
    torch.testing.assert_close(pretext.memories["image"].read(torch.arange(CASES)), expected)


def test_held_back_cases_are_shown_as_they_are():
    scene = Scene()
    pretext = scene.build(task()).eval()
    found = pretext.held_back_metrics(scene.batch())
    with torch.no_grad():
        x = pretext.embed({n: t(scene.data[n]) for n, t in pretext.encoders().items()})
    own = torch.arange(CASES)
    cosines = x["radiomics"] @ x["image"].T
    hits = torch.stack([cosines.argmax(1) == own, cosines.argmax(0) == own]).float().mean()
    assert found["radiomics-image.retrieval_top1"] == hits


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("pairing", ["true", "reshuffled"])
def test_the_task_keeps_the_promises_of_its_kind(word, pairing):
    check_pretext(task(word, pairing=pairing))


def test_the_shuffle_leaves_simclr_alone():
    scene = Scene()
    logs = []
    for pairing in ("true", "reshuffled"):
        pretext = scene.build(task(pairing=pairing)).eval()
        logs.append(pretext(scene.batch(seed=2)).logs)
    assert logs[0]["image-image.loss"] == logs[1]["image-image.loss"]
    assert logs[0]["radiomics-image.loss"] != logs[1]["radiomics-image.loss"]


def test_one_word_says_all():
    study = {"dataset": "phantom", "evaluate": {"compare": list(WORDS)}}
    resolved = resolve(load_study(study, ["pretext=correspondence-simclr"]), installed())
    assert resolved.pretext.dump()["objective"]["variant"] == "in-batch"
    assert resolved.pretext.config.corruption == 0.3
    bank = resolved.compare["correspondence-simclr-bank"]
    assert bank.dump()["objective"]["variant"] == "full-bank"
    assert bank.config.corruption == 0.0
    again = load_study({"dataset": "phantom", "pretext": resolved.pretext.dump()})
    assert resolve(again, installed()).pretext.dump() == resolved.pretext.dump()


def test_one_variation_is_changed_and_the_others_stay():
    study = load_study(
        {"dataset": "phantom"}, ["pretext=correspondence-simclr", "pretext.variations.noise=0.1"]
    )
    named = resolve(study, installed()).pretext.config.variations.named()
    assert named == {"crop_scale": (0.3, 1.0), "contrast": 0.35, "brightness": 0.2, "noise": 0.1}


@pytest.mark.parametrize(
    "views",
    [{"radiomics": vector_view()}, {"a": vector_view(), "b": vector_view()}, {"a": picture_view()}],
    ids=["features alone", "two of features", "pictures alone"],
)
def test_views_that_the_task_cannot_use_are_refused(views):
    with pytest.raises(StudyError, match=f"the study has {', '.join(views)}"):
        Scene(**views).build(task())


@pytest.mark.parametrize(
    ("terms", "word"),
    [([["radiomics", "image"]], "use correspondence"), ([["image", "image"]], "use simclr")],
)
def test_terms_of_one_kind_alone_are_another_task(terms, word):
    with pytest.raises(StudyError, match=word):
        Scene().build(task(terms=terms))
