"""``rdfc datasets``: look at a data set before using it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rdfc_core.cli import options

app = typer.Typer(help="Look at a data set before using it.", no_args_is_help=True)


@app.command("check")
def check(
    name: Annotated[
        str,
        typer.Argument(
            help="The data set, such as manifest.", autocompletion=options.completer("dataset")
        ),
    ],
    root: Annotated[Path | None, typer.Option("--root", help="Where it lies.")] = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Every problem of a data set in one pass, by case and field, with what to do about it."""
    raise NotImplementedError
