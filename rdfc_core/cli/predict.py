"""``rdfc predict`` and ``rdfc embed``: a trained run on other cases."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rdfc_core.cli import options
from rdfc_core.cli.run import finish
from rdfc_core.errors import StudyError
from rdfc_core.files import replacing

if TYPE_CHECKING:
    from rdfc_core.case import Case
    from rdfc_core.plugins import Registry

MaskValue = Annotated[
    int | None,
    typer.Option(
        "--mask-value",
        help="The value that marks the tumour in --mask, where the run's cases had several; "
        "otherwise that of the run.",
        show_default=False,
    ),
]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")]


def predict(
    run: Run,
    image: Annotated[Path | None, typer.Option("--image", help="One image.")] = None,
    mask: Annotated[Path | None, typer.Option("--mask", help="Its mask.")] = None,
    mask_value: MaskValue = None,
    manifest: options.Manifest = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write a CSV here.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace --out.")] = False,
    store: options.Store = None,
    executor: options.Executor = "local",
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Class probabilities of one case, or of every case of a manifest."""
    from rdfc_core import predict as predictions
    from rdfc_core.cli import console

    console.log_to_stderr()
    refuse_existing(out, overwrite)
    bench = options.workbench(store, executor)
    cases = _cases(run.resolve(), image, mask, mask_value, manifest, bench.registry)
    said = predictions.predict(run.resolve(), cases, bench)
    table = [
        {
            "case_id": case_id,
            "predicted": said.classes[int(row.argmax())],
            **{f"p_{name}": round(float(p), 6) for name, p in zip(said.classes, row, strict=True)},
        }
        for case_id, row in zip(said.case_ids, said.probabilities, strict=True)
    ]
    if out:
        _write_csv(out, table)
        bench.progress.say(f"Predictions: {out}")
    elif as_json:
        console.show_json(table)
    elif table:
        writer = csv.DictWriter(sys.stdout, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    finish(said.failures)


def embed(
    run: Run,
    out: Annotated[Path, typer.Option("--out", help="The Parquet file to write.")],
    manifest: options.Manifest = None,
    image: Annotated[Path | None, typer.Option("--image", help="One image.")] = None,
    mask: Annotated[Path | None, typer.Option("--mask", help="Its mask.")] = None,
    mask_value: MaskValue = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace --out.")] = False,
    store: options.Store = None,
    executor: options.Executor = "local",
    debug: options.Debug = False,
) -> None:
    """Embeddings of every case of a manifest, as Parquet."""
    from rdfc_core import predict as predictions
    from rdfc_core.cli import console

    console.log_to_stderr()
    refuse_existing(out, overwrite)
    bench = options.workbench(store, executor)
    cases = _cases(run.resolve(), image, mask, mask_value, manifest, bench.registry)
    failures = predictions.embed(run.resolve(), cases, bench, out)
    bench.progress.say(f"Embeddings: {out}")
    finish(failures)


def refuse_existing(out: Path | None, overwrite: bool) -> None:
    """Nothing is overwritten in silence.

    Raises:
        StudyError: If the file exists.
    """
    if out and out.exists() and not overwrite:
        raise StudyError(f"{out} exists. Choose another --out, or replace it with --overwrite.")


def _cases(
    run: Path,
    image: Path | None,
    mask: Path | None,
    mask_value: int | None,
    manifest: Path | None,
    registry: Registry,
) -> Sequence[Case]:
    from rdfc_core import predict as predictions

    if manifest and not (image or mask or mask_value is not None):
        return predictions.listed_cases(run, manifest, registry)
    if manifest and mask_value is not None:
        raise StudyError(
            "--mask-value is for --mask. In a list, write it into the column mask_value."
        )
    if not (image and mask) or manifest:
        raise StudyError("Name one case with --image and --mask, or many with --manifest.")
    return [predictions.single_case(run, image, mask, mask_value, registry)]


def _write_csv(path: Path, table: Sequence[dict[str, Any]]) -> None:
    with (
        replacing(path) as partial,
        partial.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, list(table[0]) if table else ["case_id"])
        writer.writeheader()
        writer.writerows(table)
