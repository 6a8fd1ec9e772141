"""A run's model as ONNX, compared with rdfc's own answers before it is kept."""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rdfc_core.errors import PluginError, StudyError
from rdfc_core.export.graph import ModelGraph, RunGraph, needed_views
from rdfc_core.export.inputs import TriedCases, tried_cases
from rdfc_core.models.model import Model

LIBRARIES = ("onnx", "onnxruntime", "onnxscript")
INSTALL = 'pip install "rdfc-core[onnx]"'

TOLERANCE = 1e-5
"""How far an exported model may be from rdfc: of probabilities, and of numbers by their size."""

OUTPUT = {"classification": "probabilities", "regression": "predicted"}
"""Task → the name of the output."""


def require_libraries() -> None:
    """Check that what writes and runs ONNX is installed.

    Raises:
        StudyError: If something is missing.
    """
    missing = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise StudyError(
            f"--format onnx needs {', '.join(missing)}, which is not installed here. Install it: "
            f"{INSTALL}."
        )


def write_onnx(path: Path, models: Mapping[str, Model], method: str) -> TriedCases:
    """Write the mean over the models of a run as one file.

    Args:
        path: Of the file.
        models: Split → its model.
        method: What was chosen, or one of the candidates.

    Returns:
        The cases on which the file was found to say what rdfc says.

    Raises:
        StudyError: If the models do not share their inputs, or a view cannot be exported.
        PluginError: If a network cannot be exported, or says something else as ONNX.
    """
    graph, tried = run_graph(models, method)
    task = next(iter(models.values())).task
    _export(path, graph, tried, OUTPUT[task])
    _require_alike(path, answers(models, tried, method), tried)
    return tried


def run_graph(models: Mapping[str, Model], method: str) -> tuple[RunGraph, TriedCases]:
    """What a run says as one network, and cases to try it on.

    Raises:
        StudyError: If the models do not share their inputs, or a view cannot be exported.
    """
    asked = [name for model in models.values() for name in needed_views(model, method)]
    tries = {split: _trial(model, asked) for split, model in models.items()}
    first = next(iter(tries.values()))
    for split, one in tries.items():
        differ = [a.name for a, b in zip(one.ports, first.ports, strict=True) if a != b]
        if differ:
            raise StudyError(
                f"The models of the run's splits take other inputs ({differ[0]} of {split} and of "
                f"{next(iter(tries))}), since each has fitted the size to its own cases. Export "
                f"one of them: --split {split}."
            )
    graphs = [ModelGraph(model, method) for model in models.values()]
    return RunGraph(graphs, first.ports).eval(), first


def answers(models: Mapping[str, Model], tried: TriedCases, method: str) -> NDArray[np.float64]:
    """What rdfc itself says of the tried cases, (N, C)."""
    said = [model.predict(tried.prepared, method) for model in models.values()]
    return np.asarray(np.mean(said, axis=0))


def run_onnx(path: Path, arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    """What a file says of cases, by ONNX Runtime, (N, C)."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, dict(arrays))[0])


def _trial(model: Model, asked: Sequence[str]) -> TriedCases:
    ndim = model.made_by.ndim if model.made_by else 2
    return tried_cases(model.views, asked, ndim)


def _export(path: Path, graph: RunGraph, tried: TriedCases, output: str) -> None:
    tensors = tuple(torch.from_numpy(tried.arrays[port.name]) for port in tried.ports)
    count = torch.export.Dim("N")
    shapes = tuple({0: count} for _ in tensors)
    with _silent():
        try:
            program = torch.onnx.export(
                graph,
                tensors,
                dynamo=True,
                dynamic_shapes=(shapes,),
                input_names=[port.name for port in tried.ports],
                output_names=[output],
                verbose=False,
            )
            assert program is not None
            program.save(path, external_data=False)
        except Exception as error:  # what a network does may be nothing that ONNX has
            what = " ".join(str(error).split())[:300]
            raise PluginError(
                f"The networks of this run ({_networks(graph)}) cannot be written as ONNX: "
                f"{type(error).__name__}: {what}. Export another method (--method), or use rdfc "
                "predict."
            ) from error


def _networks(graph: RunGraph) -> str:
    names = {
        type(tower).__name__
        for one in graph.graphs
        for tower in one.pretext.encoders().values()  # type: ignore[operator, union-attr]
    }
    return ", ".join(sorted(names))


def _require_alike(path: Path, own: NDArray[np.float64], tried: TriedCases) -> None:
    said = run_onnx(path, tried.arrays)
    off = np.abs(said - own) / np.maximum(1.0, np.abs(own))
    if said.shape != own.shape or not (off <= TOLERANCE).all():
        raise PluginError(
            f"As ONNX this model says something else than rdfc (by {off.max():.2g}, where "
            f"{TOLERANCE:g} is allowed): it is not written. Export another method (--method), or "
            "use rdfc predict."
        )


@contextmanager
def _silent() -> Iterator[None]:
    """Without the exporter's notes on its own progress and future."""
    names = ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
