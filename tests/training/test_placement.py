"""Where cases wait for their batch decides nothing of what is learnt."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.plugin.registry import installed
from rdfc_core.training import checkpoint, placement
from rdfc_core.training.loader import DeviceLoader, PrefetchLoader, loader_of
from rdfc_core.training.metrics_log import PretrainPaths
from rdfc_core.training.placement import CHUNK, SHARE, chosen, collated
from tests.support import small_study

CPU = torch.device("cpu")


def kept(pictures: Path, folder: Path, count: int | None = None, **settings: str):
    """The views of the small study, their cases as prepared, and as they wait."""
    study = small_study.resolved(pictures)
    cases = AutoReader.installed(installed()).given_to(study.dataset.build(installed()).cases())
    views = {name: part.build(installed()) for name, part in study.views.items()}
    tumours = [case.load() for case in cases]
    prepared = {name: [view.prepare(one) for one in tumours] for name, view in views.items()}
    for name, view in views.items():
        view.fit(prepared[name])
    repeated = {name: (some * 20)[: count or len(some)] for name, some in prepared.items()}
    return views, repeated, collated(views, repeated, PretrainSettings(**settings), folder)


def test_a_file_holds_what_memory_would_chunk_by_chunk_and_has_no_name(pictures, tmp_path):
    count = CHUNK + 50
    views, prepared, (cases, where) = kept(pictures, tmp_path, count, data_placement="file")
    assert where == "file"
    assert list(tmp_path.iterdir()) == []  # nothing that a killed process could leave behind
    for name, view in views.items():
        assert cases[name].dtype == torch.float32
        assert torch.equal(cases[name], view.collate(prepared[name]))


def test_pictures_wait_in_half_precision_if_asked_and_features_never(pictures, tmp_path):
    views, prepared, (cases, _) = kept(pictures, tmp_path, image_dtype="float16")
    assert {name: one.dtype for name, one in cases.items()} == {
        "radiomics": torch.float32,
        "image": torch.float16,
        "greys": torch.float32,
    }
    [(_, rows)] = loader_of(cases, CPU, "device").batches([torch.arange(5)])
    whole = views["image"].collate(prepared["image"])[:5]
    assert rows["image"].dtype == torch.float32
    torch.testing.assert_close(rows["image"], whole, rtol=0, atol=2**-11)


def test_what_is_chosen_is_told(pictures, tmp_path, caplog):
    caplog.set_level("INFO", "rdfc")
    kept(pictures, tmp_path)
    assert "36 pretext cases (0.0 MB) wait on the device." in caplog.text
    kept(pictures, tmp_path, data_placement="file")
    assert "wait in a file of the run folder" in caplog.text


def test_the_nearest_place_where_they_fit_is_chosen_unless_another_is_asked_for():
    assert chosen(int(1000 * SHARE), "auto", memory=1000) == "device"
    assert chosen(int(1000 * SHARE) + 1, "auto", memory=1000) == "file"
    assert chosen(1, "file", memory=1000) == "file"
    assert chosen(1000, "memory", memory=1000) == "memory"


@pytest.mark.parametrize(
    ("limit", "where"), [("1000\n", "file"), ("max\n", "device")], ids=str.strip
)
def test_a_container_s_limit_counts_as_the_machine_s_memory(tmp_path, monkeypatch, limit, where):
    (tmp_path / "limit").write_text(limit, encoding="ascii")
    monkeypatch.setattr(placement, "CONTAINER", (tmp_path / "limit", tmp_path / "none"))
    assert chosen(int(1000 * SHARE) + 1, "auto") == where
    assert chosen(1, "auto") == "device"


def test_a_full_disk_is_an_error_of_the_system_and_not_a_crash(pictures, small_disk):
    disk = small_disk("12k")
    with pytest.raises(OSError, match="No space left"):
        kept(pictures, disk, data_placement="file")
    assert list(disk.iterdir()) == []


@pytest.mark.parametrize("loader", [DeviceLoader, PrefetchLoader])
def test_batches_hold_the_rows_that_were_asked_for_in_their_order(loader):
    cases = {"a": torch.arange(20.0)[:, None] * torch.ones(3), "b": torch.arange(20)}
    order = torch.randperm(20, generator=torch.Generator().manual_seed(0)).tensor_split(6)
    found = list(loader(cases, CPU).batches(order))
    assert len(found) == 6
    for asked, (indices, rows) in zip(order, found, strict=True):
        assert torch.equal(indices, asked)
        assert torch.equal(rows["a"], cases["a"][asked])
        assert torch.equal(rows["b"], cases["b"][asked])
    assert len(loader(cases, CPU)) == 20


def test_a_training_that_stops_in_the_middle_of_an_epoch_leaves_no_thread_waiting():
    loader = PrefetchLoader({"a": torch.arange(20.0)}, CPU)
    batches = loader.batches(torch.arange(20).tensor_split(10))
    next(batches)
    batches.close()


def test_streamed_from_a_file_the_run_is_the_same_to_the_last_bit(finished, pictures, tmp_path):
    overrides = [*small_study.QUICK, "pretrain.data_placement=file"]
    small_study.run_study(pictures, tmp_path / "run", tmp_path / "store.sqlite", overrides)
    one, other = (
        checkpoint.load(PretrainPaths(run, "holdout").checkpoint)["pretext"]
        for run in (finished, tmp_path / "run")
    )
    for name, value in one.items():
        assert torch.equal(value, other[name]), name
    assert small_study.lasting(finished)["rows"] == small_study.lasting(tmp_path / "run")["rows"]
