"""How often prediction sets hold the label, over many divisions of a data set into halves.

Reads the handcrafted features of run folders (``rdfc extract`` is enough), learns a logistic
regression from half of the patients, calibrates on its answers out of fold, and looks at the other
half:

    python tests/benchmarks/conformal_coverage.py RUN… [--draws 100]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyarrow import parquet
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rdfc_core.evaluation.conformal import (
    calibrate_sets,
    conformal_quantile,
    patient_shares,
    sets_of,
)
from rdfc_core.extraction.features_table import ABOUT
from rdfc_core.models.training_cases import distances, patients_apart

COVERAGES, QUANTILES, NEIGHBOUR = (0.8, 0.9, 0.95), (0.95, 0.99), 5


def main() -> None:
    """Print a line a data set and nominal value."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--draws", type=int, default=100)
    asked = parser.parse_args()
    for run in asked.runs:
        table = parquet.read_table(run / "features.parquet").to_pandas()
        table = table[table["label"].notna()]
        features = table.drop(columns=[*ABOUT], errors="ignore").to_numpy(np.float64)
        classes, truth = np.unique(table["label"].to_numpy(str), return_inverse=True)
        patients = table["patient_id"].to_numpy(str)
        found: dict[str, list[float]] = {}
        for seed in range(asked.draws):
            for name, value in draw(features, truth, patients, classes.tolist(), seed).items():
                found.setdefault(name, []).append(value)
        print(f"{run.name}: {len(truth)} cases of {len(set(patients))} patients")
        for name, values in found.items():
            error = np.nanstd(values) / np.sqrt(len(values))
            print(f"  {name:38} {100 * np.nanmean(values):5.1f} % ± {100 * error:.1f}")


def draw(
    features: NDArray[np.float64],
    truth: NDArray[np.int64],
    patients: NDArray[np.str_],
    classes: list[str],
    seed: int,
) -> dict[str, float]:
    """What one division of the patients into halves gives."""
    halves = StratifiedGroupKFold(2, shuffle=True, random_state=seed)
    train, test = next(halves.split(features, truth, patients))
    regression = LogisticRegression(C=0.01, class_weight="balanced", max_iter=2000)
    model = make_pipeline(SimpleImputer(), StandardScaler(), regression)
    inner = StratifiedGroupKFold(3, shuffle=True, random_state=seed)
    said = cross_val_predict(
        model,
        features[train],
        truth[train],
        groups=patients[train],
        cv=inner,
        method="predict_proba",
    )
    model.fit(features[train], truth[train])
    here, own = model.predict_proba(features[test]), patient_shares(patients[test].tolist())
    found = {}
    for coverage in COVERAGES:
        made = calibrate_sets(said, truth[train], patients[train].tolist(), classes, coverage)
        inside = sets_of(here, classes, [made])
        holds, sizes = inside[np.arange(len(test)), truth[test]], inside.sum(axis=1)
        found[f"sets at {coverage:g}, coverage"] = float(np.average(holds, weights=own))
        for place, name in enumerate(classes):
            rows = truth[test] == place
            found[f"sets at {coverage:g}, coverage of {name}"] = float(
                np.average(holds[rows], weights=own[rows])
            )
        found[f"sets at {coverage:g}, a single class"] = float((sizes == 1).mean())
    placed = model[:-1].transform(features).clip(-5, 5).astype(np.float32)
    apart = patients_apart(placed[train], patients[train].tolist(), NEIGHBOUR)
    near = np.sort(distances(placed[test], placed[train]), axis=1)[:, NEIGHBOUR - 1]
    strange = placed[test] + np.float32(2)
    far = np.sort(distances(strange, placed[train]), axis=1)[:, NEIGHBOUR - 1]
    for quantile in QUANTILES:
        limit = conformal_quantile(apart, patients[train].tolist(), quantile)
        found[f"flagged beyond {quantile:g}, familiar"] = float(
            np.average(near > limit, weights=own)
        )
        found[f"flagged beyond {quantile:g}, shifted by 2 SD"] = float((far > limit).mean())
    return found


if __name__ == "__main__":
    main()
