"""Every setting of a study changes what a run gives, or where and how its networks are trained."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pyarrow import parquet
from torch import Tensor, nn

from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.config.query_settings import QueryingSettings
from rdfc_core.config.safeguard_settings import ConformalSettings, OutOfDistributionSettings
from rdfc_core.config.selection_settings import SelectionSettings
from rdfc_core.config.supervised_settings import SupervisedSettings, Tuning
from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.distributed.process_group import ProcessGroup
from rdfc_core.errors import DataError, StudyError
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.interfaces import Prepared, SplitSpec, Tower
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.plugin.registry import Registry
from rdfc_core.training import checkpoint, placement
from rdfc_core.training.held_back import hold_back
from rdfc_core.training.memory_format import laid_out
from rdfc_core.training.metrics_log import PretrainPaths
from rdfc_core.views.options import FeatureViewConfig, ImageViewConfig
from tests.support import small_study
from tests.support.small_parts import GreyTower

PLAIN = (
    *("pretrain.epochs=2", "pretrain.batch_size=12", "evaluate.bootstrap=100"),
    *("evaluate.controls=[]", "evaluate.classifiers=[logistic]"),
)
"""A study of a second: what each setting is changed in, with what it needs besides."""

SGD = ("evaluate.classifiers=[sgd]", "evaluate.sgd_epochs=20")
LABELS = ("pretrain.epochs=0", "evaluate.methods=[hybrid-scratch]", "evaluate.inner_folds=2")
LABELS += ("evaluate.supervised.epochs=2", "evaluate.supervised.batch_size=12")
LABELS += ("evaluate.supervised.min_steps=0", "evaluate.supervised.optimizer=sgd")
SHARES = ("pretrain.epochs=0", "evaluate.methods=[radiomics-logistic]")
SHARES += ("evaluate.label_fractions=[0.5]", "evaluate.label_seeds=2", "evaluate.inner_folds=2")
FINETUNE = (*LABELS[:1], *LABELS[2:], "evaluate.methods=[hybrid-finetune]")
STABLE = ("pretrain.schedule=warmup-stable-decay", "pretrain.epochs=4")
STALLED = (*STABLE, "pretrain.epochs=9", "pretrain.check_steps=1", "pretrain.learning_rate=1e-12")
KEPT = ("views.radiomics.stable=0.93",)
FOLDS = ("split={kind: folds, folds: 2}", "pretrain.epochs=0")

Change = tuple[str, tuple[str, ...]]
"""The setting changed, and what it needs besides."""

PRETRAIN: dict[str, Change] = {
    "epochs": ("1", ()),
    "batch_size": ("6", ()),
    "optimizer": ("adamw", ()),
    "learning_rate": ("0.1", ()),
    "momentum": ("0.5", ()),
    "nesterov": ("false", ("pretrain.nesterov=true",)),
    "weight_decay": ("0.5", ()),
    "steps": ("1", ()),
    "warmup_epochs": ("1", ()),
    "warmup_steps": ("3", ()),
    "schedule": ("cosine", ()),
    "decay_share": ("0.9", STABLE),
    "check_steps": ("30", (*STALLED, "pretrain.patience=1")),
    "patience": ("1", STALLED),
    "precision": ("bf16-mixed", ()),
}

EVALUATE: dict[str, Change] = {
    "classifiers": ("[knn]", ()),
    "logistic_c": ("0.001", ()),
    "class_weight": ("none", ("split.test_fraction=0.45",)),
    "knn_k": ("3", ("evaluate.classifiers=[knn]",)),
    "sgd_epochs": ("2", SGD),
    "sgd_learning_rate": ("0.5", SGD),
    "controls": ("[size-only]", ()),
    "compare": ("{plain: {name: simclr, width: 4}}", ()),
    "starts": ("{thin: {width: 4}}", ()),
    "compared": ("finetune", (*FINETUNE, "evaluate.compare={plain: {name: simclr, width: 4}}")),
    "metrics": ("[log-loss]", ()),
    "evaluators": ("[class-frequencies]", ()),
    "query_strategies": ("[random]", ()),
    "methods": ("[radiomics-logistic]", ("evaluate.inner_folds=2",)),
    "radiomics_c": ("[1.0]", ("evaluate.methods=[radiomics-logistic]", "evaluate.inner_folds=2")),
    "label_fractions": ("[0.3]", SHARES),
    "label_unit": ("case", SHARES),
    "label_seeds": ("1", SHARES),
    "inner_folds": ("3", ("evaluate.methods=[radiomics]",)),
    "temperature_scaling": ("true", LABELS),
    "operating_points": ("[{sensitivity: 0.9, positive: malignant}]", ()),
    "unit": ("patient", FOLDS),
    "pool": ("max", (*FOLDS, "evaluate.unit=patient")),
    "bootstrap": ("300", ()),
    "confidence": ("0.6", ()),
}

CHOOSING = ("evaluate.selection.enabled=true", "pretrain.epochs=0")
SELECTION: dict[str, Change] = {
    "enabled": ("true", ()),
    "candidates": ("[radiomics-logistic]", CHOOSING),
    "folds": ("2", CHOOSING),
    "ensemble": ("false", CHOOSING),
}

CONFORMAL: dict[str, Change] = {
    "enabled": ("false", ()),
    "coverage": ("0.8", ()),
    "by_class": ("false", ("evaluate.conformal.coverage=0.6",)),
}

DISTANT = ("evaluate.out_of_distribution.quantile=0.8",)
OUT_OF_DISTRIBUTION: dict[str, Change] = {
    "enabled": ("false", ()),
    "quantile": ("0.8", ()),
    "neighbours": ("2", DISTANT),
}

BUYING = ("evaluate.query_strategies=[random]", "pretrain.epochs=0")
BUYING += ("evaluate.querying={labels: [2, 9], repeats: 2}",)
QUERYING: dict[str, Change] = {
    "labels": ("[9]", BUYING),
    "repeats": ("1", BUYING),
}

SUPERVISED: dict[str, Change] = {
    "epochs": ("1", LABELS),
    "batch_size": ("6", LABELS),
    "optimizer": ("adamw", LABELS),
    "learning_rate": ("0.1", LABELS),
    "momentum": ("0.5", LABELS),
    "nesterov": ("false", (*LABELS, "evaluate.supervised.nesterov=true")),
    "weight_decay": ("0.5", LABELS),
    "min_steps": ("9", LABELS),
    "max_steps": ("1", LABELS),
    "schedule": ("one-cycle", (*LABELS, "evaluate.supervised.schedule=step")),
    "lr_milestone": ("0.2", (*LABELS, "evaluate.supervised.schedule=step")),
    "precision": ("bf16-mixed", LABELS),
    "head": ("embedding", (*LABELS, "evaluate.supervised.head=features")),
    "head_scale": ("5.0", LABELS),
    "raw_features": ("true", LABELS),
    "seeds": ("2", LABELS),
    "finetune": ("frozen", FINETUNE),
    "sweep": ("[frozen]", FINETUNE),
}

TUNING: dict[str, Change] = {
    "name": ("{name: mine, freeze: [image]}", FINETUNE),
    "freeze": ("{name: own, freeze: [image]}", FINETUNE),
    "reinit": ("{name: own, reinit: [image]}", FINETUNE),
    "lr_scale": ("{name: own, lr_scale: {head: 9}}", FINETUNE),
    "head_init": ("{name: own, head_init: probe}", FINETUNE),
}
"""The whole setting of fine-tuning, against one of the name ``own`` that scales one rate by 2."""

IMAGE: dict[str, Change] = {
    "size": ("[20, 20]", ()),
    "window": ("[50, 150]", ()),
    "channels": ("rgb", ()),
    "margin": ("0.5", ()),
    "spacing_mm": ("[2.0, 2.0]", ()),
    "aspect": ("keep", ("views.image.aspect=stretch",)),
    "mask_channel": ("true", ()),
    "crop_scale": ("[0.3, 0.5]", ()),
    "flip": ("[]", ()),
    "elastic": ("0.05", ()),
    "blur": ("1.0", ()),
    "gamma": ("0.5", ()),
    "contrast": ("0.5", ()),
    "brightness": ("0.2", ()),
    "speckle": ("0.2", ()),
    "noise": ("0.1", ()),
    "encoder": ("{name: small-cnn, width: 4}", ()),
}

RADIOMICS: dict[str, Change] = {
    "width": ("8", ()),
    "channels": ("rgb", ()),
    "layers": ("1", ()),
    "dropout": ("0.0", ()),
    "clip": ("0.5", ()),
    "corruption": ("0.5", ()),
    "stable": ("0.9", ()),
    "stable_by": ("icc", KEPT),
    "stable_chain": ("C", KEPT),
    "stable_perturbations": ("2", KEPT),
    "stable_cases": ("8", KEPT),
    "extractor": ("{name: outline, percentile: 20}", ()),
}

SPLIT: dict[str, Change] = {
    "kind": ("folds", ("split={folds: 2}", "pretrain.epochs=0")),
    "test_fraction": ("0.4", ("pretrain.epochs=0",)),
    "folds": ("3", FOLDS),
    "repeats": ("2", FOLDS),
    "only": ("[1]", FOLDS),
    "pretext": ("all", ("split.pretext=train",)),
}

STUDY: dict[str, Change] = {
    "seed": ("5", ()),
    "pretext": ("{name: correspondence, width: 8}", ()),
    "objective": ("infonce:temperature=0.9", ()),
}

CHANGES = {
    **{f"pretrain.{key}": change for key, change in PRETRAIN.items()},
    **{f"evaluate.{key}": change for key, change in EVALUATE.items()},
    **{f"evaluate.supervised.{key}": change for key, change in SUPERVISED.items()},
    **{f"evaluate.querying.{key}": change for key, change in QUERYING.items()},
    **{f"evaluate.selection.{key}": change for key, change in SELECTION.items()},
    **{f"evaluate.conformal.{key}": change for key, change in CONFORMAL.items()},
    **{f"evaluate.out_of_distribution.{k}": one for k, one in OUT_OF_DISTRIBUTION.items()},
    **{f"views.image.{key}": change for key, change in IMAGE.items()},
    **{f"views.radiomics.{key}": change for key, change in RADIOMICS.items()},
    **{f"split.{key}": change for key, change in SPLIT.items()},
    **STUDY,
}

HOW = {
    "held_back",
    *("data_placement", "image_dtype", "channels_last", "compile"),
    *("checkpoint_every", "checkpoint_steps", "sync_batchnorm"),
}
"""Settings of pretraining that change where and how it is done, each in a test below."""

NESTED = {"conformal", "out_of_distribution", "metrics", "supervised", "selection", "querying"}
"""Of ``evaluate``, options with options of their own."""

OF_NUMBERS = {"task", "ridge_alpha", "radiomics_alpha"}
"""Where numbers are predicted (tests/pipeline/test_regression.py)."""

ELSEWHERE = {
    "ImageViewConfig": {"slices", "image", "images"},
    "FeatureViewConfig": {"image", "images", "harmonise"},
    "SplitSpec": {"column", "fold_column", "test_cases"},
}
"""Of volumes alone (tests/views/test_feature_view.py), of cases of several images
(tests/pipeline/test_two_sequences.py), of lists with a column (tests/data/test_splits.py,
tests/pipeline/test_harmonised_study.py), and of data sets with one case a patient (refused
below)."""


def test_the_walk_leaves_out_no_setting() -> None:
    walked = {
        PretrainSettings: {*PRETRAIN, *HOW},
        EvaluateSettings: {*EVALUATE, *OF_NUMBERS, *NESTED},
        ConformalSettings: set(CONFORMAL),
        OutOfDistributionSettings: set(OUT_OF_DISTRIBUTION),
        QueryingSettings: set(QUERYING),
        SelectionSettings: set(SELECTION),
        SupervisedSettings: set(SUPERVISED),
        Tuning: set(TUNING),
        ImageViewConfig: {*IMAGE, *ELSEWHERE["ImageViewConfig"]},
        FeatureViewConfig: {*RADIOMICS, *ELSEWHERE["FeatureViewConfig"]},
        SplitSpec: {*SPLIT, *ELSEWHERE["SplitSpec"]},
    }
    for settings, keys in walked.items():
        assert keys == set(settings.model_fields), settings.__name__


@pytest.fixture(scope="module")
def signature(
    registry: Registry, pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., dict[str, Any]]]:
    """A function: all that a run of the small study gives, but for the time it took."""
    folder = tmp_path_factory.mktemp("effects")
    store = Store(folder / "store.sqlite")
    context = RunContext(registry, store, LocalExecutor(LocalExecutorConfig(workers=0)))
    known: dict[tuple[str, ...], dict[str, Any]] = {}

    def of(*overrides: str) -> dict[str, Any]:
        if overrides not in known:
            run = folder / str(len(known))
            study = small_study.resolved(pictures, *PLAIN, *overrides)
            results = studies.run(study, run, context)
            known[overrides] = {
                "rows": [row.model_dump() for row in results.rows],
                "queries": [one.model_dump() for one in results.queries],
                "selections": [one.model_dump() for one in results.selections],
                "safeguards": [json.loads(one.read_text())["safeguards"] for one in saved(run)],
                "predictions": parquet.read_table(run / "predictions.parquet").to_pylist(),
                "embeddings": parquet.read_table(run / "embeddings.parquet").to_pylist(),
                "metrics": metrics_of(run),
            }
        return known[overrides]

    yield of
    store.close()


def saved(run: Path) -> list[Path]:
    """What describes the model of each split."""
    return sorted((run / "model").glob("*/model.json"))


def metrics_of(run: Path) -> list[dict[str, Any]]:
    file = run / "metrics.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    timed = ("seconds", "cases_per_second")
    return [{k: v for k, v in json.loads(line).items() if k not in timed} for line in lines]


@pytest.mark.parametrize("key", CHANGES)
def test_a_setting_changes_what_a_run_gives(
    signature: Callable[..., dict[str, Any]], key: str
) -> None:
    value, others = CHANGES[key]
    before, after = signature(*others), signature(*others, f"{key}={value}")
    assert json.dumps(before) != json.dumps(after)


@pytest.mark.parametrize("key", TUNING)
def test_a_setting_of_fine_tuning_changes_what_a_run_gives(
    signature: Callable[..., dict[str, Any]], key: str
) -> None:
    value, others = TUNING[key]
    own = "evaluate.supervised.finetune={name: own, lr_scale: {head: 2}}"
    before = signature(*others, own)
    after = signature(*others, f"evaluate.supervised.finetune={value}")
    assert json.dumps(before) != json.dumps(after)


def test_the_same_study_gives_the_same(
    signature: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """What the differences above are held against: without a change there is none."""
    again = (*LABELS, "seed=0", "evaluate.supervised.seeds=1")
    assert json.dumps(signature(*LABELS)) == json.dumps(signature(*again))


class Pictured(Tower):
    out_features, picture_shape = 4, (2, 8, 8)

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3)

    def forward(self, batch: Tensor) -> Tensor:
        return self.conv(batch).mean(dim=(2, 3))


class Plain:
    """A view that hands over what was prepared."""

    def collate(self, prepared: list[Prepared]) -> Tensor:
        return torch.from_numpy(np.stack([one.array for one in prepared]))


@pytest.mark.parametrize("where", ["device", "memory", "file"])
def test_cases_wait_where_cases_in_says(tmp_path: Path, where: str) -> None:
    cases = [Prepared(np.zeros((1, 4, 4), np.float32)) for _ in range(3)]
    settings = PretrainSettings(data_placement=where)
    _, waits = placement.collated({"image": Plain()}, {"image": cases}, settings, tmp_path)
    assert waits == where


@pytest.mark.parametrize(("chosen", "dtype"), [("float32", "float32"), ("float16", "float16")])
def test_pictures_wait_in_the_number_format_asked_for(
    tmp_path: Path, chosen: str, dtype: str
) -> None:
    cases = [Prepared(np.zeros((1, 4, 4), np.float32)) for _ in range(3)]
    settings = PretrainSettings(image_dtype=chosen, data_placement="memory")
    waiting, _ = placement.collated({"image": Plain()}, {"image": cases}, settings, tmp_path)
    assert waiting["image"].dtype == getattr(torch, dtype)


@pytest.mark.parametrize("wanted", [True, False])
def test_channels_lie_as_channels_last_says(wanted: bool) -> None:
    tower = Pictured()
    with laid_out([tower], PretrainSettings(channels_last=wanted), torch.device("cpu")):
        assert tower.conv.weight.is_contiguous(memory_format=torch.channels_last) is wanted


def test_networks_are_compiled_where_compile_says_so() -> None:
    for mode, own in ((None, False), ("default", True)):
        tower = Pictured()
        with laid_out([tower], PretrainSettings(compile=mode), torch.device("cpu")):
            assert ("forward" in vars(tower)) is own


@pytest.mark.parametrize(("every", "kept"), [(1, 2), (3, 0)])
def test_checkpoints_are_as_far_apart_as_checkpoint_every_says(
    pictures: Path, tmp_path: Path, every: int, kept: int
) -> None:
    class StoppedError(Exception):
        pass

    class Told:
        def send(self, metrics: dict[str, float]) -> None:
            if metrics["epoch"] == 2:
                raise StoppedError

    overrides = ("pretrain.epochs=4", f"pretrain.checkpoint_every={every}")
    with pytest.raises(StoppedError):
        small_study.train(pictures, tmp_path, overrides, Told())
    state = checkpoint.load(PretrainPaths(tmp_path, "holdout").checkpoint)
    assert (state["epoch"] if state else 0) == kept


@pytest.mark.parametrize("wanted", [True, False])
def test_batch_normalisation_is_synchronised_as_sync_batchnorm_says(wanted: bool) -> None:
    tower = GreyTower(16)
    with ProcessGroup(size=2).dividing(
        [tower], PretrainSettings(sync_batchnorm=wanted).sync_batchnorm
    ):
        assert vars(tower)["forward"].sync_batchnorm is wanted


def test_cases_are_held_back_as_held_back_says() -> None:
    ids = [f"c{number}" for number in range(60)]
    for share, count in ((0.0, 0), (0.4, 24)):
        assert len(hold_back(ids, {one: one for one in ids}, share, 0)[1]) == count


def test_an_exact_number_of_test_cases_is_refused_of_patients_with_several(
    pictures: Path, run_context: RunContext, tmp_path: Path
) -> None:
    study = small_study.resolved(pictures, *PLAIN, "split.test_cases=9")
    with pytest.raises(StudyError, match="some patients have several cases"):
        studies.run(study, tmp_path / "run", run_context)


def test_readers_options_reach_the_files(pictures: Path, run_context: RunContext, tmp_path: Path):
    study = small_study.resolved(pictures, *PLAIN, "readers.pictures={max_pixels: 9}")
    with pytest.raises(DataError, match="more than the limit of 9"):
        studies.run(study, tmp_path / "run", run_context, until="extract")
    assert not RunFolder(tmp_path / "run").results.exists()
