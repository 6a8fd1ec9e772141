"""``rdfc store``: the file that keeps what was extracted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rdfc_core.cli import options
from rdfc_core.cli.command import App

app = App(help="The file that keeps what was extracted.", no_args_is_help=True)


@app.command("merge")
def merge(
    parts: Annotated[list[Path], typer.Argument(metavar="PART…", help="Stores; only read.")],
    store: options.Store = None,
    debug: options.Debug = False,
) -> None:
    """Take over what other stores hold, such as those of a job array."""
    from rdfc_core.store import Store, default_store

    whole = Store(store or default_store())
    for part in parts:
        typer.echo(f"{part}: {whole.merge(part)} new", err=True)
    typer.echo(f"{whole.path} holds {whole.count()} results.")
