"""``rdfc runs``: the folders of runs, how large they are, and what may go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rdfc_core.cli import options
from rdfc_core.cli.command import App
from rdfc_core.cli.streams import show_json
from rdfc_core.utils.sizes import in_words

app = App(help="Run folders: list them, make them smaller.", no_args_is_help=True)


@app.command("list")
def list_runs(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Looked through, with all folders below.")
    ] = Path("runs"),
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Runs below a folder: size, how far each came, and what it reached."""
    from dataclasses import asdict

    from rich.table import Table

    from rdfc_core.cli import console
    from rdfc_core.pipeline.run_listing import runs_below

    found = runs_below(folder)
    if as_json:
        show_json([asdict(one) for one in found])
        return
    drawn = Table("run", "size", "for extending", "state", "headline")
    for column in (1, 2):
        drawn.columns[column].justify = "right"
    for one in found:
        extending = in_words(one.for_extending) if one.for_extending else ""
        drawn.add_row(one.name, in_words(one.size), extending, one.state, one.headline)
    if found:
        console.out.print(drawn)
    else:
        console.out.print(f"No run lies below {folder}.", markup=False)


@app.command("clean")
def clean(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN…", help="Folders of finished runs.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    debug: options.Debug = False,
) -> None:
    """Remove what finished runs keep for being extended; models, tables and reports stay."""
    from rdfc_core.cli import console
    from rdfc_core.data.cells import counted
    from rdfc_core.pipeline.kept_files import removable, remove

    folders = list(dict.fromkeys(run.resolve() for run in runs))
    there = {folder: removable(folder) for folder in folders}
    for folder, paths in there.items():
        size = sum(path.stat().st_size for path in paths)
        console.out.print(
            f"{folder}: {counted(len(paths), 'file', 'files')} of {in_words(size)} to remove.",
            markup=False,
            soft_wrap=True,
        )
    if not any(there.values()):
        console.out.print("There is nothing to remove.", markup=False)
        return
    sentence = "These runs can then no longer be extended by a larger budget."
    if not yes and not typer.confirm(f"{sentence} Remove?", default=False):
        console.out.print("Nothing was removed.", markup=False)
        raise typer.Exit(1)
    freed = sum(remove(folder) for folder in folders)
    console.out.print(f"Freed {in_words(freed)}. {sentence if yes else ''}".rstrip(), markup=False)
