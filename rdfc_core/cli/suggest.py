"""``rdfc suggest``: the cases to label next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from rdfc_core.api.context import run_context
from rdfc_core.api.suggesting import AUTO, files_of, strategy_of, suggested, write
from rdfc_core.cli import options
from rdfc_core.cli.predict import Run
from rdfc_core.cli.run import finish
from rdfc_core.cli.streams import show_json
from rdfc_core.cli.table_file import known
from rdfc_core.errors import StudyError
from rdfc_core.extraction.failures import Failure
from rdfc_core.results.vocabulary import Unit

if TYPE_CHECKING:
    from rdfc_core.results.suggestions import Suggestions

SHOWN = 20
"""Lines of the table in the terminal."""


def suggest(
    run: Run,
    budget: Annotated[
        int, typer.Option("--budget", min=1, help="How many cases, or patients, to label next.")
    ],
    manifest: Annotated[
        Path | None,
        typer.Option(
            "--manifest",
            metavar="CSV",
            help="Choose among the cases of this list that have no label; without it, among those "
            "of the run itself.",
        ),
    ] = None,
    strategy: Annotated[
        str,
        typer.Option(
            "--strategy",
            metavar="NAME[:KEY=VALUE,…]",
            help="What chooses, such as typiclust, badge or random; rdfc plugins lists them.",
            autocompletion=options.completer("query_strategy"),
        ),
    ] = AUTO,
    unit: Annotated[
        str | None,
        typer.Option(
            "--unit",
            metavar="case|patient",
            help="What --budget counts; evaluate.label_unit of the run by default.",
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            "--out", help="A folder for suggestions.csv and suggestions.html, or a name.csv."
        ),
    ] = Path("suggestions"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    seed: options.Seed = None,
    store: options.Store = None,
    executor: options.Executor = "local",
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """The cases to label next, with the reason for each; also where no case has a label yet."""
    from rdfc_core.cli import console

    console.log_to_stderr()
    if unit is not None and unit not in get_args(Unit):
        raise StudyError(f"--unit {unit}: it is case or patient.")
    counted = cast(Unit | None, unit)
    paths = files_of(out, overwrite)
    chooses = strategy_of(strategy)
    context = run_context(store, executor, console.DrawnProgress())
    found = suggested(
        run.resolve(), chooses, strategy, budget, context, manifest, counted, seed or 0
    )
    write(paths, found)
    if as_json:
        show_json([{name: known(value) for name, value in row.items()} for row in found.rows()])
    else:
        show(found)
    context.progress.say(f"Table: {paths[0]}\nThumbnails: {paths[1]}")
    finish([Failure(name, reason, fixable=True) for name, reason in found.failed])


def show(found: Suggestions) -> None:
    """The first of the cases as a table, and what they were chosen from."""
    from rich.table import Table

    from rdfc_core.cli import console
    from rdfc_core.report.suggestions_page import sentence

    drawn = Table(title="What to label next", title_justify="left", title_style="bold")
    drawn.add_column("", justify="right")
    drawn.add_column("case", overflow="fold")
    drawn.add_column("patient", overflow="fold")
    drawn.add_column("because", overflow="fold")
    for one in found.cases[:SHOWN]:
        drawn.add_row(str(one.rank), one.case_id, one.patient_id, one.reason)
    console.out.print(drawn)
    if len(found.cases) > SHOWN:
        console.out.print(f"… and {len(found.cases) - SHOWN} more in the table.", markup=False)
    console.out.print(sentence(found), markup=False, highlight=False)
