"""A trained model on disk: the same answers, no memory of its cases, nothing pickled."""

from __future__ import annotations

import hashlib
import json
import pickletools
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from rdfc_core import DataError, ShapeError, StudyError
from rdfc_core.evaluation.classifiers import LogisticProbe
from rdfc_core.interfaces import MemoryStore
from rdfc_core.models import model
from rdfc_core.models.linear_model import joined
from rdfc_core.models.loading import load
from rdfc_core.models.model import Model
from tests.support import small_study
from tests.support.small_parts import SmallCnn


@pytest.fixture(scope="module")
def trained(registry, pictures: Path, cases, tmp_path_factory) -> tuple[Model, Any, Any, Path]:
    """A model with a classifier, its study, its prepared cases, and where it is saved."""
    run = tmp_path_factory.mktemp("run")
    study = small_study.resolved(pictures, "pretrain.epochs=2")
    views = {name: part.build(registry) for name, part in study.views.items()}
    tumours = [case.load() for case in cases]
    prepared = {name: [view.prepare(one) for one in tumours] for name, view in views.items()}
    for name, view in views.items():
        view.fit(prepared[name])
    pretext = small_study.train(pictures, run, ["pretrain.epochs=2"])
    made = Model(views, pretext, ("benign", "malignant"))
    truth = np.array([case.label == "malignant" for case in cases]).astype(int)
    learner = LogisticProbe(study.evaluate)
    learner.fit(made.outputs(prepared)["features"], truth, 2)
    made.classifier = learner.model
    made.save(run / "model" / "holdout")
    return made, study, prepared, run / "model" / "holdout"


@pytest.fixture
def copy(trained, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained[3], tmp_path / "copy"))


def test_what_the_network_makes_of_cases_has_unit_length_in_every_view(trained):
    made, _, prepared, _ = trained
    outputs = made.outputs(prepared)
    assert {layer: list(views) for layer, views in outputs.items()} == {
        "features": ["radiomics", "image", "greys"],
        "embedding": ["radiomics", "image", "greys"],
    }
    for views in outputs.values():
        for rows in views.values():
            assert rows.shape[0] == 36
            np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)
    assert [rows.shape[1] for rows in outputs["features"].values()] == [16, 8, 16]


def test_a_case_has_one_answer_whoever_stands_beside_it(trained, monkeypatch):
    made, _, prepared, _ = trained
    together = made.predict(prepared)
    monkeypatch.setattr(model, "BATCH", 7)
    np.testing.assert_allclose(made.predict(prepared), together, rtol=1e-5)
    alone = made.predict({name: rows[5:6] for name, rows in prepared.items()})
    np.testing.assert_allclose(alone[0], together[5], rtol=1e-5)


def test_a_saved_model_gives_identical_probabilities(trained, registry):
    made, study, prepared, folder = trained
    again = load(folder, study, registry)
    assert again.classes == ("benign", "malignant")
    np.testing.assert_array_equal(again.predict(prepared), made.predict(prepared))
    for layer, views in made.outputs(prepared).items():
        for name, rows in views.items():
            np.testing.assert_array_equal(again.outputs(prepared)[layer][name], rows)
    assert (made.predict(prepared).argmax(axis=1)).mean() not in (0, 1)


def test_memories_are_not_in_the_saved_weights(trained):
    made, _, _, folder = trained
    assert sum(isinstance(module, MemoryStore) for module in made.pretext.modules()) == 3
    arrays = load_file(folder / "weights.safetensors")
    assert not [name for name in arrays if "memor" in name]
    assert not [name for name, array in arrays.items() if 36 in array.shape]  # the cases
    assert any(name.startswith("pretext.towers.image") for name in arrays)


def test_saved_shapes_are_the_networks_own(trained):
    made, _, _, folder = trained
    arrays = load_file(folder / "weights.safetensors")
    own = made.pretext.state_dict()
    for name, array in arrays.items():
        if name.startswith("pretext."):
            assert array.shape == own[name.removeprefix("pretext.")].shape, name


def test_nothing_is_pickled(trained):
    for file in trained[3].iterdir():
        with pytest.raises(ValueError):  # noqa: PT011  (pickletools gives several messages)
            pickletools.dis(file.read_bytes(), out=StringIO())
    assert {file.name for file in trained[3].iterdir()} == {"weights.safetensors", "model.json"}


def test_a_model_without_classifier_says_so_and_still_embeds(trained, registry, tmp_path):
    made, study, prepared, _ = trained
    bare = Model(made.views, made.pretext, made.classes)
    bare.save(tmp_path / "bare")
    again = load(tmp_path / "bare", study, registry)
    with pytest.raises(DataError, match="no classifier: it was only pretrained"):
        again.predict(prepared)
    assert joined(again.outputs(prepared)["embedding"]).shape == (36, 48)


def test_saving_again_replaces_the_model_and_nothing_else(trained, registry, tmp_path):
    made, study, prepared, _ = trained
    bare = Model(made.views, made.pretext, made.classes)
    for model_of in (bare, made, made):
        model_of.save(tmp_path / "m")
        (tmp_path / "m" / "stray").touch()
    assert {file.name for file in (tmp_path / "m").iterdir()} == {
        "weights.safetensors",
        "model.json",
        "stray",
    }
    assert [file.name for file in tmp_path.iterdir()] == ["m"]
    np.testing.assert_array_equal(
        load(tmp_path / "m", study, registry).predict(prepared), made.predict(prepared)
    )


@pytest.mark.parametrize("name", ["weights.safetensors", "model.json"])
@pytest.mark.parametrize("kept", [0, 7, 0.5])
def test_a_file_that_is_cut_is_refused(trained, registry, copy, name, kept):
    file = copy / name
    whole = file.read_bytes()
    file.write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    with pytest.raises(DataError, match=r"copy cannot be used: .* Train it again"):
        load(copy, trained[1], registry)


@pytest.mark.parametrize("place", [0, 40, -1, -1000])
def test_weights_with_a_bit_turned_over_are_refused(trained, registry, copy, place):
    file = copy / "weights.safetensors"
    turned = bytearray(file.read_bytes())
    turned[place] ^= 1
    file.write_bytes(turned)
    with pytest.raises(DataError, match="do not match their checksum"):
        load(copy, trained[1], registry)


@pytest.mark.parametrize("content", ["[]", "{}", '{"classes": 3}', "null"])
def test_a_description_that_says_nothing_is_refused(trained, registry, copy, content):
    (copy / "model.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="copy cannot be used"):
        load(copy, trained[1], registry)


def rewrite(copy, about=None, **arrays):
    """Replace parts of a model as someone would who knows its format: the checksum fits."""
    weights = {**load_file(copy / "weights.safetensors"), **arrays}
    save_file({k: v for k, v in weights.items() if v is not None}, copy / "weights.safetensors")
    content = json.loads((copy / "model.json").read_text(encoding="utf-8")) | (about or {})
    with (copy / "weights.safetensors").open("rb") as file:
        content["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
    (copy / "model.json").write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    ("about", "arrays"),
    [
        ({"views": [{}]}, {}),
        ({"layer": "pixels"}, {}),
        ({"classes": ["benign"]}, {}),
        ({}, {"classifier.weight": np.zeros(3)}),
        ({}, {"classifier.bias": np.array([0.0, np.nan])}),
        ({}, {"classifier.bias": None}),
        ({}, {"view.radiomics.mean": np.zeros(1)}),
        ({}, {"view.image.size": np.array([10**6, 10**6])}),
        ({}, {"view.image.channels": np.array(1)}),
    ],
)
def test_a_model_that_contradicts_itself_is_refused(trained, registry, copy, about, arrays):
    rewrite(copy, about, **arrays)
    with pytest.raises(DataError, match=r"copy cannot be used: .* Train it again"):
        load(copy, trained[1], registry)


def test_a_model_whose_weights_are_no_numbers_is_refused(trained, registry, copy):
    weights = load_file(copy / "weights.safetensors")
    key = next(k for k, v in weights.items() if k.startswith("pretext.") and v.dtype.kind == "f")
    weights[key].flat[0] = np.inf
    rewrite(copy, **{key: weights[key]})
    with pytest.raises(DataError, match=f"its weights {key} hold NaN or infinite numbers"):
        load(copy, trained[1], registry)


@pytest.mark.parametrize(
    ("about", "arrays"),
    [({"views": ["elsewhere"]}, {}), ({}, {"classifier.weight": np.zeros((2, 3))})],
)
def test_a_classifier_of_other_networks_says_so(trained, registry, copy, about, arrays):
    rewrite(copy, about, **arrays)
    made = load(copy, trained[1], registry)
    with pytest.raises(ShapeError, match=r"was trained on .* and there are .* Train it again"):
        made.predict(trained[2])


@pytest.mark.parametrize("name", ["weights.safetensors", "model.json"])
def test_a_missing_file_is_refused(trained, registry, copy, name):
    (copy / name).unlink()
    with pytest.raises(DataError, match="copy cannot be used"):
        load(copy, trained[1], registry)


def test_weights_of_another_study_are_refused(trained, registry, pictures):
    other = small_study.resolved(pictures, "encoder.width=9")
    with pytest.raises(DataError, match="size mismatch"):
        load(trained[3], other, registry)
    fewer = small_study.resolved(pictures, "views.extra=greys")
    with pytest.raises(DataError, match="cannot be used"):
        load(trained[3], fewer, registry)


def test_a_model_loads_without_the_weights_that_its_encoder_began_with(
    trained, registry, monkeypatch
):
    made, study, prepared, folder = trained

    def gone(self: SmallCnn, channels: int) -> None:
        raise StudyError("the published weights cannot be had here")

    monkeypatch.setattr(SmallCnn, "blank", SmallCnn.build)
    monkeypatch.setattr(SmallCnn, "build", gone)
    again = load(folder, study, registry)
    np.testing.assert_array_equal(again.predict(prepared), made.predict(prepared))
    with pytest.raises(StudyError, match="cannot be had"):
        model.fresh(study, registry, made.views, 2, 0)


def test_calibration_sets_the_statistics_of_the_given_cases_and_no_weight(trained, registry):
    made, study, prepared, _ = trained
    untrained = model.fresh(study, registry, made.views, 2, 0)
    weights = {name: p.clone() for name, p in untrained.pretext.named_parameters()}
    some = {name: rows[:20] for name, rows in prepared.items()}
    untrained.calibrate(some)
    tower = untrained.pretext.encoders()["radiomics"]
    linear, norm = tower.layer1[0], tower.layer1[1]
    with torch.no_grad():
        seen = linear(made.views["radiomics"].collate(some["radiomics"]))
    torch.testing.assert_close(norm.running_mean, seen.mean(0))
    torch.testing.assert_close(norm.running_var, seen.var(0))
    assert norm.momentum == 0.1
    assert not any(module.training for module in untrained.pretext.modules())
    for name, value in untrained.pretext.named_parameters():
        assert torch.equal(value, weights[name])


def test_fresh_weights_follow_the_seed(trained, registry):
    made, study, prepared, _ = trained
    one, same, other = (model.fresh(study, registry, made.views, 2, seed) for seed in (1, 1, 2))
    for name, rows in one.outputs(prepared)["features"].items():
        np.testing.assert_array_equal(rows, same.outputs(prepared)["features"][name])
        assert not np.array_equal(rows, other.outputs(prepared)["features"][name])


def test_the_description_names_classes_and_views(trained):
    about = json.loads((trained[3] / "model.json").read_text(encoding="utf-8"))
    assert about["classes"] == ["benign", "malignant"]
    assert about["views"] == ["radiomics", "image", "greys"]
    assert torch.get_default_dtype() == torch.float32


def test_calibrating_sets_batch_statistics_to_those_of_the_cases_and_no_weight(trained, registry):
    made, study, prepared, _ = trained
    untrained = model.fresh(study, registry, made.views, cases=2, seed=1)
    weights = {k: v.clone() for k, v in untrained.pretext.named_parameters()}
    untrained.calibrate(prepared)
    tower = untrained.pretext.encoders()["radiomics"]
    linear, norm = tower.layer1[0], tower.layer1[1]
    seen = linear(made.views["radiomics"].collate(prepared["radiomics"]))
    torch.testing.assert_close(norm.running_mean, seen.mean(0).detach())
    torch.testing.assert_close(norm.running_var, seen.var(0).detach())
    assert norm.momentum == 0.1
    assert not untrained.pretext.training
    for key, value in untrained.pretext.named_parameters():
        assert torch.equal(value, weights[key])
