"""How far the cases of a list are from those that a run was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from rdfc_core.errors import DataError
from rdfc_core.evaluation.bootstrap import interval, resample_weights
from rdfc_core.evaluation.drift import (
    LARGE,
    LEAST,
    distances,
    feature_drift,
    furthest_familiar,
    told_apart,
)
from rdfc_core.evaluation.metrics import auroc
from rdfc_core.extraction.extract import Extraction
from rdfc_core.extraction.features_table import ABOUT, named_features
from rdfc_core.pipeline.embeddings_table import joint
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.results import files
from rdfc_core.results.schema import finite
from rdfc_core.results.validation import Drift, DriftedFeature, Value

SHOWN = 10
"""Features that are named."""
RESAMPLES, CONFIDENCE = 500, 0.95


@dataclass(frozen=True)
class TrainedOn:
    """What the first split of a run learnt from, and held back.

    Args:
        split: Its name.
        patients: (N,) patients of the cases that it learnt from.
        vectors: (N, E) their embeddings.
        held_back: (M, E) embeddings of those that it held back.
        names: F features, each behind the name of its view.
        features: (N, F) of the cases that it learnt from, NaN where one is missing.
    """

    split: str
    patients: tuple[str, ...]
    vectors: NDArray[np.float32]
    held_back: NDArray[np.float32]
    names: tuple[str, ...]
    features: NDArray[np.float64]

    @classmethod
    def of(cls, run: OpenRun) -> TrainedOn:
        """Read from the run folder.

        Raises:
            DataError: If the run has kept no embeddings or features.
        """
        folder = run.place.path
        for name in (files.EMBEDDINGS, files.FEATURES):
            if not (folder / name).is_file():
                raise DataError(f"{folder} holds no {name}. Run its study again: rdfc run.")
        split = next(iter(run.models))
        rows = parquet.read_table(
            folder / files.EMBEDDINGS, filters=[("split", "=", split)]
        ).to_pylist()
        learnt = [row for row in rows if row["part"] != "test"]
        ids = [row["case_id"] for row in learnt]
        owners = {row.case_id: row.patient_id for row in run.place.case_rows()}
        table = parquet.read_table(folder / files.FEATURES)
        names = tuple(name for name in table.column_names if name not in ABOUT)
        return cls(
            split,
            tuple(owners.get(case_id, case_id) for case_id in ids),
            _vectors(learnt),
            _vectors([row for row in rows if row["part"] == "test"]),
            names,
            _numbers(table, names, ids),
        )


def drift_of(extraction: Extraction, run: OpenRun, trained: TrainedOn, seed: int) -> Drift:
    """Of the cases of a list, labelled or not.

    Args:
        extraction: Of the list.
        run: Gives the network.
        trained: What it was trained on.
        seed: Decides folds and resamples.
    """
    case_ids = [case.case_id for case in extraction.cases]
    model = run.models[trained.split]
    here = joint(model, {name: extraction.of(name, case_ids) for name in model.views})
    drifted = feature_drift(trained.names, trained.features, _here(extraction, trained.names))
    enough = min(len(here), len(trained.vectors)) >= LEAST
    patients = [case.patient_id for case in extraction.cases]
    limit = furthest_familiar(trained.vectors, trained.held_back) if enough else None
    far = None if limit is None else float((distances(trained.vectors, here) > limit).mean())
    return Drift(
        split=trained.split,
        features=len(drifted),
        large=sum(abs(one.difference) > LARGE for one in drifted),
        furthest=tuple(DriftedFeature(**asdict(one)) for one in drifted[:SHOWN]),
        told_apart=_apart(trained, here, patients, seed) if enough else None,
        unfamiliar=far,
    )


def _apart(
    trained: TrainedOn, here: NDArray[np.float32], patients: Sequence[str], seed: int
) -> Value:
    # Ids of two places may be equal by chance.
    owners = [*(f"trained {one}" for one in trained.patients), *(f"here {one}" for one in patients)]
    said = told_apart(trained.vectors, here, owners, seed)
    place = np.repeat([False, True], [len(trained.vectors), len(here)])
    weights = resample_weights(owners, RESAMPLES, seed)
    estimate = float(auroc(place, said, np.ones((1, len(said))))[0])
    low, high = interval(auroc(place, said, weights), estimate, CONFIDENCE)
    return Value(estimate=estimate, low=finite(low), high=finite(high))


def _vectors(rows: Sequence[dict[str, object]]) -> NDArray[np.float32]:
    return np.array([row["vector"] for row in rows], np.float32).reshape(len(rows), -1)


def _numbers(table: pa.Table, names: Sequence[str], ids: Sequence[str]) -> NDArray[np.float64]:
    """(N, F), the rows of these cases."""
    place = {case_id: row for row, case_id in enumerate(table.column("case_id").to_pylist())}
    rows = np.array([place[case_id] for case_id in ids], int)
    columns = [np.asarray(table.column(name).to_numpy(), np.float64)[rows] for name in names]
    return np.stack(columns, axis=1) if columns else np.zeros((len(rows), 0))


def _here(extraction: Extraction, names: Sequence[str]) -> NDArray[np.float64]:
    """(M, F) of the list's cases, in the order of the run's features; NaN for what they lack."""
    cases = extraction.cases
    columns: dict[str, NDArray[np.float64]] = {}
    for view, (first, prepared) in named_features(extraction).items():
        values = np.stack([prepared[case.case_id].array for case in cases]).astype(np.float64)
        columns |= {f"{view}.{name}": values[:, k] for k, name in enumerate(first.names)}
    absent = np.full(len(cases), np.nan)
    return (
        np.stack([columns.get(name, absent) for name in names], axis=1)
        if names
        else np.zeros((len(cases), 0))
    )
