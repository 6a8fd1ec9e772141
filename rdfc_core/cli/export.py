"""``rdfc export``: a trained run for use without rdfc."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rdfc_core.cli import options
from rdfc_core.cli.predict import Run
from rdfc_core.cli.streams import show_json
from rdfc_core.results.vocabulary import SELECTED
from rdfc_core.utils.sizes import in_words


def export(
    run: Run,
    out: Annotated[Path, typer.Option("--out", help="The folder for the files.")],
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="onnx: the whole model, from prepared pictures and measured features to "
            "probabilities; safetensors: the weights of the image encoder; monai: the image "
            "encoder as a bundle of MONAI.",
        ),
    ] = "onnx",
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="Of onnx: this saved candidate (such as probe) in place of what the run selected.",
        ),
    ] = SELECTED,
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            help="The model of this split, where the run has several; by default, onnx holds the "
            "mean over all.",
            show_default=False,
        ),
    ] = None,
    view: Annotated[
        str, typer.Option("--view", help="Of the other formats: the view of the network.")
    ] = "image",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write a trained model as ONNX, as safetensors, or as a MONAI bundle."""
    from rdfc_core.cli import console

    console.log_to_stderr()
    progress = console.DrawnProgress()
    from rdfc_core.export.exporting import export as export_run
    from rdfc_core.pipeline.open_run import OpenRun
    from rdfc_core.plugin.registry import installed

    opened = OpenRun(run.resolve(), installed())
    with progress.waiting(f"Exporting {run} ({form}), and comparing it with rdfc"):
        written = export_run(opened, out, form, method, split, view, overwrite)
    if as_json:
        show_json([str(path) for path in written])
        return
    for path in written:
        progress.say(f"{path} ({in_words(path.stat().st_size)})")
