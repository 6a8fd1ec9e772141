"""``rdfc validate``: a trained run judged on labelled cases of other places."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rdfc_core.api.context import run_context
from rdfc_core.cli import options
from rdfc_core.cli.predict import Run
from rdfc_core.cli.run import finish
from rdfc_core.cli.streams import show_json
from rdfc_core.errors import StudyError
from rdfc_core.extraction.failures import Failure
from rdfc_core.results.vocabulary import SELECTED

if TYPE_CHECKING:
    from rdfc_core.results.validation import Validation

Manifests = Annotated[
    list[str],
    typer.Option(
        "--manifest",
        metavar="[NAME=]CSV",
        help="Labelled cases of another place, as rdfc predict reads them; repeatable, each then "
        "a row of its own.",
    ),
]
By = Annotated[
    str | None,
    typer.Option(
        "--by", metavar="COLUMN,…", help="Columns of the lists: scores for each of their values."
    ),
]


def validate(
    run: Run,
    manifest: Manifests,
    by: By = None,
    out: Annotated[
        Path, typer.Option("--out", help="A folder for validation.json and validation.html.")
    ] = Path("validation"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="Judge this saved candidate (such as probe or hybrid-finetune) in place of what "
            "the run selected.",
        ),
    ] = SELECTED,
    store: options.Store = None,
    executor: options.Executor = "local",
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Scores, calibration and drift of a saved model on labelled cases of other places."""
    from rdfc_core.cli import console

    console.log_to_stderr()
    listings = _named(manifest)
    columns = [name.strip() for name in (by or "").split(",") if name.strip()]
    context = run_context(store, executor, console.DrawnProgress())
    from rdfc_core.pipeline.open_run import OpenRun
    from rdfc_core.pipeline.validation import require_free, validate_into

    require_free(out, overwrite)
    opened = OpenRun(run.resolve(), context.registry)
    validation, page = validate_into(out, opened, listings, context, columns, method)
    if as_json:
        show_json(validation.model_dump(mode="json"))
    else:
        show(validation)
    context.progress.say(f"Report: {page}")
    failed = [one for cohort in validation.cohorts for one in cohort.failed]
    finish([Failure(one["case_id"], one["reason"], fixable=True) for one in failed])


def show(validation: Validation) -> None:
    """The scores as a table, and what they come to."""
    from rich.table import Table

    from rdfc_core.cli import console
    from rdfc_core.report.validation_page import score_rows, sentences
    from rdfc_core.results.metric_facts import heading
    from rdfc_core.results.vocabulary import METRIC_HEADINGS, short_heading

    names, rows = score_rows(validation)
    drawn = Table(title="The saved model elsewhere", title_justify="left", title_style="bold")
    drawn.add_column("cases of", overflow="fold")
    drawn.add_column("labelled", justify="right")
    for name in names:
        known = name in METRIC_HEADINGS
        title = short_heading(name) if known else heading(name, validation.metrics)
        drawn.add_column(title, justify="right")
    for whose, cases, cells in rows:
        drawn.add_row(whose, cases, *cells)
    console.out.print(drawn)
    for cohort in validation.cohorts:
        console.out.print(cohort.name, style="bold", markup=False)
        for sentence in sentences(cohort, validation):
            console.out.print(f"  {sentence}", markup=False, highlight=False)


def _named(texts: Sequence[str]) -> dict[str, Path]:
    """Name → list; without a name, the list's own."""
    found: dict[str, Path] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not equals or Path(text).exists():
            name, path = Path(text).stem or text, text
        if name in found:
            raise StudyError(
                f"--manifest {text}: there are two lists called {name!r}. Name them: "
                "--manifest NAME=CSV."
            )
        found[name] = Path(path)
    return found
