"""``rdfc export``: which files a format is made of, and that nothing is left half written."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from rdfc_core.errors import StudyError, did_you_mean
from rdfc_core.export import onnx_file
from rdfc_core.export.card import Exported, onnx_card, write_json
from rdfc_core.export.encoder_file import write_encoder
from rdfc_core.export.monai_bundle import write_bundle
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.results.vocabulary import SELECTED

Format = Literal["onnx", "safetensors", "monai"]
FORMATS: tuple[Format, ...] = get_args(Format)

ONNX, CARD, EXAMPLE = "model.onnx", "model.json", "example.npz"


def export(
    run: OpenRun,
    out: Path,
    form: str,
    method: str = SELECTED,
    split: str | None = None,
    view: str = "image",
    overwrite: bool = False,
) -> list[Path]:
    """Write a trained run in a format that needs no rdfc.

    Args:
        run: Opened.
        out: The folder for the files.
        form: One of `FORMATS`.
        method: Of ``onnx``: what the run chose, or one of the candidates that it saved.
        split: Whose model; None: of ``onnx`` the mean over all, otherwise the only one.
        view: Of the other formats: whose network.
        overwrite: Replace what is there.

    Returns:
        The files.

    Raises:
        StudyError: If the run, the method, the split or the folder is none that can be exported.
        DataError: If a model has no classifier.
        PluginError: If a network cannot be exported, or says something else than before.
    """
    writer = _writer(form)
    _require_free(out, overwrite)
    names = _splits(run, split, several=form == "onnx")
    _refuse_evaluators(run, method)
    models = {name: run.model(name) for name in names}
    if form == "onnx":
        for model in models.values():
            model.refuse_unknown(method)
    exported = Exported(run, models, method)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=out.parent) as partial:
        written = writer(exported, Path(partial), view)
        return [_moved(path, Path(partial), out) for path in written]


def _onnx(exported: Exported, folder: Path, view: str) -> list[Path]:
    onnx_file.require_libraries()
    path, card, example = (folder / name for name in (ONNX, CARD, EXAMPLE))
    tried = onnx_file.write_onnx(path, exported.models, exported.method)
    output = onnx_file.OUTPUT[exported.first.task]
    said = onnx_file.answers(exported.models, tried, exported.method)
    arrays: dict[str, Any] = {**tried.arrays, output: said}
    np.savez(example, **arrays)
    write_json(card, onnx_card(exported, tried.ports, output, path))
    return [path, card, example]


WRITERS: Mapping[str, Callable[[Exported, Path, str], list[Path]]] = {
    "onnx": _onnx,
    "safetensors": write_encoder,
    "monai": write_bundle,
}


def _writer(form: str) -> Callable[[Exported, Path, str], list[Path]]:
    if form not in WRITERS:
        hint = did_you_mean(form, FORMATS)
        raise StudyError(
            f"--format {form}: there is no such format.{hint} Use: {', '.join(FORMATS)}."
        )
    return WRITERS[form]


def _require_free(out: Path, overwrite: bool) -> None:
    if out.exists() and not out.is_dir():
        raise StudyError(f"--out {out} is no folder. Name another.")
    if RunFolder(out).is_run():
        raise StudyError(f"--out {out} is the folder of a run. Name another.")
    if out.is_dir() and any(out.iterdir()) and not overwrite:
        raise StudyError(f"--out {out} is not empty. Choose another, or add --overwrite.")


def _splits(run: OpenRun, split: str | None, several: bool) -> Sequence[str]:
    _ = run.study  # what is no run is refused first
    there = [path.name for path in run.place.models()]
    if split is not None and split not in there:
        raise StudyError(f"--split {split}: the run has {', '.join(there)}.")
    if split is None and len(there) > 1 and not several:
        raise StudyError(
            f"The run has a network for each of {len(there)} splits. Name one, such as --split "
            f"{there[0]}."
        )
    return there if split is None else [split]


def _refuse_evaluators(run: OpenRun, method: str) -> None:
    if method in run.study.evaluators:
        raise StudyError(
            f"--method {method}: methods under evaluate.evaluators are judged and not saved, so "
            "that there is no model of it to export."
        )


def _moved(path: Path, partial: Path, out: Path) -> Path:
    target = out / path.relative_to(partial)
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)
    return target
