"""What simulated scanners cost a logistic regression on radiomics, without and with ComBat.

    python tests/benchmarks/harmonisation.py DATASET TABLE.npz [--parameters …] [--draws 5]

DATASET is named as in a study, such as ``tn-scui2020:root=DIR``. Each patient gets one of three
simulated scanners (gain, offset and blur of the image); the features are measured once by each and
kept in TABLE.npz. Scanners are drawn at random, or by the label: two thirds of the patients with a
tumour of the last class are of scanner C, and a sixth of the others (confounded). Five-fold
cross-validation by patient; everything is fitted on the training folds, by the view that studies
use. Beside it a whole scanner is held out: the others train, and its cases are left as they are, or
brought to them by ``new_sites: own``.

    python tests/benchmarks/harmonisation.py malignant RUN/features.parquet [--draws 5]

takes the features of a run, and gives them the scanners by shifting and stretching each feature;
the class that is told from the others is named.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyarrow import parquet
from scipy.ndimage import gaussian_filter
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from rdfc_core.case import Needs, Tumour
from rdfc_core.config.resolve import resolve_part
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.extraction.features_table import ABOUT
from rdfc_core.plugin.component import Part
from rdfc_core.plugin.registry import installed
from rdfc_harmoniser_combat.config import ComBatConfig
from rdfc_harmoniser_combat.harmoniser import ComBat

SCANNERS = {"A": (1.0, 0.0, 0.0), "B": (0.9, 0.05, 0.7), "C": (1.15, -0.08, 1.1)}
"""Name → gain, offset as a share of the image's range, and blur in samples."""


def simulated(tumour: Tumour, scanner: str) -> Tumour:
    """The tumour as a scanner would have shown it."""
    gain, offset, blur = SCANNERS[scanner]
    array = tumour.image.array.astype(np.float32)
    low, high = np.percentile(array, (1, 99))
    array = gain * array + offset * (high - low)
    if blur:
        array = gaussian_filter(array, [0.0] * (array.ndim - 2) + [blur, blur])
    return replace(tumour, image=replace(tumour.image, array=array, colour=None))


def measured(dataset: str, parameters: str, table: Path) -> dict[str, Any]:
    """Features of each tumour by each scanner, (3, N, F), with labels and patients."""
    if table.exists():
        return dict(np.load(table))
    registry = installed()

    def built(kind: str, text: str) -> Any:
        return resolve_part(kind, Part.model_validate(text), registry, kind).build(registry)

    data, native = built("dataset", dataset), built("feature_extractor", f"native:{parameters}")
    cases = AutoReader.installed(registry).given_to(data.cases())
    rows: dict[str, list[Any]] = {name: [] for name in SCANNERS}
    for case in cases:
        tumour = case.load(Needs())
        for name in SCANNERS:
            rows[name].append(native.extract(simulated(tumour, name)).values)
    found = {
        "values": np.array([rows[name] for name in SCANNERS]),
        "labels": np.array([case.label == data.classes[-1] for case in cases]),
        "patients": np.array([case.patient_id for case in cases]),
    }
    np.savez_compressed(table, **found)
    return found


def drawn_scanners(
    labels: NDArray[np.bool_], patients: NDArray[np.str_], confounded: bool, seed: int
) -> NDArray[np.int64]:
    """(N,) the scanner of each nodule; a patient has one."""
    generator = np.random.default_rng(seed)
    malignant = {patient: labels[patients == patient].any() for patient in np.unique(patients)}
    skew = {True: [1 / 6, 1 / 6, 4 / 6], False: [5 / 12, 5 / 12, 1 / 6]}
    of = {
        patient: generator.choice(3, p=skew[bool(one)] if confounded else None)
        for patient, one in malignant.items()
    }
    return np.array([of[patient] for patient in patients])


def of_a_run(features: Path, seed: int) -> NDArray[np.float64]:
    """A run's features as three scanners would give them, (3, N, F), by a model of ComBat's kind.

    Each scanner but the first shifts every feature by N(0, 0.7) standard deviations and stretches
    it by a factor of exp(N(0, 0.3)).
    """
    table = parquet.read_table(features).to_pandas().drop(columns=list(ABOUT))
    values = table.to_numpy(np.float64)
    generator = np.random.default_rng(seed)
    mean, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    found = [values]
    for _ in SCANNERS.keys() - {"A"}:
        stretch = np.exp(generator.normal(0, 0.3, len(mean)))
        shift = generator.normal(0, 0.7, len(mean)) * spread
        found.append(mean + stretch * (values - mean) + shift)
    return np.array(found)


def judged(
    values: NDArray[np.float64],
    scanners: NDArray[np.int64],
    labels: NDArray[np.bool_],
    folds: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
    harmonise: dict[str, Any] | None,
) -> float:
    """AUROC of a logistic regression, the mean over folds; all is fitted on training cases."""
    told = [{"scanner": "ABC"[scanner]} for scanner in scanners]
    found = []
    for train, test in folds:
        seen = {"train": values[train], "test": values[test]}
        if harmonise is not None:
            combat = ComBat(ComBatConfig(batch="scanner", **harmonise))
            combat.fit(values[train], [told[row] for row in train])
            combat.adapt(values[test], [told[row] for row in test])
            seen = {
                part: combat.transform(values[rows], [told[row] for row in rows])
                for part, rows in (("train", train), ("test", test))
            }
        model = make_pipeline(
            SimpleImputer(strategy="median"),
            StandardScaler(),
            FunctionTransformer(np.clip, kw_args={"a_min": -5, "a_max": 5}),
            LogisticRegression(C=0.01, class_weight="balanced", max_iter=5000),
        )
        model.fit(seen["train"], labels[train])
        said = model.decision_function(seen["test"])
        found.append(roc_auc_score(labels[test], said))
    return float(np.mean(found))


def main() -> None:
    """Print a line a setting: mean and standard deviation over draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset")
    parser.add_argument("table", type=Path)
    parser.add_argument("--parameters", default="parameters=ultrasound")
    parser.add_argument("--draws", type=int, default=5)
    asked = parser.parse_args()
    if asked.table.suffix == ".parquet":
        about = parquet.read_table(asked.table, columns=["patient_id", "label"]).to_pandas()
        data = {"values": of_a_run(asked.table, 0)}
        labels = (about["label"] == asked.dataset).to_numpy()
        patients = about["patient_id"].to_numpy(str)
    else:
        data = measured(asked.dataset, asked.parameters, asked.table)
        labels, patients = data["labels"], data["patients"]
    rows = np.arange(len(labels))

    def folds(values: NDArray[np.float64], seed: int) -> list[Any]:
        cut = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        return list(cut.split(values, labels, patients))

    first = data["values"][0]
    alone = [judged(first, 0 * rows, labels, folds(first, n), None) for n in range(asked.draws)]
    print(f"{len(labels)} cases, all of one scanner: {_told(alone)}", flush=True)
    for confounded in (False, True):
        for name, within, elsewhere in (
            ("as measured", None, None),
            ("ComBat", {}, {"new_sites": "own"}),
        ):
            found = []
            for seed in range(asked.draws):
                scanners = drawn_scanners(labels, patients, confounded, seed)
                values = data["values"][scanners, rows]
                others = [
                    (np.flatnonzero(scanners != one), np.flatnonzero(scanners == one))
                    for one in range(3)
                ]
                found.append(
                    (
                        judged(values, scanners, labels, folds(values, seed), within),
                        judged(values, scanners, labels, others, elsewhere),
                    )
                )
            drawn = "by label" if confounded else "at random"
            print(
                f"scanners drawn {drawn}, {name}: folds {_told([one for one, _ in found])}, "
                f"a scanner held out {_told([one for _, one in found])}",
                flush=True,
            )


def _told(values: list[float]) -> str:
    return f"{np.mean(values):.3f} ± {np.std(values):.3f}"


if __name__ == "__main__":
    main()
