"""No stage of a study keeps or builds a second table of the features of thousands of cases."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rdfc_core.case import Case
from rdfc_core.data.splits import Split
from rdfc_core.evaluation import classifiers, safeguards
from rdfc_core.evaluation.explanations import Explanations
from rdfc_core.extraction.extract import Extraction
from rdfc_core.interfaces import Prepared
from rdfc_core.models import inputs, model, training_cases
from rdfc_core.pipeline import per_split
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.training import placement
from rdfc_core.views import feature_view
from tests.support import small_study

CASES, FEATURES = 2_000, 400
TABLE = CASES * FEATURES * 8
"""Bytes of all features in double precision, as they were measured."""

CHUNKS = (
    (feature_view, "ROWS", 100),
    (feature_view, "COLUMNS", 16),
    (classifiers, "ROWS_AT_ONCE", 100),
    (model, "BATCH", 100),
    (placement, "CHUNK", 100),
    (safeguards, "MOST_CASES", 400),
    (inputs, "BATCH", 100),
    (training_cases, "AT_ONCE", 25),
)
"""How much is worked on at a time: as little of this table as it is of one of 20,000 cases."""

SETTINGS = (
    "pretrain.epochs=1",
    "pretrain.batch_size=400",
    "evaluate.bootstrap=100",
    "evaluate.controls=[radiomics,size-only]",
    "evaluate.classifiers=[logistic]",
    "evaluate.radiomics_c=[0.01]",
    "evaluate.methods=[]",
    "evaluate.selection={enabled: true, folds: 2, "
    "candidates: [probe, radiomics-logistic, image-and-radiomics]}",
)


def prepared(cases: int) -> dict[str, dict[str, Prepared]]:
    """Features that tell the classes apart, and next to nothing of the other views."""
    rng = np.random.default_rng(0)
    names = tuple(f"original_firstorder_{place}" for place in range(FEATURES))
    made: dict[str, dict[str, Prepared]] = {"radiomics": {}, "image": {}, "greys": {}, "size": {}}
    for place in range(cases):
        case_id = f"c{place}"
        row = rng.normal(size=FEATURES)
        row[:3] += place % 2
        made["radiomics"][case_id] = Prepared(row, names)
        made["image"][case_id] = Prepared(rng.random((1, 16, 16)).astype(np.float16))
        made["greys"][case_id] = Prepared(rng.random(16))
        made["size"][case_id] = Prepared(rng.random(3), ("log_content", "log_side_0", "log_side_1"))
    return made


def learn(context: RunContext, folder: Path, cases: int, stage: Callable[[str, Any], Any]) -> None:
    """Everything that a study does on a split; each step is handed to ``stage`` by its name."""
    study = small_study.resolved(folder, *SETTINGS)
    views = {name: part.build(context.registry) for name, part in study.views.items()}
    listed = [Case(f"c{i}", f"p{i}", Path(), Path(), "ab"[i % 2]) for i in range(cases)]
    extraction = Extraction(listed, prepared(cases))
    ids, train = tuple(case.case_id for case in listed), cases * 4 // 5
    split = Split("holdout", ids[:train], ids[:train], ids[train:])
    run = per_split.SplitRun(study, views, extraction, split, RunFolder(folder), context)
    stage("fit", run.fit)
    learnt, _ = stage("pretrain", lambda: per_split.pretrained(run))
    learnt.classes = ("a", "b")
    explanations = Explanations(why_not="There are no files to draw.")
    stage("evaluate", lambda: per_split.evaluate(run, learnt, {}, explanations))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, registry: Any) -> dict[str, float]:
    """Stage → tables: the most while it ran, and what was left of it, above what there was."""
    from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
    from rdfc_core.extraction.store import Store

    folder = tmp_path_factory.mktemp("memory")
    executor = LocalExecutor(LocalExecutorConfig(workers=0))
    context = RunContext(registry, Store(folder / "store.sqlite"), executor)
    found: dict[str, float] = {}

    def stage(name: str, work: Any) -> Any:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        result = work()
        peak = tracemalloc.get_traced_memory()[1]
        gc.collect()
        now = tracemalloc.get_traced_memory()[0]
        found[f"{name} peak"] = (peak - before) / TABLE
        found[f"{name} left"] = (now - before) / TABLE
        return result

    # Once on a few cases: what libraries load on their first call is not the table's.
    learn(context, folder / "few", 60, lambda _, work: work())
    with pytest.MonkeyPatch.context() as patch:
        for module, name, size in CHUNKS:
            patch.setattr(module, name, size)
        tracemalloc.start()
        try:
            learn(context, folder / "many", CASES, stage)
        finally:
            tracemalloc.stop()
    return found


def test_views_are_fitted_without_a_table(told):
    assert told["fit peak"] < 0.7
    assert told["fit left"] < 0.1


def test_pretraining_keeps_no_table_and_needs_one_in_single_precision(told):
    assert told["pretrain left"] < 0.45
    assert told["pretrain peak"] < 1.2


def test_evaluation_needs_one_table_in_single_precision_and_the_training_rows_in_double(told):
    assert told["evaluate peak"] < 2.0
    assert told["evaluate left"] < 0.45
