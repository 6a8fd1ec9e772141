"""What simulated scanners cost a logistic regression on radiomics, without and with ComBat.

    python tests/benchmarks/harmonisation.py MANIFEST TABLE.npz [--draws 5]

Reads the nodules of a manifest, gives each patient one of three simulated scanners (gain, offset
and blur of the image), measures the native features, and writes the tables to TABLE.npz (used again
when it exists). Scanners are drawn for patients at random, or by the label: two thirds of the
patients with a malignant nodule are of scanner C, and a sixth of the others (confounded). Five-fold
cross-validation by patient; everything is fitted on the training folds, by the view that studies
use. A second table holds out a whole scanner: the others train, and its cases are brought to them
by ``new_sites``.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from rdfc_core import Case
from rdfc_core.case import Needs
from rdfc_core.interfaces import FeatureExtractor, Prepared
from rdfc_core.plugin.registry import installed
from rdfc_core.views.feature_view import FeatureView
from rdfc_core.views.options import FeatureViewConfig
from rdfc_harmoniser_combat.config import ComBatConfig
from rdfc_harmoniser_combat.harmoniser import ComBat

SCANNERS = {"A": (1.0, 0.0, 0.0), "B": (0.9, 40.0, 0.7), "C": (1.15, -60.0, 1.1)}
"""Name → gain, offset in HU, and blur in voxels."""


def simulated(image: SimpleITK.Image, scanner: str) -> SimpleITK.Image:
    """The image as a scanner would have made it."""
    gain, offset, blur = SCANNERS[scanner]
    array = SimpleITK.GetArrayFromImage(image).astype(np.float32) * gain + offset
    made = SimpleITK.GetImageFromArray(array)
    made.CopyInformation(image)
    if blur:
        made = SimpleITK.DiscreteGaussian(made, [blur**2, blur**2, 0.0], useImageSpacing=False)
    return made


def measured(manifest: Path, table: Path) -> dict[str, Any]:
    """Features of each nodule by each scanner, (3, N, F), with labels, patients and names."""
    if table.exists():
        return dict(np.load(table))
    registry = installed()
    extractor = registry.get("feature_extractor", "native")
    native = extractor.build(extractor.load_config()(parameters="ct"))
    with manifest.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    reader = registry.get("reader", "volumes")
    volumes = reader.build(reader.load_config()())
    tables: dict[str, list[NDArray[np.float64]]] = {name: [] for name in SCANNERS}
    with tempfile.TemporaryDirectory() as folder:
        for row in rows:
            image = SimpleITK.ReadImage(str(manifest.parent / row["image"]))
            for name in SCANNERS:
                path = Path(folder) / "image.nii.gz"
                SimpleITK.WriteImage(simulated(image, name), str(path))
                case = Case("case", "case", path, manifest.parent / row["mask"], reader=volumes)
                tables[name].append(native.extract(case.load(Needs())).values)
    found = {
        "values": np.array([tables[name] for name in SCANNERS]),
        "labels": np.array([row["label"] == "malignant" for row in rows]),
        "patients": np.array([row["patient_id"] for row in rows]),
        "names": np.array(native.names(3)),
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


def judged(
    values: NDArray[np.float64],
    scanners: NDArray[np.int64],
    labels: NDArray[np.bool_],
    folds: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
    harmonise: dict[str, Any] | None,
) -> float:
    """AUROC of a logistic regression, the mean over folds; all is fitted on training cases."""
    names = tuple(f"f{place}" for place in range(values.shape[1]))
    cases = [
        Prepared(row, names, columns={"scanner": "ABC"[scanner]})
        for row, scanner in zip(values, scanners, strict=True)
    ]
    found = []
    for train, test in folds:
        combat = None if harmonise is None else ComBat(ComBatConfig(batch="scanner", **harmonise))
        view = FeatureView(FeatureViewConfig(clip=5), _Nothing(), combat)
        view.fit([cases[row] for row in train])
        view.adapt([cases[row] for row in test])
        seen = {
            part: view.collate([cases[row] for row in rows]).numpy()
            for part, rows in (("train", train), ("test", test))
        }
        model = LogisticRegression(C=0.01, class_weight="balanced", max_iter=5000)
        model.fit(seen["train"], labels[train])
        said = model.decision_function(seen["test"])
        found.append(roc_auc_score(labels[test], said))
    return float(np.mean(found))


class _Nothing(FeatureExtractor):
    """Features are there already."""

    def names(self, ndim: int) -> tuple[str, ...]:
        return ()

    def extract(self, tumour: Any) -> Any:
        raise NotImplementedError

    def recipe(self) -> dict[str, Any]:
        return {"name": "nothing"}


def main() -> None:
    """Print a line a setting: mean and standard deviation over draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--draws", type=int, default=5)
    asked = parser.parse_args()
    data = measured(asked.manifest, asked.table)
    labels, patients = data["labels"], data["patients"]
    rows = np.arange(len(labels))
    settings: dict[str, dict[str, Any] | None] = {"as measured": None, "ComBat": {}}
    for confounded in (False, True):
        for name, harmonise in settings.items():
            within, without, across = [], [], []
            for seed in range(asked.draws):
                scanners = drawn_scanners(labels, patients, confounded, seed)
                values = data["values"][scanners, rows]
                cut = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
                folds = list(cut.split(values, labels, patients))
                held = [
                    (np.flatnonzero(scanners != one), np.flatnonzero(scanners == one))
                    for one in range(3)
                ]
                within.append(judged(values, scanners, labels, folds, harmonise))
                one_scanner = data["values"][0]
                without.append(judged(one_scanner, 0 * scanners, labels, folds, None))
                own = None if harmonise is None else {**harmonise, "new_sites": "own"}
                across.append(judged(values, scanners, labels, held, own))
            told = [f"{np.mean(one):.3f} ± {np.std(one):.3f}" for one in (within, across, without)]
            drawn = "by label" if confounded else "at random"
            print(
                f"scanners {drawn}, {name}: folds {told[0]}, a scanner held out {told[1]}", end=""
            )
            print(f" (all of one scanner: folds {told[2]})", flush=True)


if __name__ == "__main__":
    main()
