"""``rdfc datasets``: look at a data set before using it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rdfc_core.api.context import component
from rdfc_core.cli import options
from rdfc_core.cli.command import App
from rdfc_core.cli.streams import show_json

if TYPE_CHECKING:
    from rdfc_core.data.dataset_check import DatasetSummary
    from rdfc_core.interfaces import FeatureExtractor, Problem

app = App(help="Look at a data set before using it.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Look at a data set before using it."""


@app.command("check")
def check(
    name: Annotated[
        str,
        typer.Argument(
            help="The data set, such as manifest.", autocompletion=options.completer("dataset")
        ),
    ],
    root: Annotated[Path | None, typer.Option("--root", help="Where it lies.")] = None,
    features: Annotated[
        str | None,
        typer.Option(
            "--features",
            help="The extractor that has to measure the cases, as in rdfc run; native by default, "
            "none: files are read and nothing is asked of them.",
            autocompletion=options.completer("feature_extractor"),
        ),
    ] = None,
    reader: Annotated[
        list[str] | None,
        typer.Option(
            "--reader",
            help="A reader to use, with its options, where several claim a file; as readers: in a "
            "study.",
            autocompletion=options.completer("reader"),
        ),
    ] = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Every problem of a data set in one pass, by case and field, with what to do about it."""
    from rdfc_core.cli import console
    from rdfc_core.data.dataset_check import check_dataset
    from rdfc_core.data.readers.auto import AutoReader
    from rdfc_core.errors import DataError
    from rdfc_core.pipeline.case_list import checked_listing
    from rdfc_core.plugin.registry import installed

    console.log_to_stderr()
    dataset = component("dataset", name, "dataset", root=root).build(installed())
    chosen = {
        part.name: part for part in (component("reader", t, "--reader") for t in reader or ())
    }
    readers, progress = AutoReader.installed(installed(), chosen), console.DrawnProgress()
    with progress.waiting("Listing the data set's cases"):
        try:
            cases = readers.given_to(checked_listing(dataset, dataset.listed_cases()))
        except DataError as error:  # an unusable listing: its problems are listed, or this is one
            cases = []
            if not any(problem.severity == "error" for problem in dataset.problems()):
                raise error
    with progress.waiting("Loading the feature extractor"):
        extractor = _extractor(features)
    found = check_dataset(dataset, cases, progress, extractor)
    if as_json:
        show_json(
            {"summary": asdict(found.summary), "problems": [asdict(p) for p in found.problems]}
        )
    else:
        _show(found.summary, found.problems)
    if any(problem.severity == "error" for problem in found.problems):
        raise typer.Exit(2)


@app.command("build")
def build(
    source: Annotated[
        Path, typer.Argument(help="A folder of images and masks, or a table that lists them.")
    ],
    out: Annotated[
        Path, typer.Option("--out", help="The list to write; paths below its folder are relative.")
    ] = Path("manifest.csv"),
    layout: Annotated[
        str | None,
        typer.Option(
            "--layout",
            help="How the folder is laid out: nnunet, bids, folders (images beside "
            "masks), classes or cases (a folder for each), or one of a reader such as dicom; by "
            "default what it looks like.",
        ),
    ] = None,
    image_dir: Annotated[
        Path | None, typer.Option("--image-dir", help="The folder of the images.")
    ] = None,
    mask_dir: Annotated[
        Path | None, typer.Option("--mask-dir", help="The folder of the masks.")
    ] = None,
    only_images: Annotated[
        str | None, typer.Option("--only-images", help="Image names to take, such as '*_T1w*'.")
    ] = None,
    only_masks: Annotated[
        str | None, typer.Option("--only-masks", help="Mask names to take, such as '*lesion*'.")
    ] = None,
    several_masks: Annotated[
        str,
        typer.Option(
            "--several-masks",
            help="An image with several masks is left-out and told, or makes cases, one of each.",
        ),
    ] = "leave-out",
    lesions: Annotated[
        str | None,
        typer.Option(
            "--lesions",
            help="What of a mask is a case: all, largest, each (connected component) or values "
            "(each value of a label map); masks are read for it, and sizes noted.",
        ),
    ] = None,
    mask_value: Annotated[
        int | None,
        typer.Option("--mask-value", help="The value that marks the tumour in the masks."),
    ] = None,
    smallest_mm: Annotated[
        float,
        typer.Option(
            "--smallest-mm", min=0, help="Leave out lesions of a smaller diameter, and say so."
        ),
    ] = 0.0,
    patient: Annotated[
        str | None,
        typer.Option(
            "--patient", help="The patient within a case's id, in brackets: '(P[0-9]+)_.*'."
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option("--labels", help="A table of labels: CSV, TSV or Excel, joined by --id."),
    ] = None,
    id_column: Annotated[
        str, typer.Option("--id", help="Its column of the cases' or patients' ids.")
    ] = "case_id",
    label_column: Annotated[
        str | None, typer.Option("--label", help="Its column of labels; label if it has one.")
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", help="A further column of it to keep, such as age; repeatable."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="ROLE=NAME",
            help="What a column of the source is: image, mask, case_id, patient_id or label.",
        ),
    ] = None,
    sheet: Annotated[
        str | None, typer.Option("--sheet", help="Which sheet of a workbook is read.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the list that is there.")
    ] = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write the list of cases for what you have; what is doubtful is left out and told."""
    from rdfc_core.cli.manifest import BuildRequest, build_manifest

    build_manifest(
        BuildRequest(
            source,
            out,
            layout,
            (image_dir, mask_dir),
            (only_images, only_masks),
            several_masks,
            lesions,
            mask_value,
            smallest_mm,
            patient,
            labels,
            id_column,
            label_column,
            tuple(keep or ()),
            tuple(column or ()),
            sheet,
            overwrite,
        ),
        as_json,
    )


def _extractor(features: str | None) -> FeatureExtractor | None:
    """What has to measure the cases; the extractor ``native`` where nothing else is said."""
    from rdfc_core.plugin.registry import installed

    if features == "none":
        return None
    if features is None:
        known = {component.name for component, _ in installed().components("feature_extractor")}
        if "native" not in known:
            return None
    part = component("feature_extractor", features or "native", "features")
    extractor: FeatureExtractor = part.build(installed())
    return extractor


def _show(summary: DatasetSummary, problems: Sequence[Problem]) -> None:
    from rdfc_core.cli.console import out
    from rdfc_core.data.accounting import in_one_line
    from rdfc_core.data.cells import counted

    if not summary.cases:
        _show_problems(problems)
        return
    classes = ", ".join(f"{count} {label}" for label, count in summary.per_class.items())
    out.print(
        f"{counted(summary.cases, 'case')} of {counted(summary.patients, 'patient')}: "
        f"{classes or 'no labels'}, {summary.unlabelled} unlabelled; {summary.usable} usable.",
        markup=False,
    )
    if summary.uses:
        out.print(f"In its own split, {in_one_line(summary.uses)}", markup=False)
    for what, extremes, digits in (
        ("size", summary.shape, 0),
        ("spacing in mm", summary.spacing_mm, 3),
    ):
        if extremes:
            low, high = (
                " × ".join(
                    f"{float(value):.{digits}f}".rstrip("0").rstrip(".") if digits else str(value)
                    for value in end
                )
                for end in extremes
            )
            out.print(f"Smallest and largest {what}: {low}, {high}.", markup=False)
    if not problems:
        out.print("No problem found.")
        return
    _show_problems(problems)


def _show_problems(problems: Sequence[Problem]) -> None:
    from rich.table import Table

    from rdfc_core.cli.console import out
    from rdfc_core.errors import one_line

    table = Table(box=None, pad_edge=False)
    for heading in ("", "case", "field", "problem", "what to do"):
        table.add_column(heading, overflow="fold")
    for one in problems:
        cells = (one.severity, one.case_id, one.field, one.message, one.fix)
        table.add_row(*map(one_line, cells))
    out.print(table)
