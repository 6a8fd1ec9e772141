"""Malformed model folders of a finished run: what they predict, or why they are refused."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save

from rdfc_core.case import Case
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.predict import predict
from rdfc_core.plugin.registry import Registry
from rdfc_core.report.load import read_run
from tests.fuzz.guard import Guard
from tests.fuzz.mutations import altered, bent, damaged
from tests.fuzz.shares import share

WEIGHTS, ABOUT = "weights.safetensors", "model.json"


class Run:
    """A copy of a finished run, whose files are replaced and put back."""

    def __init__(self, guard: Guard, finished: Path, cases: list[Case], registry: Registry) -> None:
        self.guard, self.cases = guard, cases[:2]
        self.path = guard.inputs / "run"
        shutil.copytree(finished, self.path)
        self.model = next((self.path / "model").iterdir())
        executor = LocalExecutor(LocalExecutorConfig(workers=0))
        self.context = RunContext(registry, Store(guard.store / "models.sqlite"), executor)
        self.predict()
        read_run(self.path)

    def predict(self) -> Any:
        return predict(self.path, self.cases, self.context)

    def judge(self, contents: dict[Path, bytes]) -> None:
        before = {path: path.read_bytes() for path in contents}
        try:
            for path, content in contents.items():
                path.write_bytes(content)
            self.guard.judge("model", self.predict)
        finally:
            for path, content in before.items():
                path.write_bytes(content)

    def judge_arrays(self, arrays: dict[str, Any]) -> None:
        """With a checksum that fits them."""
        content = save(arrays)
        about = json.loads((self.model / ABOUT).read_text(encoding="utf-8"))
        about["sha256"] = hashlib.sha256(content).hexdigest()
        self.judge({self.model / WEIGHTS: content, self.model / ABOUT: json.dumps(about).encode()})


@pytest.fixture(scope="module")
def run(guard: Guard, finished: Path, cases: list[Case], registry: Registry) -> Run:
    return Run(guard, finished, cases, registry)


@share(15)
@given(name=st.sampled_from([WEIGHTS, ABOUT]), data=st.data())
def test_a_damaged_model_is_refused(run: Run, name: str, data: Any) -> None:
    file = run.model / name
    run.judge({file: data.draw(damaged(file.read_bytes()))})


@share(15)
@given(data=st.data())
def test_a_bent_description_is_refused_or_taken(run: Run, data: Any) -> None:
    about = json.loads((run.model / ABOUT).read_text(encoding="utf-8"))
    content = data.draw(bent(about))
    if isinstance(content, dict) and data.draw(st.booleans()):
        content["sha256"] = about["sha256"]
    text = json.dumps(content, default=str, skipkeys=True)
    run.judge({run.model / ABOUT: text.encode()})


@share(30)
@given(data=st.data())
def test_weights_of_another_kind_are_refused_or_taken(run: Run, data: Any) -> None:
    """Someone made them on purpose: the checksum is theirs."""
    arrays = dict(load_file(run.model / WEIGHTS))
    for name in data.draw(st.lists(st.sampled_from(sorted(arrays)), min_size=1, max_size=3)):
        how = data.draw(st.sampled_from(["drop", "shape", "type", "value", "extra", "cut"]))
        _bend(arrays, name, how, data)
    run.judge_arrays(arrays)


def _bend(arrays: dict[str, Any], name: str, how: str, data: Any) -> None:
    array = arrays.get(name, np.zeros(3))
    if how == "drop":
        arrays.pop(name, None)
    elif how == "extra":
        arrays[f"{name}.{data.draw(st.sampled_from(['weight', '__class__', '']))}"] = array
    elif how == "value":
        wrong = data.draw(st.sampled_from([np.nan, np.inf, 0, -1, 1e30, 255]))
        with np.errstate(all="ignore"):
            arrays[name] = np.full_like(array, np.asarray(wrong).astype(array.dtype))
    elif how == "type":
        kind = data.draw(st.sampled_from(["uint8", "int64", "float16", "float64", "bool"]))
        with np.errstate(all="ignore"):
            arrays[name] = array.astype(kind)
    elif how == "cut":
        arrays[name] = np.ascontiguousarray(array.reshape(-1)[:1])
    else:
        shape = data.draw(st.sampled_from([(0,), (), (1, 1), (7,), (2, 3, 5), (0, 10**12)]))
        arrays[name] = np.zeros(shape, array.dtype)


def test_a_picture_size_beyond_all_measure_is_refused(run: Run) -> None:
    arrays = dict(load_file(run.model / WEIGHTS))
    for size in ([50_000, 50_000], [2**31, 2**31], [-1, -1], []):
        run.judge_arrays({**arrays, "view.image.size": np.array(size, np.int64)})


@share(30)
@given(data=st.data())
def test_a_bent_study_of_a_run_is_refused_or_taken(run: Run, data: Any) -> None:
    file = run.path / "study.yaml"
    text = file.read_text(encoding="utf-8")
    if data.draw(st.booleans()):
        content = data.draw(altered(text))
    else:
        content = yaml.dump(data.draw(bent(copy.deepcopy(yaml.safe_load(text)))))
    run.judge({file: content.encode("utf-8", errors="surrogateescape")})


@share(50)
@given(data=st.data())
def test_a_damaged_run_folder_is_reported_or_refused(run: Run, data: Any) -> None:
    """What the report reads: metrics, results, predictions, embeddings, pictures."""
    files = sorted(p for p in run.path.iterdir() if p.suffix in (".json", ".jsonl", ".parquet"))
    file = data.draw(st.sampled_from(files))
    before = file.read_bytes()
    try:
        file.write_bytes(data.draw(damaged(before)))
        run.guard.judge("run folder", lambda: read_run(run.path))
    finally:
        file.write_bytes(before)
