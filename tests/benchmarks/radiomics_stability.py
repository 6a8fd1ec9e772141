"""Which features are stable, and what it does for a classifier to take these alone.

    python tests/benchmarks/radiomics_stability.py FOLDER [--store FILE] [--workers 1]
        [--cases N] [--pool 60] [--perturbations 5] [--test-chain VC] [--draws 500]

The folder is a data set: one with a manifest.csv, or one laid out as TN-SCUI2020; ``--cases`` takes
the first so many of its labelled cases. One case of each
of ``--pool`` patients is perturbed (NTVC); a table of ICC(1,1) by image and class is printed, of
all of the pool. Then, in each fold of five (by patient, stratified), the stable features are those
of the pool's patients that the fold does not test, and two classifiers learn from the other cases:
logistic regression (standardised, C = 0.01, balanced) and the SVM of conventional radiomics. Both
predict the test cases as they are and with another outline (``--test-chain``, of another seed).
Folds 1 and 2 are for choosing the threshold; 3 to 5 are pooled and reported: AUROC and weighted F1,
and differences to all features with 95 % intervals over patients, resampled in pairs.
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections import Counter
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

from rdfc_core.case import Case
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.evaluation.conventional_radiomics import ConventionalRadiomics
from rdfc_core.evaluation.stability import Stability, one_a_patient, stability_of, table_of
from rdfc_core.extraction.extract import extract
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.plugin.registry import installed
from rdfc_core.radiomics.perturbation import Perturbation
from rdfc_core.utils.progress import Progress
from rdfc_core.views.perturbed import PerturbedPreparer, perturbed_preparers
from rdfc_core.views.preparers import FeaturePreparer

CHAIN, SEED, TEST_SEED = "NTVC", 0, 1_000_003
RULES = {"all": None, "low ≥ .75": ("low", 0.75), "low ≥ .90": ("low", 0.9)}
CHOOSING = (0, 1)
"""Folds on which a threshold is chosen."""


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--store", type=Path, default=Path("stability-store.sqlite"))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--cases", type=int, default=None)
    parser.add_argument("--pool", type=int, default=60)
    parser.add_argument("--perturbations", type=int, default=5)
    parser.add_argument("--test-chain", default="VC")
    parser.add_argument("--draws", type=int, default=500)
    return parser.parse_args()


class Measured:
    """All features of a data set: of its cases, of another outline of each, and of the pool."""

    def __init__(self, asked: argparse.Namespace) -> None:
        registry = installed()
        name = "manifest" if (asked.folder / "manifest.csv").exists() else "tn-scui2020"
        component = registry.get("dataset", name)
        dataset = component.load()(component.load_config()(root=asked.folder))
        cases = AutoReader.installed(registry).given_to(
            [case for case in dataset.cases() if case.label is not None][: asked.cases]
        )
        found = registry.get("feature_extractor", "native")
        plain = FeaturePreparer(found.load()(found.load_config()()))
        other = PerturbedPreparer(plain, Perturbation(asked.test_chain, TEST_SEED, 0))
        store = Store(asked.store)
        executor = LocalExecutor(LocalExecutorConfig(workers=asked.workers))
        progress = Progress()
        made = extract(cases, {"plain": plain, "other": other}, store, executor, progress)
        for failure in made.failures:
            print(failure.reason)
        self.cases: list[Case] = list(made.cases)
        ids = [case.case_id for case in self.cases]
        self.names = made.prepared["plain"][ids[0]].names
        self.plain = np.stack([one.array for one in made.of("plain", ids)])
        self.other = np.stack([one.array for one in made.of("other", ids)])
        self.patients = np.array([case.patient_id for case in self.cases])
        classes = sorted({str(case.label) for case in self.cases})
        self.truth = np.array([classes.index(str(case.label)) for case in self.cases])
        drawn = one_a_patient(self.cases, asked.pool, SEED)
        views = perturbed_preparers(plain, CHAIN, SEED, asked.perturbations)
        pool = extract(drawn, views, store, executor, progress)
        for failure in pool.failures:
            print(failure.reason)
        self.pool_patients = np.array([case.patient_id for case in pool.cases])
        self.pool, _ = table_of(pool.prepared, [case.case_id for case in pool.cases])

    def stability(self, without: NDArray[np.str_]) -> Stability:
        """Of the pool's patients but these."""
        return stability_of(self.pool[~np.isin(self.pool_patients, without)], self.names)


def print_table(found: Stability) -> None:
    """How many features are stable, by image and class."""
    lows = {at: found.stable(at, "low") for at in (0.75, 0.9)}
    points = {at: found.stable(at, "icc") for at in (0.75, 0.9)}
    print(f"\nICC(1,1) of {found.cases.max()} patients; features whose ICC reaches .75 / .90,")
    print("by the lower end of the 95 % interval (by the estimate), of how many:")
    for place, kind in ((0, "image"), (1, "class")):
        every: Counter[str] = Counter()
        counts = {key: Counter() for key in ("l75", "l90", "p75", "p90")}
        for k, name in enumerate(found.names):
            part = name.split("_")[place]
            part = part.split("-")[0] if place == 0 else part
            every[part] += 1
            for key, kept in zip(counts, (*lows.values(), *points.values()), strict=True):
                counts[key][part] += bool(kept[k])
        for part, count in every.items():
            n = {key: one[part] for key, one in counts.items()}
            print(
                f"  {kind} {part:12s} {n['l75']:4d} / {n['l90']:4d} ({n['p75']:4d} / {n['p90']:4d})"
                f" of {count}, median ICC "
                f"{np.nanmedian([i for i, m in zip(found.icc, found.names, strict=True) if part == (m.split('_')[0].split('-')[0] if place == 0 else m.split('_')[1])]):.2f}"  # noqa: E501
            )
    print(
        f"  all: {lows[0.75].sum()} / {lows[0.9].sum()} ({points[0.75].sum()} / "
        f"{points[0.9].sum()}) of {len(found.names)}"
    )


def logistic(train: NDArray, truth: NDArray, _patients: NDArray):
    """Probabilities of class 1, by a fitted logistic regression."""
    model = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=0.01, class_weight="balanced", max_iter=5000),
    )
    model.fit(train, truth)
    return lambda table: model.predict_proba(table)[:, 1]


def svm(train: NDArray, truth: NDArray, patients: NDArray):
    """Probabilities of class 1, by conventional radiomics."""
    method = ConventionalRadiomics(2, balanced=True, folds=3, seed=0)
    method.fit(train, truth, patients.tolist())
    return lambda table: method.predict(table)[:, 1]


METHODS = {"logistic": logistic, "SVM": svm}


def predictions(data: Measured) -> tuple[dict[tuple[str, str, str], NDArray], NDArray]:
    """(Rule, method, outline) → what is said of each case when it is tested; and its fold."""
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    said: dict[tuple[str, str, str], NDArray] = {}
    place = np.zeros(len(data.truth), int)
    splits = folds.split(data.plain, data.truth, data.patients)
    for number, (train, test) in enumerate(splits):
        place[test] = number
        found = data.stability(np.unique(data.patients[test]))
        for rule, asked in RULES.items():
            kept = (
                np.ones(len(data.names), bool) if asked is None else found.stable(asked[1], "low")
            )
            print(f"fold {number + 1}, {rule}: {kept.sum()} features", flush=True)
            for method, learn in METHODS.items():
                say = learn(data.plain[train][:, kept], data.truth[train], data.patients[train])
                for outline, table in (("own", data.plain), ("other", data.other)):
                    key = rule, method, outline
                    said.setdefault(key, np.zeros(len(data.truth)))[test] = say(
                        table[test][:, kept]
                    )
    return said, place


def scores(said: NDArray, truth: NDArray, place: NDArray) -> tuple[float, float]:
    """Means over folds of AUROC and weighted F1."""
    parts = [place == fold for fold in np.unique(place)]
    return (
        float(np.mean([roc_auc_score(truth[p], said[p]) for p in parts])),
        float(np.mean([f1_score(truth[p], said[p] > 0.5, average="weighted") for p in parts])),
    )


def differences(one: NDArray, two: NDArray, data: Measured, place: NDArray, draws: int):
    """95 % intervals of the differences of `scores`, patients resampled within folds."""
    rng, found = np.random.default_rng(0), []
    groups = {p: np.flatnonzero(data.patients == p) for p in np.unique(data.patients)}
    rows = np.isin(np.arange(len(place)), np.flatnonzero(place >= 0))
    patients = [p for p, own in groups.items() if rows[own[0]]]
    for _ in range(draws):
        drawn = rng.choice(patients, len(patients))
        taken = np.concatenate([groups[p] for p in drawn])
        try:
            a = scores(one[taken], data.truth[taken], place[taken])
            b = scores(two[taken], data.truth[taken], place[taken])
        except ValueError:  # a fold without one of the classes
            continue
        found.append(np.subtract(b, a))
    return np.percentile(found, [2.5, 97.5], axis=0)


def main() -> None:
    asked = parse()
    data = Measured(asked)
    print(f"{len(data.truth)} cases of {len(np.unique(data.patients))} patients")
    print_table(data.stability(np.array([], str)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said, place = predictions(data)
    for title, folds in (("folds 1-2, for choosing", CHOOSING), ("folds 3-5", (2, 3, 4))):
        rows = np.isin(place, folds)
        print(f"\n{title}: AUROC, weighted F1")
        for (rule, method, outline), one in said.items():
            auc, f1 = scores(one[rows], data.truth[rows], place[rows])
            line = f"  {method:9s} {outline:6s} {rule:10s} {auc:.3f} {f1:.3f}"
            if rule != "all" and folds != CHOOSING:
                of_folds = np.where(rows, place, -1)
                base = said["all", method, outline]
                low, high = differences(base, one, data, of_folds, asked.draws)
                before = scores(base[rows], data.truth[rows], place[rows])
                line += (
                    f"  AUROC {auc - before[0]:+.3f} [{low[0]:+.3f}, {high[0]:+.3f}]"
                    f"  F1 {f1 - before[1]:+.3f} [{low[1]:+.3f}, {high[1]:+.3f}]"
                )
            print(line)


if __name__ == "__main__":
    main()
