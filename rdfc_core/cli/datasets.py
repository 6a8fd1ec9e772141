"""``rdfc datasets``: look at a data set before using it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from rdfc_core.api.context import component
from rdfc_core.cli import options
from rdfc_core.cli.build import build
from rdfc_core.cli.command import App
from rdfc_core.cli.streams import show_json
from rdfc_core.results.vocabulary import CLASSIFICATION, REGRESSION, TaskName

if TYPE_CHECKING:
    from rdfc_core.data.dataset_check import DatasetSummary
    from rdfc_core.interfaces import FeatureExtractor, Preparer, Problem

app = App(help="Look at a data set before using it.", no_args_is_help=True)


app.command("build")(build)


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
    task: Annotated[
        str,
        typer.Option("--task", help="What labels are: classification, or regression for numbers."),
    ] = CLASSIFICATION,
    study: Annotated[
        Path | None,
        typer.Option(
            "--study",
            help="A study whose views are to see the cases: what they do not see of them (colours, "
            "tumours larger than their field) is told as in rdfc run.",
        ),
    ] = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Every problem of a data set in one pass, by case and field, with what to do about it."""
    from rdfc_core.cli import console
    from rdfc_core.data.dataset_check import check_dataset
    from rdfc_core.data.readers.auto import AutoReader
    from rdfc_core.data.targets import TARGETS
    from rdfc_core.errors import DataError, StudyError
    from rdfc_core.pipeline.case_list import checked_listing
    from rdfc_core.plugin.registry import installed

    console.log_to_stderr()
    if task not in get_args(TaskName):
        raise StudyError(f"--task {task}: give {' or '.join(get_args(TaskName))}.")
    dataset = component("dataset", name, "dataset", root=root).build(installed())
    if task == REGRESSION:
        dataset = dataset.with_numbers()
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
    views = None if study is None else _preparers(study)
    targets = TARGETS[cast(TaskName, task)]
    found = check_dataset(dataset, cases, progress, extractor, views, targets)
    if as_json:
        show_json(
            {"summary": asdict(found.summary), "problems": [asdict(p) for p in found.problems]}
        )
    else:
        _show(found.summary, found.problems)
    if any(problem.severity == "error" for problem in found.problems):
        raise typer.Exit(2)


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


def _preparers(study: Path) -> dict[str, Preparer]:
    """What looks at one case for each view of a study."""
    from rdfc_core.config.load import load
    from rdfc_core.extraction.needs import preparers_of
    from rdfc_core.plugin.registry import installed

    views = load(study, (), installed()).views
    return preparers_of({name: view.build(installed()) for name, view in views.items()})


def _show(summary: DatasetSummary, problems: Sequence[Problem]) -> None:
    from rdfc_core.cli.console import out
    from rdfc_core.data.accounting import in_one_line
    from rdfc_core.data.cells import counted
    from rdfc_core.data.view_findings import in_mm

    if not summary.cases:
        _show_problems(problems)
        return
    classes = ", ".join(f"{count} {label}" for label, count in summary.per_class.items())
    out.print(
        f"{counted(summary.cases, 'case')} of {counted(summary.patients, 'patient')}: "
        f"{_numbers(summary) or classes or 'no labels'}, {summary.unlabelled} unlabelled; "
        f"{summary.usable} usable.",
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
    if summary.holding_mm:
        usual, most = map(in_mm, summary.holding_mm)
        held = f"{usual} holds 95 % of the outlines, {most} all"
        held = f"{most} holds all outlines" if usual == most else held
        out.print(f"A field of {held}.", markup=False)
    if not problems:
        out.print("No problem found.")
        return
    _show_problems(problems)


def _numbers(summary: DatasetSummary) -> str:
    """How numbers lie: ``40 numbers from 1.2 to 9.8, median 4.5``; "" of classes."""
    told = summary.numbers
    if told is None:
        return ""
    ends = f"from {told['min']:.4g} to {told['max']:.4g}, median {told['median']:.4g}"
    return f"{told['cases']} numbers {ends}"


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
