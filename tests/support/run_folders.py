"""Run folders as a study leaves them, written with generated cases."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from rdfc_core.case import Tumour, Volume
from rdfc_core.views.thumbnail import thumbnail

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "</script><script>alert(3)</script>",
    "' onpointerover='alert(4)",
    "{{ 7 * 7 }}",
    "line\u2028break\x00 & <b>",
)
METHODS = {  # method → (table, input, how well its scores separate the classes)
    "rdfc": ("linear", "both", 1.6),
    "random-init": ("control", "both", 0.7),
    "radiomics": ("control", "radiomics", 1.5),
    "shape-only": ("control", "radiomics", 1.55),
    "shuffled-labels": ("control", "both", 0.0),
}


@dataclass
class Folder:
    """A run folder to be written: change a field, then `write`."""

    path: Path
    classes: tuple[str, ...] = ("benign", "malignant")
    cases: int = 72
    unlabelled: int = 12
    splits: tuple[str, ...] = ("holdout",)
    hostile: bool = True
    pictures: dict[str, bytes] | None = None
    separation: dict[str, float] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        n = self.cases
        ids = [f"case-{i:03d}" for i in range(n)]
        if self.hostile:
            ids[: len(HOSTILE)] = HOSTILE
        self.case_ids = ids
        self.labels = [self.classes[i % len(self.classes)] for i in range(n)]
        self.labels[n - self.unlabelled :] = [None] * self.unlabelled
        self.patients = [f"patient-{i // 2}" for i in range(n)]
        self.test: dict[str, list[int]] = {name: [] for name in self.splits}
        for label in self.classes:
            own = rng.permutation([i for i in range(n) if self.labels[i] == label])
            folds = np.array_split(own, max(len(self.splits), 3))  # a hold-out part is a third
            for name, fold in zip(self.splits, folds, strict=False):
                self.test[name] += fold.tolist()
        self.rng = rng

    @property
    def hostile_ids(self) -> tuple[str, ...]:
        return HOSTILE if self.hostile else ()

    def write(self) -> Path:
        """Write every file of the run."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.write_study()
        self.write_metrics()
        predictions = self.write_predictions()
        self.write_results(predictions)
        self.write_embeddings()
        self.write_pictures()
        return self.path

    def write_study(self) -> None:
        study = {
            "preset": "default",
            "dataset": {"name": "manifest", "root": "data/<b>lesions</b>"},
            "views": {
                "radiomics": {"name": "features", "extractor": {"name": "pyradiomics"}},
                "image": {"name": "image", "encoder": {"name": "timm", "model": "resnet18"}},
            },
            "pretext": {"name": "correspondence", "objective": {"name": "infonce"}},
            "split": {},
            "pretrain": {"epochs": 40},
            "evaluate": {"confidence": 0.95},
            "seed": 7,
            "versions": {"python": "3.11.7", "rdfc-core": "0.1.0", "torch": "2.13.0"},
        }
        text = yaml.safe_dump(study, sort_keys=False, allow_unicode=True)
        (self.path / "study.yaml").write_text(text, encoding="utf-8")

    def write_metrics(self, epochs: int = 40) -> None:
        lines = []
        for k, split in enumerate(self.splits):
            for epoch in range(1, epochs + 1):
                part = epoch / epochs
                line = {
                    "split": split,
                    "epoch": epoch,
                    "loss": 2 + 5 * float(np.exp(-4 * part)) + 0.1 * k,
                    "learning_rate": 0.003 if part < 0.7 else 0.0003,
                    "seconds": 2.0,
                    "cases_per_second": 31.5,
                    "image.effective_rank": 3 + 20 * part,
                    "radiomics.effective_rank": 5 + 15 * part,
                    "image.off_diagonal": 0.6 * (1 - part) + 0.04,
                    "radiomics.off_diagonal": float("nan") if epoch == 1 else 0.5 * (1 - part),
                    "image.uniformity": -1 - 2 * part,
                    "radiomics.uniformity": -1.2 - 1.5 * part,
                    "radiomics-image.alignment": 1.8 - part,
                    "radiomics-image.retrieval_top1": 0.5 * part,
                    "objective.something_else": 1.0,
                }
                lines.append(json.dumps(line))
        torn = lines[-1][: len(lines[-1]) // 2]
        (self.path / "metrics.jsonl").write_text("\n".join([*lines, torn]), encoding="utf-8")

    def write_predictions(self) -> list[dict]:
        rows = []
        for method, (table, source, strength) in METHODS.items():
            strength = self.separation.get(method, strength)
            for split in self.splits:
                for i in self.test[split]:
                    truth = self.classes.index(self.labels[i])
                    score = self.rng.normal(size=len(self.classes))
                    score[truth] += strength
                    p = np.exp(score) / np.exp(score).sum()
                    rows.append(
                        {
                            "split": split,
                            "table": table,
                            "method": method,
                            "input": source,
                            "layer": "raw" if source == "radiomics" else "features",
                            "classifier": "logistic",
                            "case_id": self.case_ids[i],
                            "patient_id": self.patients[i],
                            "label": self.labels[i],
                            "predicted": self.classes[int(p.argmax())],
                            "probabilities": p.tolist(),
                        }
                    )
        pq.write_table(pa.Table.from_pylist(rows), self.path / "predictions.parquet")
        return rows

    def write_results(self, predictions: list[dict]) -> None:
        rows = []
        for method, (table, source, _) in METHODS.items():
            own = [row for row in predictions if row["method"] == method]
            for metric in ("f1_weighted", "accuracy", "auroc"):
                by_split = [
                    self._score(metric, [r for r in own if r["split"] == split])
                    for split in self.splits
                ]
                mean = float(np.mean(by_split))
                published = 0.829 if (method, metric) == ("rdfc", "f1_weighted") else None
                rows.append(
                    {
                        "table": table,
                        "method": method,
                        "dataset": "manifest",
                        "input": source,
                        "layer": "raw" if source == "radiomics" else "features",
                        "classifier": "logistic",
                        "label_fraction": 1.0,
                        "metric": metric,
                        "mean": mean,
                        "sd": float(np.std(by_split, ddof=1)) if len(by_split) > 1 else None,
                        "ci_low": max(0.0, mean - 0.06),
                        "ci_high": min(1.0, mean + 0.06),
                        "n_cases": len(own),
                        "folds": len(self.splits),
                        "seeds": 1,
                        "published": published,
                    }
                )
        labelled = [label for label in self.labels if label is not None]
        data = {
            "rows": rows,
            "dataset": {
                "name": "manifest",
                "citation": "Someone A. A data set & its <i>story</i>. 2020.",
                "classes": list(self.classes),
                "cases": len(self.case_ids) + 2,
                "patients": len(set(self.patients)),
                "unlabelled": self.unlabelled,
                "per_class": {name: labelled.count(name) for name in self.classes},
                "splits": [
                    {"name": name, "pretext": 60, "train": 40, "test": len(self.test[name])}
                    for name in self.splits
                ],
            },
            "failed": [
                {"case_id": "<img src=x onerror=alert(6)>", "reason": "the mask is empty & gone"},
                {"case_id": "case-900", "reason": "the image is cut short"},
            ],
            "missing": [
                {"feature": "log-sigma-5_<glcm>_Idn", "cases": 3, "reason": "fewer than 4 voxels"}
            ],
            "warnings": ["2 cases could not be used <script>alert(7)</script>"],
            "run": {
                "seconds": {"features": 42.5, "pretrain": 3725.0, "evaluate": 61.0},
                "seed": 7,
                "machine": "2 CPU cores, no GPU",
                "started": "2026-11-23T09:15:00+01:00",
            },
        }
        (self.path / "results.json").write_text(json.dumps(data), encoding="utf-8")

    def _score(self, metric: str, rows: list[dict]) -> float:
        truth = [row["label"] for row in rows]
        if metric == "auroc":
            p = np.array([row["probabilities"] for row in rows])
            if len(self.classes) == 2:
                return float(roc_auc_score([t == self.classes[1] for t in truth], p[:, 1]))
            order = [self.classes.index(t) for t in truth]
            return float(roc_auc_score(order, p, multi_class="ovr"))
        predicted = [row["predicted"] for row in rows]
        if metric == "accuracy":
            return float(accuracy_score(truth, predicted))
        return float(f1_score(truth, predicted, average="weighted"))

    def write_embeddings(self) -> None:
        centres = self.rng.normal(size=(len(self.classes) + 1, 16)) * 1.2
        rows = []
        for split in self.splits:
            for i, case_id in enumerate(self.case_ids):
                label = self.labels[i]
                place = self.classes.index(label) if label in self.classes else -1
                part = "test" if i in self.test[split] else "train" if label else "pretext"
                vector = centres[place] + self.rng.normal(size=16)
                rows.append((split, part, case_id, label, vector.tolist()))
        names = ("split", "part", "case_id", "label", "vector")
        columns = dict(
            zip(names, (list(column) for column in zip(*rows, strict=True)), strict=True)
        )
        columns["label"] = pa.array(columns["label"], pa.string())
        pq.write_table(pa.table(columns), self.path / "embeddings.parquet")

    def write_pictures(self) -> None:
        pictures = self.pictures
        if pictures is None:
            pictures = {c: thumbnail(phantom(i), 64) for i, c in enumerate(self.case_ids)}
        columns = {"case_id": list(pictures), "png": list(pictures.values())}
        pq.write_table(pa.table(columns), self.path / "pictures.parquet")


def phantom(seed: int) -> Tumour:
    """A bright ellipse in noise, with its true mask."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:48, :56]
    a, b = rng.uniform(6, 14, size=2)
    mask = ((rows - 24) / a) ** 2 + ((columns - 28) / b) ** 2 <= 1
    image = rng.normal(40, 8, size=mask.shape) + 60 * mask
    return Tumour(Volume.of(image.astype(np.float32)), mask)
