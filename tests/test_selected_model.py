"""The model that a run chooses by its training cases: judged, saved, and used by predict."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import small_study
from safetensors.numpy import load_file, save_file
from small_study import QUICK

from rdfc_core import DataError, StudyError
from rdfc_core import study as studies
from rdfc_core.predict import predict
from rdfc_core.results import Results

CANDIDATES = (
    "probe",
    "radiomics-logistic",
    "image-and-radiomics",
    "radiomics",
    "hybrid-finetune",
)
SELECTING = (
    *QUICK,
    "evaluate.selection.enabled=true",
    "evaluate.selection.folds=2",
    "evaluate.controls=[random-init,radiomics,size-only]",
    "evaluate.classifiers=[logistic]",
    "evaluate.methods=[hybrid-scratch,hybrid-finetune,radiomics]",
    "evaluate.inner_folds=2",
    "evaluate.supervised.epochs=2",
    "evaluate.supervised.head=embedding",
    "evaluate.label_fractions=[0.3]",
    "evaluate.label_seeds=2",
)


@pytest.fixture(scope="module")
def selected(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("selected")
    small_study.run_study(pictures, folder / "run", folder / "store.sqlite", SELECTING)
    return folder / "run"


def told_of(run: Path, method: str, table: str = "supervised") -> dict[str, Any]:
    """Case → probabilities, by all labels."""
    rows = pq.read_table(run / "predictions.parquet").to_pylist()
    own = [r for r in rows if (r["method"], r["table"], r["repeat"]) == (method, table, 0)]
    return {row["case_id"]: row["probabilities"] for row in own if row["label_fraction"] == 1}


def test_predict_says_of_the_run_s_test_cases_what_the_run_said(selected, cases, workbench):
    scored = told_of(selected, "selected")
    assert len(scored) >= 5
    said = predict(selected, [case for case in cases if case.case_id in scored], workbench)
    np.testing.assert_allclose(said.probabilities, list(scored.values()), rtol=1e-4, atol=1e-6)
