"""A run as ONNX says what rdfc says: every kind of model that can be chosen and saved."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from rdfc_core.errors import PluginError, StudyError
from rdfc_core.export import inputs, onnx_file
from rdfc_core.interfaces import Prepared
from rdfc_core.models.initialisation import Initialisation
from rdfc_core.models.members import NetworkMember
from rdfc_core.models.phantoms import phantoms
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.pipeline.predict import features, predict
from rdfc_core.results.schema import Ranked, Selection
from rdfc_core.views.image_view import ImageView
from tests.support import small_study
from tests.support.small_study import QUICK

CANDIDATES = (
    "probe",
    "radiomics-logistic",
    "image-and-radiomics",
    "radiomics",
    "hybrid-finetune",
)
SELECTING = (
    *QUICK,
    "evaluate.selection.enabled=true",
    "evaluate.selection.folds=2",
    "evaluate.controls=[]",
    "evaluate.classifiers=[logistic]",
    "evaluate.methods=[hybrid-scratch,hybrid-finetune,radiomics]",
    "evaluate.inner_folds=2",
    "evaluate.supervised.epochs=2",
    "evaluate.label_fractions=[]",
    "evaluate.evaluators=[random-forest]",
    "views.radiomics.clip=2.0",
)


@pytest.fixture(scope="session")
def chosen(once, pictures) -> Path:
    """A run of three views that chose among all candidates, and saved them."""

    def write(place: Path) -> None:
        small_study.run_study(pictures, place / "run", place / "store.sqlite", SELECTING)

    return once("chosen-to-export", write) / "run"


def said_by_onnx(run: Path, method: str, cases, context, registry, out: Path):
    """What ONNX Runtime says of real cases, and what rdfc says."""
    opened = OpenRun(run, registry)
    tried = onnx_file.write_onnx(out, opened.models, method)
    extraction = features(opened, cases, context)
    ids = [case.case_id for case in extraction.cases]
    first = next(iter(opened.models.values()))
    arrays = {}
    for port in tried.ports:
        prepared = extraction.of(port.view, ids)
        if port.kind == "features":
            arrays[port.name] = np.stack([one.array for one in prepared]).astype(np.float64)
        else:
            arrays[port.name] = first.views[port.view].collate(prepared).numpy()
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == [port.name for port in tried.ports]
    return session.run(None, arrays)[0], predict(opened, cases, context, method).probabilities


@pytest.mark.parametrize("method", ["selected", *CANDIDATES])
def test_each_candidate_says_as_onnx_what_predict_says(
    chosen, method, cases, run_context, registry, tmp_path
):
    said, own = said_by_onnx(chosen, method, cases, run_context, registry, tmp_path / "m.onnx")
    assert own.std(axis=0).min() > 1e-4
    np.testing.assert_allclose(said, own, rtol=0, atol=1e-5)


def made(views, pretext="correspondence", task="classification", classes=("a", "b"), ndim=2):
    """A model that no case has trained: fitted on noise, with weights and classifier drawn."""
    from rdfc_core.config.load import load_study
    from rdfc_core.config.resolve import resolve
    from rdfc_core.models.linear_model import LinearModel
    from rdfc_core.models.model import fresh
    from rdfc_core.plugin.registry import installed

    content = {**small_study.SMALL_STUDY, "dataset": "manifest:root=.", "views": views}
    content = {k: v for k, v in content.items() if k not in ("features", "encoder")}
    content |= {"task": task, "pretext": pretext}
    if pretext == "simclr":
        content.pop("objective")
    study = resolve(load_study(content), installed())
    rng = np.random.default_rng(0)
    built = {name: part.build(installed()) for name, part in study.views.items()}
    for view in built.values():
        if isinstance(view, ImageView):
            shape = (1, *view.config.size)
            view.fit([Prepared(rng.random(shape)) for _ in range(3)])
        else:
            view.fit([view.prepare(one) for one in phantoms(ndim, view.needs)])
    model = fresh(study, installed(), built, cases=4, seed=0)
    model.pretext.eval()
    for name, buffer in model.pretext.named_buffers():  # batch normalisation that does something
        if name.endswith("running_var"):
            buffer.copy_(torch.rand(buffer.shape) + 0.5)
        elif name.endswith("running_mean"):
            buffer.copy_(0.1 * torch.randn(buffer.shape))
    model.classes = classes if task == "classification" else ()
    towers = model.pretext.encoders()
    width, outputs = sum(t.out_features for t in towers.values()), max(1, len(model.classes))
    model.classifier = LinearModel(
        rng.normal(size=(outputs, width)), rng.normal(size=outputs), tuple(towers), task
    )
    return model, study


def alike(models, path, method="selected"):
    """Whether ONNX Runtime says what rdfc says, of other cases than those of the export."""
    tried = onnx_file.write_onnx(path, models, method)
    asked = [port.view for port in tried.ports]
    other = inputs.tried_cases(next(iter(models.values())).views, asked, 2, seed=9)
    own = onnx_file.answers(models, other, method)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, dict(other.arrays))[0], own, rtol=1e-5, atol=1e-5)
    assert np.abs(own[0] - own[1]).max() > 1e-7
    one = {name: array[:1] for name, array in other.arrays.items()}
    np.testing.assert_allclose(session.run(None, one)[0], own[:1], rtol=1e-5, atol=1e-5)


IMAGE = {"encoder": "small-cnn", "size": [16, 16]}
RADIOMICS = {"extractor": "outline", "width": 16, "layers": 2, "clip": 1.0}
VOLUME = {"encoder": {"name": "monai", "model": "resnet10", "width": 0.25}, "size": [5, 20, 24]}
RESNET = {"encoder": {"name": "timm", "model": "resnet10_half"}, "size": [32, 32]}


@pytest.mark.parametrize(
    ("views", "pretext", "task"),
    [
        ({"radiomics": RADIOMICS, "image": IMAGE}, "correspondence", "classification"),
        ({"radiomics": RADIOMICS, "image": IMAGE}, "correspondence", "regression"),
        ({"image": VOLUME}, "simclr", "classification"),
        ({"image": RESNET}, "simclr", "regression"),
        ({"image": IMAGE, "tokens": "tokens"}, "correspondence", "classification"),
    ],
    ids=["two-views", "number", "volume", "timm", "mapping"],
)
def test_a_linear_probe_says_as_onnx_what_rdfc_says(views, pretext, task, tmp_path):
    model, _ = made(views, pretext, task)
    alike({"holdout": model}, tmp_path / "m.onnx")


def test_a_probe_of_embeddings_and_several_splits_are_averaged(tmp_path):
    model, _ = made({"radiomics": RADIOMICS, "image": IMAGE})
    widths = model.outputs(inputs.tried_cases(model.views, [], 2).prepared)["embedding"]
    width = sum(one.shape[1] for one in widths.values())
    other = deepcopy(model)
    other.layer = "embedding"
    other.classifier.weight = np.random.default_rng(3).normal(size=(2, width))
    alike({"fold-1": model, "fold-2": other}, tmp_path / "m.onnx")


def test_a_temperature_calibrates_a_network_on_embeddings_of_three_classes(tmp_path):
    model, study = made({"radiomics": RADIOMICS, "image": IMAGE}, classes=("a", "b", "c"))
    supervised = study.evaluate.supervised.model_copy(update={"head": "embedding"})
    start = Initialisation(model.views, model.pretext, lambda _: deepcopy(model.pretext), 3)
    network = start.network(["radiomics", "image"], supervised, 0, None)
    model.members = {"hybrid-finetune": NetworkMember(network.eval(), model.pretext)}
    model.selection = Selection(
        split="holdout",
        chosen="hybrid-finetune",
        members=("hybrid-finetune",),
        ranking=(
            Ranked(
                candidate="hybrid-finetune",
                tuning="",
                log_loss=0.1,
                absolute_error=None,
                behind=0.0,
                standard_error=0.0,
                temperature=0.05,
            ),
        ),
        folds=2,
        labelled_cases=4,
        reason="",
    )
    alike({"holdout": model}, tmp_path / "m.onnx")


def test_splits_whose_pictures_have_other_sizes_are_exported_one_by_one(tmp_path):
    small, _ = made({"image": IMAGE}, "simclr")
    large, _ = made({"image": {**IMAGE, "size": [20, 16]}}, "simclr")
    with pytest.raises(StudyError, match=r"take other inputs \(image .*--split fold-2\."):
        onnx_file.write_onnx(tmp_path / "m.onnx", {"fold-1": small, "fold-2": large}, "selected")


class Random(torch.nn.Module):
    def forward(self, batch):
        return torch.rand_like(batch.mean(dim=(2, 3)).repeat(1, 8))


def test_a_network_that_answers_otherwise_as_onnx_is_not_kept(tmp_path):
    model, _ = made({"image": IMAGE}, "simclr")
    model.pretext.encoders()["image"].network = Random()
    with pytest.raises(PluginError, match=r"says something else than rdfc|cannot be written"):
        onnx_file.write_onnx(tmp_path / "m.onnx", {"holdout": model}, "selected")


def test_a_feature_view_that_has_learnt_more_is_refused():
    model, _ = made({"radiomics": RADIOMICS, "image": IMAGE})
    view = model.views["radiomics"]
    view.state = lambda own=view.state: {**own(), "sites": np.zeros(2)}
    with pytest.raises(StudyError, match=r"'radiomics' does more .*\(it has learnt sites\)"):
        inputs.tried_cases(model.views, ["radiomics"], 2)


def test_what_is_missing_is_named_with_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(StudyError, match=r'needs onnx, onnxruntime, .*"rdfc-core\[onnx\]"'):
        onnx_file.require_libraries()
