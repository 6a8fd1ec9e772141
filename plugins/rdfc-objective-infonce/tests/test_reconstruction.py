"""Replaced features are restored from what all views say."""

import pytest
import torch
from torch.nn import functional as F

from rdfc_core.config.resolve import resolve_part
from rdfc_core.errors import StudyError
from rdfc_core.interfaces import Batch
from rdfc_core.plugin.component import Part
from rdfc_core.plugin.registry import installed
from rdfc_core.testing.partners import picture_view, vector_view
from rdfc_core.testing.tumours import example_tumours
from rdfc_objective_infonce.correspondence_simclr import corrupted
from rdfc_objective_infonce.reconstruction import inputs_of, restoring_error

CASES = 8


def scene(**options):
    """A built task, and a function that gives a batch of generated tumours."""
    views = {"radiomics": vector_view(), "image": picture_view()}
    data = {}
    for name, view in views.items():
        prepared = [view.prepare(tumour) for tumour in example_tumours(2, CASES)]
        view.fit(prepared)
        data[name] = view.collate(prepared)
    torch.manual_seed(0)
    part = Part(name="correspondence-reconstruction", options={"width": 16, **options})
    pretext = resolve_part("pretext", part, installed(), "pretext").build(installed())
    towers = {name: view.tower() for name, view in views.items()}
    pretext.build(towers, CASES, torch.Generator().manual_seed(3))

    def batch(seed):
        return Batch(torch.arange(CASES), data, views, torch.Generator().manual_seed(seed))

    return pretext, batch


def test_only_replaced_features_count():
    whole = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    seen = torch.tensor([[1.0, 9.0], [3.0, 4.0]])
    restored = torch.tensor([[50.0, 5.0], [60.0, 70.0]])
    assert restoring_error(restored, whole, seen).item() == 9.0
    assert restoring_error(restored, whole, whole).item() == 0.0


def test_the_loss_has_the_error_of_the_first_draws_decoder_on_top():
    pretext, batch = scene(corruption=0.5, reconstruction=3.0)
    output = pretext.eval()(batch(5))
    generator = torch.Generator().manual_seed(5)
    one = batch(5)
    drawn = one.views["radiomics"].augment(one.prepared["radiomics"], generator)
    rows = corrupted(drawn, 0.5, generator)
    towers = pretext.encoders()
    e = {"radiomics": pretext.embed({"radiomics": towers["radiomics"](rows)})["radiomics"]}
    joined = torch.cat([e["radiomics"], output.embeddings["image"]], dim=1)
    restored = pretext.decoders["radiomics"](joined)
    whole = one.prepared["radiomics"]
    expected = F.mse_loss(restored[rows != whole], whole[rows != whole])
    assert output.logs["radiomics.restored.mse"].item() == pytest.approx(expected.item(), rel=1e-4)
    terms = output.logs["radiomics-image.loss"] + output.logs["image-image.loss"]
    assert output.loss.item() == pytest.approx((terms + 3 * expected).item(), rel=1e-4)


def test_training_restores_what_was_replaced_and_teaches_both_towers():
    pretext, batch = scene(corruption=0.3, reconstruction=20.0)
    optimizer = torch.optim.AdamW(pretext.parameters(), lr=3e-3)
    errors = []
    for step in range(60):
        output = pretext(batch(step))
        optimizer.zero_grad()
        output.loss.backward()
        if step == 0:
            for tower in pretext.encoders().values():
                assert all(p.grad is not None for p in tower.parameters())
        optimizer.step()
        errors.append(output.logs["radiomics.restored.mse"].item())
    assert sum(errors[-10:]) < 0.5 * sum(errors[:10])


def test_a_tower_s_features_are_counted_by_its_first_layer():
    views = scene()[1](0).views
    assert inputs_of(views["radiomics"].tower()) > 0
    assert inputs_of(views["image"].tower()) == 0


def test_without_corruption_there_is_nothing_to_restore():
    with pytest.raises(StudyError, match=r"pretext.corruption: .* greater than 0"):
        scene(corruption=0.0)
