"""Cases of different lengths: a view whose cases are a mapping, through a whole study."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.distributed.process_group import ProcessGroup, _Divided
from rdfc_core.interfaces.collated import alike, count, each, joined, nbytes, rows
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.pipeline.predict import embed, predict
from rdfc_core.testing import check_view
from rdfc_core.training.loader import loader_of
from rdfc_core.training.placement import collated
from tests.support import small_study
from tests.support.small_parts import TokenView, TokenViewConfig

CPU = torch.device("cpu")


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_view_of_a_mapping_is_checked_like_any_other(ndim):
    check_view(TokenView(TokenViewConfig()), ndim)


@pytest.mark.parametrize("where", ["device", "memory", "file"])
def test_a_mapping_waits_wherever_pictures_do(cases, where, tmp_path):
    view = TokenView(TokenViewConfig())
    prepared = [view.prepare(case.load()) for case in cases[:12]]
    view.fit(prepared)
    whole = view.collate(prepared)
    settings = PretrainSettings(data_placement=where)
    found, residence = collated({"tokens": view}, {"tokens": prepared}, settings, tmp_path)
    assert residence == where
    assert alike(found["tokens"], whole)
    order = [torch.tensor([3, 1, 11]), torch.tensor([0, 7])]
    for chosen, (indices, batch) in zip(
        order, loader_of(found, CPU, where).batches(order), strict=True
    ):
        torch.testing.assert_close(indices, chosen)
        assert alike(batch["tokens"], rows(whole, chosen))


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_study_trains_on_it_and_predicts(
    pictures, cases, registry, run_context, tmp_path, precision
):
    study = small_study.resolved(
        pictures,
        *small_study.QUICK,
        "pretrain.epochs=1",
        f"pretrain.precision={precision}",
        "pretrain.data_placement=memory",
        "views.greys=tokens",
        "evaluate.controls=[]",
        "evaluate.methods=[hybrid-finetune]",
        "evaluate.supervised.epochs=1",
        "evaluate.label_fractions=[]",
    )
    results = studies.run(study, tmp_path / "run", run_context)
    assert any(row.input == "greys" for row in results.rows)
    run = OpenRun(tmp_path / "run", registry)
    said = predict(run, cases[:4], run_context)
    assert np.isfinite(said.probabilities).all()
    vectors, _ = embed(run, cases[:4], run_context)
    assert len(vectors) == 4


def test_each_process_encodes_its_rows_of_a_mapping(monkeypatch):
    """The forward pass of one of two processes, whose gathering is its own part alone."""
    seen = []

    def forward(batch) -> Tensor:
        seen.append(count(batch))
        return batch["tokens"].sum(dim=(1, 2))[:, None]

    group = ProcessGroup(rank=1, size=2)
    monkeypatch.setattr(
        "rdfc_core.distributed.process_group._Gather.apply", lambda own, parts, group: own
    )
    batch = {"tokens": torch.rand(7, 4, 3), "real": torch.ones(7, 4, dtype=torch.bool)}
    own = _Divided(forward, group, sync_batchnorm=False)(batch)
    assert seen == [4]
    torch.testing.assert_close(own, batch["tokens"][3:].sum(dim=(1, 2))[:, None])


def test_structures_are_walked_alike():
    nested = {"a": torch.arange(4.0), "b": {"c": torch.ones(4, 2)}}
    assert (count(nested), nbytes(nested)) == (4, 48)
    doubled = each(nested, lambda one: 2 * one)
    assert not alike(nested, doubled)
    assert alike(rows(doubled, slice(1, 3))["b"], {"c": 2 * torch.ones(2, 2)})
    assert count(joined([nested, doubled], torch.cat)) == 8
    assert not alike(nested, torch.ones(4))
