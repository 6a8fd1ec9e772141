"""Whether a classifier notices which extractor measured: linear evaluation of both, side by side.

    python tests/benchmarks/radiomics_downstream.py FOLDER … [--store FILE] [--workers 1]

Each folder is a data set: one with a manifest.csv, or one laid out as TN-SCUI2020. All its cases
are measured by both extractors through rdfc, with parameters `auto`, and kept in the store. Then
scikit-learn's logistic regression (standardised features, the median where one is missing, classes
balanced, C = 0.01, solved to 1e-10) predicts each fold of five, by patient and stratified, from the
others. Printed: AUROC and weighted F1 of all predictions, means of so many shuffles of the folds.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.extraction.extract import extract
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.plugin.registry import installed
from rdfc_core.views.preparers import FeaturePreparer

ENGINES = ("native", "pyradiomics")
SETS = {"all": (), "no shape": ("shape",), "no shape, no LoG": ("shape", "log-")}
"""Name → features that are left out, by parts of their names."""
SHUFFLES = 10


def measured(folder: Path, store: Store, workers: int) -> tuple[dict[str, NDArray], ...]:
    """Engine → features (N, F); and labels, patients and names of the features, by these words."""
    registry = installed()
    name = "manifest" if (folder / "manifest.csv").exists() else "tn-scui2020"
    component = registry.get("dataset", name)
    cases = component.load()(component.load_config()(root=folder)).cases()
    views = {}
    for engine in ENGINES:
        found = registry.get("feature_extractor", engine)
        views[engine] = FeaturePreparer(found.load()(found.load_config()()))
    executor = LocalExecutor(LocalExecutorConfig(workers=workers))
    made = extract(AutoReader.installed(registry).given_to(cases), views, store, executor)
    for failure in made.failures:
        print(failure.reason)
    kept = [case.case_id for case in made.cases]
    values = {engine: np.stack([one.array for one in made.of(engine, kept)]) for engine in ENGINES}
    about = {
        "labels": np.array([case.label for case in made.cases]),
        "patients": np.array([case.patient_id for case in made.cases]),
        "names": np.array(made.of("native", kept[:1])[0].names),
    }
    return values, about


def judged(values: NDArray, labels: NDArray, patients: NDArray) -> NDArray:
    """AUROC and weighted F1 of each shuffle of the folds, (S, 2)."""
    positive = labels == np.unique(labels)[-1]
    scores = []
    for seed in range(SHUFFLES):
        probability = np.empty(len(labels))
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        for train, test in folds.split(values, positive, patients):
            model = make_pipeline(
                SimpleImputer(strategy="median"),
                StandardScaler(),
                LogisticRegression(C=0.01, class_weight="balanced", tol=1e-10, max_iter=100_000),
            )
            model.fit(values[train], positive[train])
            probability[test] = model.predict_proba(values[test])[:, 1]
        f1 = f1_score(positive, probability > 0.5, average="weighted")
        scores.append((roc_auc_score(positive, probability), f1))
    return np.array(scores)


def compare(folder: Path, store: Store, workers: int) -> None:
    """Print a row for each set of features and engine."""
    values, about = measured(folder, store, workers)
    labels, patients, names = about["labels"], about["patients"], about["names"]
    print(f"{folder.name}: {len(labels)} cases of {len(np.unique(patients))} patients")
    for kind, left_out in SETS.items():
        kept = np.array([not any(part in name for part in left_out) for name in names])
        rows = [judged(values[engine][:, kept], labels, patients) for engine in ENGINES]
        for engine, scores in zip(ENGINES, rows, strict=True):
            auroc, f1 = scores.mean(axis=0)
            print(f"{kind:>18} {engine:>12} {kept.sum():6,} AUROC {auroc:.5f}  F1 {f1:.5f}")
        worst = np.abs(rows[0] - rows[1]).max(axis=0)
        print(f"{'':>18} largest difference of a shuffle {worst[0]:.5f} {worst[1]:.5f}")


def main() -> None:
    """Compare on the folders."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--store", type=Path, default=Path("downstream.sqlite"))
    parser.add_argument("--workers", type=int, default=1)
    chosen = parser.parse_args()
    for folder in chosen.folders:
        compare(folder, Store(chosen.store), chosen.workers)


if __name__ == "__main__":
    main()
