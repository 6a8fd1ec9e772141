"""A regression from a list to the report: a number that texture carries, and size and shape do not."""

from __future__ import annotations

import pytest

from rdfc_core.config.load import load_study
from rdfc_core.config.resolve import resolve
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.context import RunContext
from rdfc_core.plugin.registry import installed
from tests.support.small_study import SMALL_STUDY

STUDY = {
    **{key: value for key, value in SMALL_STUDY.items() if key != "features"},
    "task": "regression",
    "dataset": {
        "name": "phantom",
        "kind": "texture",
        "label": "number",
        "cases": 140,
        "labelled": 120,
        "difficulty": 0.2,
        "image_size": [64, 64],
    },
    "views": {
        "radiomics": {"width": 16, "layers": 2, "dropout": 0.0, "extractor": "native"},
        "image": {"size": [32, 32]},
    },
    "evaluate": {
        "bootstrap": 300,
        "methods": ["radiomics", "radiomics-ridge", "hybrid-scratch", "hybrid-finetune"],
        "selection": {"enabled": True, "folds": 2},
        "inner_folds": 2,
        "label_fractions": [0.3],
        "label_seeds": 1,
        "supervised": {
            "epochs": 3,
            "min_steps": 0,
            "head": "features",
            "head_scale": 4.0,
            "finetune": "lp-ft",
        },
    },
    "split": {"test_fraction": 0.4},
}


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    return RunContext(
        installed(),
        Store(tmp_path_factory.mktemp("store") / "store.sqlite"),
        LocalExecutor(LocalExecutorConfig(workers=0)),
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory, context):
    folder = tmp_path_factory.mktemp("regression") / "run"
    study = resolve(load_study(STUDY), context.registry)
    return folder, studies.run(study, folder, context)


def test_print(finished):
    folder, r = finished
    for row in r.rows:
        if row.metric in ("r2", "mae"):
            print(
                row.table,
                row.method,
                row.input,
                row.layer,
                row.classifier,
                row.label_fraction,
                row.metric,
                row.mean and round(row.mean, 3),
                row.ci_low and round(row.ci_low, 3),
                row.ci_high and round(row.ci_high, 3),
            )
    print(r.headline)
    print(r.selections[:1])
    print(r.dataset)
    print(r.importance[:2])
    print(r.labels_needed[:1])
    print(r.warnings)
    print(r.run["seconds"])
    import pyarrow.parquet as pq

    print(pq.read_table(folder / "predictions.parquet").to_pandas().head())
