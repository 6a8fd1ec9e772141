"""`rdfc.run` and what a `Run` offers: the same as the command line, as objects and DataFrames."""

from __future__ import annotations

import copy
import csv
import json
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

import rdfc_core as rdfc
from rdfc_core import DataError, ShapeError, StudyError
from rdfc_core.interfaces import Logger
from rdfc_core.results.schema import Row
from tests.support.command import HERE

EXECUTOR = HERE[1]


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder to work in, with a cache of its own."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "work"


@pytest.fixture
def run(finished, here) -> rdfc.Run:
    return rdfc.load_run(finished)


@pytest.fixture(scope="module")
def manifest(pictures) -> pd.DataFrame:
    """The manifest of the pictures with absolute paths."""
    frame = pd.read_csv(pictures / "manifest.csv")
    for column in ("image", "mask"):
        frame[column] = [str(pictures / path) for path in frame[column]]
    return frame


def test_a_study_is_run_and_resumed_and_refused_as_by_the_command_line(study_file, here):
    done = rdfc.run(study_file, store="store.sqlite", executor=EXECUTOR)
    assert done.folder == Path("runs/small").resolve()
    assert done.report.exists()
    frame = done.results.to_dataframe()
    assert list(frame.columns) == list(Row.model_fields)
    assert len(frame) == len(done.results.rows)
    first = done.results.rows[0]
    assert frame.iloc[0]["method"] == first.method
    assert frame.iloc[0]["mean"] == first.mean
    started = done.results.run["started"]
    written = done.report.stat().st_mtime_ns
    same = yaml.safe_load(study_file.read_text(encoding="utf-8"))
    again = rdfc.run(same, done.folder, store="store.sqlite", executor=EXECUTOR)
    assert again.results.run["started"] == started
    assert again.report.stat().st_mtime_ns == written
    with pytest.raises(StudyError, match=r"seed.*--overwrite"):
        rdfc.run(same, done.folder, overrides={"seed": 9}, store="s.sqlite", executor=EXECUTOR)


class Heard(Logger):
    """Keeps what it is told; says nothing of it in a study."""

    def __init__(self) -> None:
        self.told: list[tuple] = []

    def begin(self, run):
        self.told.append(("begin", run.name, run.resumed))

    def log(self, training, metrics, epoch, step):
        self.told.append((training, epoch, metrics["loss"]))
        metrics.clear()  # its own to change

    def end(self, outcome, reason):
        self.told.append(("end", outcome))


def test_a_logger_of_one_s_own_is_told_of_each_run_anew(study_file, here):
    own = Heard()
    for name in ("one", "two"):
        rdfc.run(study_file, name, until="pretrain", executor=EXECUTOR, loggers=[own])
    lines = [json.loads(Path(name, "metrics.jsonl").read_text()) for name in ("one", "two")]
    assert own.told == [
        one
        for name, line in zip(("one", "two"), lines, strict=True)
        for one in (
            ("begin", name, False),
            ("holdout", 1, line["loss"]),
            ("end", "finished"),
        )
    ]


def test_what_is_no_logger_is_refused(study_file, here):
    with pytest.raises(StudyError, match=r"loggers holds an int\. Give texts, such as mlflow:"):
        rdfc.run(study_file, "run", loggers=[3])
    assert not Path("run").exists()


def test_overrides_are_a_mapping_or_texts_and_a_study_stays_as_it_was_loaded(study_file):
    texts = rdfc.load_study(study_file, ["pretrain.epochs=7", "encoder.channels=3"])
    mapping = rdfc.load_study(study_file, {"pretrain.epochs": 7, "encoder.channels": 3})
    assert texts == mapping
    assert mapping.pretrain.epochs == 7
    assert rdfc.load_study(mapping) is mapping
    changed = rdfc.load_study(mapping, {"seed": 3})
    assert changed == rdfc.load_study(
        study_file, {"pretrain.epochs": 7, "encoder.channels": 3, "seed": 3}
    )
    with pytest.raises(StudyError, match=r"pretrain\.epoch\b.*epochs"):
        rdfc.load_study(study_file, {"pretrain.epoch": 7})
    with pytest.raises(StudyError, match="list of texts"):
        rdfc.load_study(study_file, "seed=1")


def test_predictions_equal_those_of_the_command_line(run, pictures, manifest, rdfc_here):
    done = rdfc_here("predict", run.folder, "--manifest", pictures, *HERE)
    printed = list(csv.DictReader(done.out.splitlines()))
    frame = run.predict(pictures, executor=EXECUTOR)
    assert list(frame.columns) == [
        *("case_id", "predicted", "p_benign", "p_malignant"),
        *("prediction_set", "certain", "distance_percentile", "neighbours"),
    ]
    assert list(frame["case_id"]) == [row["case_id"] for row in printed]
    assert list(frame["predicted"]) == [row["predicted"] for row in printed]
    np.testing.assert_allclose(
        frame["p_benign"], [float(row["p_benign"]) for row in printed], atol=1e-6
    )
    by_frame = run.predict(manifest, executor=EXECUTOR)
    pd.testing.assert_frame_equal(by_frame, frame)
    pairs = list(zip(manifest["image"], manifest["mask"], strict=True))
    by_pairs = run.predict(pairs, executor=EXECUTOR)
    pd.testing.assert_frame_equal(by_pairs, frame)
    pd.testing.assert_frame_equal(
        run.predict(pairs[3], executor=EXECUTOR), frame[3:4].reset_index(drop=True)
    )


def test_cases_need_no_reader_and_a_frame_may_have_relative_paths(
    run, cases, pictures, monkeypatch
):
    given = [replace(case, reader=None) for case in cases[:4]]
    frame = run.predict(given, executor=EXECUTOR)
    assert list(frame["case_id"]) == [case.case_id for case in given]
    monkeypatch.chdir(pictures)
    relative = pd.read_csv("manifest.csv")[:4]
    pd.testing.assert_frame_equal(run.predict(relative, executor=EXECUTOR), frame)
    pd.testing.assert_frame_equal(
        run.predict(given[0], executor=EXECUTOR), frame[:1].reset_index(drop=True)
    )


@pytest.mark.parametrize("method", ["predict", "embed", "features"])
def test_a_case_that_cannot_be_used_is_raised_or_left_out_with_a_warning(
    run, cases, caplog, method
):
    broken = [cases[0], replace(cases[1], mask=Path("nowhere.png")), cases[2]]
    call = getattr(run, method)
    with pytest.raises(DataError, match=r"1 of 3 cases.*case-001.*nowhere\.png.*errors='skip'"):
        call(broken, executor=EXECUTOR)
    frame = call(broken, executor=EXECUTOR, errors="skip")
    assert list(frame["case_id"]) == ["case-000", "case-002"]
    assert "case-001" in caplog.text
    with pytest.raises(StudyError, match="'raise' or 'skip'"):
        call(broken, executor=EXECUTOR, errors="ignore")


def test_embeddings_have_a_column_a_number_and_equal_those_of_the_run(run, manifest):
    kept = run.embed()
    assert set(kept["part"]) == {"pretext", "train", "test"}
    frame = run.embed(manifest, executor=EXECUTOR)
    numbers = [f"e{place}" for place in range(48)]
    assert list(frame.columns) == ["split", "part", "case_id", "label", *numbers]
    assert list(kept.columns) == list(frame.columns)
    both = frame.set_index("case_id").loc[kept["case_id"], numbers]
    np.testing.assert_allclose(both, kept[numbers], rtol=1e-4, atol=1e-6)


def test_features_equal_those_of_the_run(run, manifest):
    kept = run.features()
    frame = run.features(manifest[:5], executor=EXECUTOR)
    named = [name for name in kept.columns if name.startswith("radiomics.")]
    assert len(named) == 12
    assert [name for name in frame.columns if name.startswith("radiomics.")] == named
    same = kept.set_index("case_id").loc[frame["case_id"]]
    np.testing.assert_array_equal(frame[named], same[named])


def test_an_encoder_gives_what_the_run_computes_and_takes_files_arrays_and_tensors(run, manifest):
    encoder = run.encoder("image")
    assert not encoder.training
    image, mask = manifest["image"][5], manifest["mask"][5]
    with torch.no_grad():
        features = encoder(image, mask)
        assert features.shape == (1, encoder.out_features)
        batch = encoder.prepare(image, mask)
        assert batch.shape == (1, *encoder.picture_shape)
        torch.testing.assert_close(encoder(batch), features)
        arrays = [np.array(Image.open(path)) for path in (image, mask)]
        torch.testing.assert_close(encoder(*arrays), features)
        torch.testing.assert_close(encoder(*map(torch.from_numpy, arrays)), features)
        many = encoder(manifest[:6])
        torch.testing.assert_close(many[5:], features)
        tumour = rdfc.Tumour(rdfc.Volume.of(arrays[0]), arrays[1] != 0)
        torch.testing.assert_close(encoder([tumour, tumour]), features.repeat(2, 1))
    model = next(iter(run._open.models.values()))
    own = model.outputs(_prepared(run, manifest[5:6]))["features"]["image"]
    np.testing.assert_allclose(torch.nn.functional.normalize(features), own, rtol=1e-5, atol=1e-6)


def _prepared(run: rdfc.Run, frame: pd.DataFrame):
    from rdfc_core.api.case_source import cases_of
    from rdfc_core.api.context import opened
    from rdfc_core.pipeline.predict import features

    with opened(None, EXECUTOR) as context:
        extraction = features(run._open, cases_of(frame, run._open), context)
    names = next(iter(run._open.models.values())).views
    return {name: extraction.of(name, [c.case_id for c in extraction.cases]) for name in names}


def test_an_encoder_is_trained_in_a_network_of_the_users_own(run, manifest):
    torch.manual_seed(0)
    encoder = run.encoder("image")
    network = torch.nn.Sequential(encoder, torch.nn.Linear(encoder.out_features, 2)).train()
    before = {name: value.clone() for name, value in encoder.named_parameters()}
    batch, labels = encoder.prepare(manifest[:8]), torch.arange(8) % 2
    batch = encoder.augment(batch, torch.Generator().manual_seed(0))
    # A rate so large that a bias before batch normalisation moves, too: its gradient is rounding.
    optimiser = torch.optim.SGD(network.parameters(), 100.0)
    torch.nn.functional.cross_entropy(network(batch), labels).backward()
    optimiser.step()
    changed = [name for name, value in encoder.named_parameters() if not value.equal(before[name])]
    assert len(changed) == len(before)
    fresh = run.encoder("image")
    for name, value in fresh.named_parameters():
        torch.testing.assert_close(value, before[name])
    for other in (copy.deepcopy(fresh), pickle.loads(pickle.dumps(fresh))):
        torch.testing.assert_close(other(batch), fresh(batch))
        assert other.prepare(manifest[:1]).equal(fresh.prepare(manifest[:1]))
    assert run.encoder("radiomics")(manifest[:3]).shape == (3, 16)


def test_what_no_encoder_can_take_is_refused_by_a_sentence(run, manifest):
    with pytest.raises(DataError, match=r"'sound'.*radiomics, image, greys"):
        run.encoder("sound")
    with pytest.raises(StudyError, match=r"'fold-9'.*holdout"):
        run.encoder("image", split="fold-9")
    encoder = run.encoder("image")
    with pytest.raises(ShapeError, match=r"\(4, 5\).*\(5, 4\)"):
        encoder(np.zeros((4, 5)), np.zeros((5, 4)))
    with pytest.raises(DataError, match="mask is empty"):
        encoder(np.zeros((4, 5)), np.zeros((4, 5)))
    with pytest.raises(DataError, match="trained on pictures"):
        encoder(np.zeros((4, 5, 6)), np.ones((4, 5, 6)))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "There is no case"),
        ({"image": "a.png"}, "a dict"),
        (["a.png", "b.png"], "'a.png'"),
        (7, "the int 7."),
        (pd.DataFrame({"case_id": []}), "no rows"),
        (pd.DataFrame({"case_id": ["a"], "image": ["a.png"]}), "no column 'mask'"),
        ([("a.png", "m.png"), ("a.png", "m.png")], "given twice"),
    ],
)
def test_what_names_no_cases_is_refused_by_one_sentence(run, given, said):
    with pytest.raises(DataError) as caught:
        run.predict(given, executor=EXECUTOR)
    assert said in str(caught.value)
    assert "/tmp" not in str(caught.value)


def test_pairs_are_called_by_what_tells_them_apart(run, manifest):
    from rdfc_core.api.case_source import cases_of

    one, two = (
        [("a/x.png", "a/m.png"), ("b/x.png", "b/n.png")],
        [("x.png", "m.png"), ("x.png", "n.png")],
    )
    assert [case.case_id for case in cases_of(one, run._open)] == ["m", "n"]
    outlines = cases_of(two, run._open)
    assert [case.case_id for case in outlines] == ["m", "n"]
    assert len({case.patient_id for case in outlines}) == 1
    same = [("a/x.png", "a/m.png"), ("b/x.png", "b/m.png")]
    assert [case.case_id for case in cases_of(same, run._open)] == ["a/x.png", "b/x.png"]


def test_a_folder_that_holds_no_run_is_refused(tmp_path):
    with pytest.raises(StudyError, match="is no run folder"):
        rdfc.load_run(tmp_path)
    (tmp_path / "study.yaml").write_text("dataset: phantom\n", encoding="utf-8")
    with pytest.raises(StudyError, match="written by hand"):
        rdfc.load_run(tmp_path)


def test_a_run_can_be_pickled_and_moved(run, finished, tmp_path, manifest):
    assert pickle.loads(pickle.dumps(run)).folder == run.folder
    moved = rdfc.load_run(shutil.copytree(finished, tmp_path / "moved"))
    assert moved.splits == ("holdout",)
    assert moved.study == run.study
    pd.testing.assert_frame_equal(
        moved.predict(manifest[:3], executor=EXECUTOR), run.predict(manifest[:3], executor=EXECUTOR)
    )
