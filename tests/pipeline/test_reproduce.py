"""``rdfc reproduce``: the studies that data sets carry, and their numbers beside ours."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rdfc_core.config.load import load_study
from rdfc_core.config.resolve import ResolvedStudy, resolve
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.linear_probe import Variant
from rdfc_core.interfaces import PublishedRow
from rdfc_core.pipeline.reproduce import on_copy, published_study
from rdfc_core.pipeline.summary import rows
from rdfc_core.results.vocabulary import METRICS
from tests.support.command import HERE

NAMES = ("tn-scui2020", "kits19")
MINUTE = (
    "features=outline",
    "encoder=small-cnn:width=4",
    "views.image.size=[16,16]",
    "pretrain.epochs=1",
    "evaluate.supervised.epochs=1",
    "evaluate.supervised.sweep=[]",
    "evaluate.label_seeds=1",
    "evaluate.label_fractions=[0.5,1.0]",
    "evaluate.inner_folds=2",
    "evaluate.bootstrap=100",
)
"""What makes even the quick study one of seconds."""


def resolved(registry, name: str, quick: bool, *overrides: str) -> ResolvedStudy:
    study, made_quick = on_copy(published_study(registry, name), name, Path("data"), quick)
    return resolve(load_study(study, [*made_quick, *overrides]), registry)


def options(settings: Any, *names: str) -> tuple[Any, ...]:
    return tuple(getattr(settings, name) for name in names)


@pytest.mark.parametrize(("name", "size"), [("tn-scui2020", (160, 196)), ("kits19", (64, 64))])
def test_the_study_is_at_the_papers_settings(registry, name, size):
    # PyRadiomics has no build for every Python; which extractor it is, is in the file.
    study = resolved(registry, name, False, "features.name=native")
    assert published_study(registry, name).study["views"]["radiomics"]["extractor"]["name"] == (
        "pyradiomics"
    )
    view = study.views["image"]
    assert (view.parts["encoder"].config.model, view.config.size) == ("resnet50", size)
    budget = ("epochs", "learning_rate", "momentum", "weight_decay")
    assert options(study.pretrain, *budget) == (700, 3e-3, 0.9, 1e-4)
    assert options(study.evaluate.supervised, *budget) == (100, 3e-3, 0.9, 1e-4)
    for settings in (study.pretrain, study.evaluate.supervised):
        assert settings.optimizer.name == "sgd"
    assert study.evaluate.supervised.lr_milestone == 0.7
    assert study.pretext.parts["memory"].config.momentum == 0.5
    assert study.pretext.parts["objective"].config.temperature == 0.07
    assert set(study.compare) == {"autoencoder", "jigsaw", "simclr"}


def test_only_the_thyroid_study_has_label_fractions(registry):
    full = {name: resolved(registry, name, False, "features.name=native") for name in NAMES}
    assert full["tn-scui2020"].evaluate.label_fractions == (0.05, 0.2, 0.5, 1.0)
    assert full["kits19"].evaluate.label_fractions == ()
    kidney = full["kits19"].views["image"].config
    assert (kidney.slices, kidney.window) == (10, (-200, 300))


@pytest.mark.parametrize("name", NAMES)
def test_the_quick_study_differs_in_budget_and_not_in_what_is_judged(registry, name):
    full = resolved(registry, name, False, "features.name=native")
    quick = resolved(registry, name, True)
    assert set(quick.compare) == set(full.compare)
    judged = ("methods", "label_fractions", "controls", "class_weight", "bootstrap")
    assert options(quick.evaluate, *judged) == options(full.evaluate, *judged)
    assert quick.evaluate.supervised.sweep == full.evaluate.supervised.sweep
    assert quick.pretrain.epochs < full.pretrain.epochs


@pytest.mark.parametrize("name", NAMES)
def test_every_published_number_is_of_a_method_that_the_study_judges(registry, name):
    study = resolved(registry, name, True)
    judged = {
        "linear": {"rdfc", *study.compare},
        "supervised": set(study.evaluate.methods),
    }
    published = published_study(registry, name).rows
    assert {row.table for row in published} == set(judged)
    for table, methods in judged.items():
        told = [row for row in published if row.table == table]
        assert {row.method for row in told} == methods
        assert {row.metric for row in told} <= set(METRICS)


def test_a_published_number_stands_beside_the_rows_that_it_names_and_no_others(registry):
    study = resolved(registry, "kits19", True, "evaluate.bootstrap=100")
    truth, chances = np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]])
    said = [Prediction("fold-0", ("a", "b"), ("p", "q"), truth, chances)]
    found = {
        Variant("linear", "rdfc", "both", "features", "sgd"): said,
        Variant("linear", "rdfc", "image", "features", "sgd"): said,
        Variant("linear", "simclr", "image", "features", "sgd"): said,
        Variant("supervised", "rdfc", "both", "features", "sgd"): said,
    }
    told = PublishedRow(
        table="linear", method="rdfc", metric="accuracy", mean=0.5, sd=0.1, input="both"
    )
    beside = [row for row in rows(study, found, [told]) if row.published is not None]
    assert [(row.table, row.input, row.metric) for row in beside] == [
        ("linear", "both", "accuracy")
    ]
    assert (beside[0].published, beside[0].published_sd) == (0.5, 0.1)


@pytest.fixture
def nodules(pictures: Path, tmp_path: Path) -> Path:
    """The small pictures in the layout of TN-SCUI2020."""
    root = tmp_path / "TNSCUI2020_train"
    for folder in ("image", "mask"):
        (root / folder).mkdir(parents=True)
    lines = ["ID,CATE"]
    with (pictures / "manifest.csv").open(newline="", encoding="utf-8") as file:
        listed = [row for row in csv.DictReader(file) if row["label"]]
    classes = sorted({row["label"] for row in listed})
    for number, row in enumerate(listed, start=100):
        shutil.copy(pictures / row["image"], root / "image" / f"{number}.PNG")
        shutil.copy(pictures / row["mask"], root / "mask" / f"{number}.PNG")
        lines.append(f"{number}.PNG,{classes.index(row['label'])}")
    (root / "train.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def test_the_tables_are_printed_beside_the_published_numbers(rdfc_here, nodules):
    changed = [word for override in MINUTE for word in ("--set", override)]
    done = rdfc_here("reproduce", "tn-scui2020", "--root", nodules, "--quick", *changed, *HERE)
    assert done.code == 0, done.err
    assert "Zhao Z, Yang G" in done.err
    published = [line for line in done.out.splitlines() if "hybrid-finetune" in line]
    assert any("0.844" in line and "0.849" in line for line in published)  # Table 2
    found = json.loads(Path("runs/tn-scui2020-quick/results.json").read_text("utf-8"))["rows"]
    told = {
        (row["method"], row["metric"]): row["published"]
        for row in found
        if row["table"] == "linear" and row["published"] is not None
    }
    assert told == {
        ("rdfc", "f1_weighted"): 0.829,
        ("simclr", "f1_weighted"): 0.787,
        ("jigsaw", "f1_weighted"): 0.716,
        ("autoencoder", "f1_weighted"): 0.689,
    }
    tables = {row["table"] for row in found}
    assert tables == {"linear", "supervised", "label-efficiency", "control"}


def test_a_data_set_without_a_published_study_names_those_with_one(rdfc_here, tmp_path):
    done = rdfc_here("reproduce", "manifest", "--root", tmp_path)
    done.refused("No published study comes with the data set 'manifest'", "kits19, tn-scui2020")
