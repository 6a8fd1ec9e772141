"""A run of ``evaluate: paper`` as the report finds it: few cases, numbers easy to check."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from rdfc_core.views.overlay import overlays
from tests.support.run_folders import Folder

SHARES = (0.05, 0.2, 1.0)
NETWORKS = ("resnet-scratch", "hybrid-scratch", "hybrid-finetune")
VARIANTS = {  # (table, method) → input, layer, classifier
    ("linear", "rdfc"): ("both", "features", "logistic"),
    ("linear", "simclr"): ("image", "features", "logistic"),
    ("supervised", "radiomics"): ("radiomics", "raw", "svm"),
    ("supervised", "resnet-scratch"): ("image", "features", "head"),
    ("supervised", "hybrid-scratch"): ("both", "features", "head"),
    ("supervised", "hybrid-finetune"): ("paper", "features", "head"),
}
HARD = "hard <b>case</b>"
"""Every method takes it for the other class, at a probability of 0.2 for its own."""


def row(table: str, method: str, variant: tuple[str, str, str], mean: float, **changes):
    """A row of results.json."""
    source, layer, classifier = variant
    values = {
        "table": table, "method": method, "dataset": "d", "input": source, "layer": layer,
        "classifier": classifier, "label_fraction": 1.0, "metric": "f1_weighted", "mean": mean,
        "sd": 0.02, "ci_low": mean - 0.05, "ci_high": mean + 0.05, "n_cases": 40, "folds": 2,
        "seeds": 3,
    }  # fmt: skip
    return {**values, **changes}


def tested(table: str, a: str, b: str, difference: float, corrected: float, **changes):
    """A comparison of results.json."""
    values = {
        "table": table, "label_fraction": 1.0, "metric": "f1_weighted", "method_a": a,
        "method_b": b, "difference": difference, "ci_low": difference - 0.1,
        "ci_high": difference + 0.1, "p": corrected / 2, "p_corrected": corrected,
        "test": "paired-bootstrap",
    }  # fmt: skip
    return {**values, **changes}


def falls(grouping: str, family: str, mean: float | None, half: float = 0.04):
    """What a family contributes, as results.json has it."""
    return {
        "grouping": grouping, "family": family, "features": 9, "method": "radiomics",
        "classifier": "svm", "metric": "auroc", "mean": mean,
        "ci_low": None if mean is None else mean - half,
        "ci_high": None if mean is None else mean + half, "n_cases": 40, "repeats": 10,
    }  # fmt: skip


def paper_results() -> dict:
    """Table 1, Table 2, Figure 2 and paired tests."""
    linear, supervised = VARIANTS["linear", "rdfc"], ("supervised", "hybrid-finetune")
    rows = [
        row("linear", "rdfc", ("image", "features", "logistic"), 0.99),
        row("linear", "rdfc", linear, 0.81, published=0.751),
        row("linear", "simclr", VARIANTS["linear", "simclr"], 0.7),
        row("linear", "simclr", ("image", "features", "knn"), 0.75),
        row("control", "random-init", linear, 0.6),
        row("control", "random-init", ("image", "features", "logistic"), 0.55),
        *(row("supervised", m, VARIANTS["supervised", m], 0.8) for m in ("radiomics", *NETWORKS)),
        row(*supervised, ("all", "features", "head"), 0.97),
        *(
            row("label-efficiency", m, VARIANTS["supervised", m], 0.5 + s / 4, label_fraction=s)
            for m in ("radiomics", *NETWORKS)
            for s in SHARES
        ),
        *(row("label-efficiency", "rdfc", linear, 0.7, label_fraction=s) for s in SHARES),
    ]
    few = {"label_fraction": 0.05}
    comparisons = [
        tested("linear", "rdfc", "simclr", 0.11, 0.012),
        tested("supervised", "radiomics", "hybrid-finetune", 0.2, 0.034),
        tested("supervised", "hybrid-scratch", "hybrid-finetune", -0.05, 0.4),
        tested("supervised", "radiomics", "hybrid-scratch", 0.15, 0.2),
        tested("label-efficiency", "resnet-scratch", "hybrid-finetune", -0.21, 0.0004, **few),
        tested("linear", "rdfc", "simclr", 0.123, 0.5, metric="auroc", test="delong"),
    ]
    return {
        "rows": rows,
        "comparisons": comparisons,
        "importance": [
            falls("class", "glcm", -0.01),
            falls("class", "shape2D", 0.19),
            falls("class", "lost", None),
            falls("filter", "<i>own</i>", 0.02),
        ],
        "dataset": {"name": "d", "classes": ["benign", "malignant"]},
        "run": {
            "method": "rdfc",
            "main": dict(zip(("input", "layer", "classifier"), linear, strict=True)),
        },
    }


def write_paper_run(path: Path) -> Path:
    """Every file that the report reads of such a run."""
    folder = Folder(path, hostile=False)
    folder.case_ids[folder.test["holdout"][0]] = HARD
    folder.write()
    study = yaml.safe_load((path / "study.yaml").read_text(encoding="utf-8"))
    study["evaluate"] |= {
        "compare": {"simclr": {"name": "simclr"}},
        "supervised": {"finetune": {"name": "paper"}},
    }
    (path / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")
    with (path / "metrics.jsonl").open("a", encoding="utf-8") as file:
        line = {"split": "holdout.simclr", "epoch": 1, "loss": 777.0}
        file.write("\n" + json.dumps(line) + "\n")
    (path / "results.json").write_text(json.dumps(paper_results()), encoding="utf-8")
    write_predictions(folder)
    write_attention(folder)
    return path


def write_attention(folder: Folder) -> None:
    """Two cases with maps: the hard one, wrong, and one that is right."""
    frame = np.mgrid[:20, :30][1] / 29
    mask = np.zeros((20, 30))
    mask[4:16, 6:24] = 1
    picture, overlay = overlays(frame, mask, frame[:, ::-1])
    other = folder.case_ids[folder.test["holdout"][1]]
    rows = [
        {
            "split": "holdout", "case_id": case_id, "label": "benign", "predicted": predicted,
            "probability": 0.8, "layer": "layer3", "cells": "4 × 4", "picture": picture,
            "overlay": overlay,
        }
        for case_id, predicted in ((HARD, "malignant"), (other, "benign"))
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), folder.path / "attention.parquet")


def write_predictions(folder: Folder) -> None:
    """All methods are right, but for `HARD`; networks say the same of every case."""
    told = [(*key, variant, 1.0, 0) for key, variant in VARIANTS.items()]
    told += [
        ("label-efficiency", method, VARIANTS["supervised", method], 0.05, repeat)
        for method in NETWORKS
        for repeat in (0, 1)
    ]
    rows = []
    for table, method, (source, layer, classifier), share, repeat in told:
        for place, i in enumerate(folder.test["holdout"]):
            truth = folder.classes.index(folder.labels[i])
            steady = method in NETWORKS  # their ROC curves coincide
            own = 0.2 if folder.case_ids[i] == HARD else 0.9 if steady else 0.6 + 0.01 * place
            other = folder.classes[1 - truth]
            rows.append(
                {
                    "split": "holdout", "table": table, "method": method, "input": source,
                    "layer": layer, "classifier": classifier, "label_fraction": share,
                    "repeat": repeat, "case_id": folder.case_ids[i],
                    "patient_id": folder.patients[i], "label": folder.labels[i],
                    "predicted": folder.labels[i] if own > 0.5 else other,
                    "probabilities": [own, 1 - own] if truth == 0 else [1 - own, own],
                }
            )  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), folder.path / "predictions.parquet")
