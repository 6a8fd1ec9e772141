"""``rdfc predict`` and ``rdfc embed``: a trained run on other cases."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rdfc_core.api.context import run_context
from rdfc_core.cli import options
from rdfc_core.cli.predicted_scores import show_scores
from rdfc_core.cli.run import finish
from rdfc_core.cli.streams import result_stream, show_json
from rdfc_core.cli.table_file import check_out, write_table
from rdfc_core.errors import StudyError
from rdfc_core.results.vocabulary import SELECTED

if TYPE_CHECKING:
    from rdfc_core.case import Case
    from rdfc_core.pipeline.open_run import OpenRun

DIGITS = 6
"""Of the probabilities that are printed and written."""

MaskValue = Annotated[
    int | None,
    typer.Option(
        "--mask-value",
        help="The value that marks the tumour in --mask, where the run's cases had several; "
        "otherwise that of the run.",
        show_default=False,
    ),
]
Images = Annotated[
    list[str] | None,
    typer.Option(
        "--image",
        metavar="[NAME=]FILE",
        help="One image; where the run's cases have several, each of them: --image t1=FILE.",
        show_default=False,
    ),
]
Masks = Annotated[
    list[str] | None,
    typer.Option(
        "--mask",
        metavar="[NAME=]FILE",
        help="Its mask, or that of all images; NAME=FILE where each image has its own.",
        show_default=False,
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="NAME=VALUE",
        help="A column that a view of the run sees, such as age=63; repeatable.",
        show_default=False,
    ),
]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")]


def predict(
    run: Run,
    image: Images = None,
    mask: Masks = None,
    mask_value: MaskValue = None,
    column: Columns = None,
    manifest: options.Manifest = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write a table here: .csv or .parquet.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="HTML",
            help="Draw a page here: each case with its picture, what is said of it, and the "
            "nearest labelled training cases.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace --out and --report.")
    ] = False,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="Predict by this saved candidate (such as probe or hybrid-finetune) in place of "
            "what the run selected.",
        ),
    ] = SELECTED,
    by_patient: Annotated[
        bool,
        typer.Option("--by-patient", help="A row a patient, from all of the patient's cases."),
    ] = False,
    pool: Annotated[
        str,
        typer.Option(
            "--pool",
            help="With --by-patient: mean of the probabilities, or max, the case that is likeliest "
            "of the second of two classes.",
        ),
    ] = "mean",
    store: options.Store = None,
    executor: options.Executor = "local",
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Class probabilities, or numbers, of one case, or of every case of a manifest."""
    from rdfc_core.cli import console

    console.log_to_stderr()
    read = (manifest, *_paths(image), *_paths(mask))
    check_out(out, overwrite, read)
    check_out(report, overwrite, read, (".html",), "--report")
    context = run_context(store, executor, console.DrawnProgress())
    from rdfc_core.pipeline.guarded_predictions import predict_guarded
    from rdfc_core.pipeline.open_run import OpenRun
    from rdfc_core.pipeline.patient_predictions import by_patient as pooled_by_patient
    from rdfc_core.pipeline.predicted_scores import scores_of

    opened = OpenRun(run.resolve(), context.registry)
    with context.progress.waiting("Reading the run, and what its model is asked about"):
        cases = _cases(opened, image, mask, mask_value, column, manifest)
    said, extraction = predict_guarded(opened, cases, context, method, report is not None)
    scores = scores_of(opened, extraction, said)
    if report:
        from rdfc_core.api.predictions_page import write_predictions_page

        write_predictions_page(report, opened, said, extraction, scores)
    if by_patient:
        said = pooled_by_patient(said, pool)
    table = said.rows(DIGITS)
    if out:
        write_table(out, table, said.columns)
        context.progress.say(f"Predictions: {out}")
    elif as_json:
        show_json(table)
    elif table:
        writer = csv.DictWriter(result_stream(), list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    if scores:
        show_scores(scores, console.err)  # standard output is the table's alone
    if report:
        context.progress.say(f"Report: {report}")
    finish(said.failures)


def embed(
    run: Run,
    out: Annotated[Path, typer.Option("--out", help="The table to write: .parquet or .csv.")],
    manifest: options.Manifest = None,
    image: Images = None,
    mask: Masks = None,
    mask_value: MaskValue = None,
    column: Columns = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace --out.")] = False,
    store: options.Store = None,
    executor: options.Executor = "local",
    debug: options.Debug = False,
) -> None:
    """Embeddings of every case of a manifest, as Parquet or CSV."""
    from rdfc_core.cli import console

    console.log_to_stderr()
    check_out(out, overwrite, (manifest, *_paths(image), *_paths(mask)))
    context = run_context(store, executor, console.DrawnProgress())
    from rdfc_core.api.frames import embedding_rows
    from rdfc_core.pipeline.embeddings_table import write_embeddings
    from rdfc_core.pipeline.open_run import OpenRun
    from rdfc_core.pipeline.predict import embed as embed_cases

    opened = OpenRun(run.resolve(), context.registry)
    with context.progress.waiting("Reading the run, and what its model is asked about"):
        cases = _cases(opened, image, mask, mask_value, column, manifest)
    embedded, failures = embed_cases(opened, cases, context)
    if out.suffix.lower() == ".csv":
        write_table(out, *embedding_rows(embedded))
    else:
        write_embeddings(out, embedded)
    splits = sorted({one.split for one in embedded})
    if len(splits) > 1:
        context.progress.say(
            f"The run has {len(splits)} splits, each with a network and a space of its own: "
            "compare vectors of one split alone. The column split tells them apart "
            f"({', '.join(splits[:3])}{', …' if len(splits) > 3 else ''})."
        )
    context.progress.say(f"Embeddings: {out}")
    finish(failures)


def _cases(
    run: OpenRun,
    image: Sequence[str] | None,
    mask: Sequence[str] | None,
    mask_value: int | None,
    column: Sequence[str] | None,
    manifest: Path | None,
) -> Sequence[Case]:
    if manifest and not (image or mask or column or mask_value is not None):
        return run.listed_cases(manifest)
    if manifest and mask_value is not None:
        raise StudyError(
            "--mask-value is for --mask. In a list, write it into the column mask_value."
        )
    if not (image and mask) or manifest:
        raise StudyError("Name one case with --image and --mask, or many with --manifest.")
    names = run.definition.images
    columns = dict(_named(text, "--column", "NAME=VALUE") for text in column or ())
    files = _files(image, "--image", names), _files(mask, "--mask", names)
    return [run.single_case(*files, mask_value, columns)]


def _files(texts: Sequence[str], option: str, names: Sequence[str]) -> Path | dict[str, Path]:
    """A file, or the files of the images by name.

    Raises:
        StudyError: If the run's images have names and they are not given, or otherwise.
    """
    if len(texts) == 1 and (not names or option == "--mask") and not _names_one(texts[0], names):
        return Path(texts[0])
    if not names:
        raise StudyError(f"{option} is given {len(texts)} times: the run's cases have one image.")
    found = dict(_named(text, option, f"NAME=FILE (names: {', '.join(names)})") for text in texts)
    unknown = next((name for name in found if name not in names), None)
    if unknown is not None:
        raise StudyError(f"{option} {unknown}=…: the run's images are {', '.join(names)}.")
    return {name: Path(path) for name, path in found.items()}


def _paths(texts: Sequence[str] | None) -> list[Path]:
    """What ``FILE`` and ``NAME=FILE`` may name."""
    return [Path(path) for text in texts or () for path in {text, text.partition("=")[2]} if path]


def _names_one(text: str, names: Sequence[str]) -> bool:
    return text.partition("=")[0] in names


def _named(text: str, option: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (equals and name):
        raise StudyError(f"{option} {text}: write {form}.")
    return name, value
