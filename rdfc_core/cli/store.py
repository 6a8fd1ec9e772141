"""``rdfc store``: the file that keeps what was extracted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rdfc_core.cli import options
from rdfc_core.cli.command import App
from rdfc_core.cli.streams import show_json

app = App(help="The file that keeps what was extracted.", no_args_is_help=True)


@app.command("merge")
def merge(
    parts: Annotated[list[Path], typer.Argument(metavar="PART…", help="Stores; only read.")],
    store: options.Store = None,
    debug: options.Debug = False,
) -> None:
    """Take over what other stores hold, such as those of a job array."""
    from rdfc_core.cli import console
    from rdfc_core.extraction.store import Store, default_store

    progress, whole = console.DrawnProgress(), Store(store or default_store())
    for part in parts:
        with progress.waiting(f"Taking over {part}"):
            new = whole.merge(part)
        progress.say(f"{part}: {new} new")
    typer.echo(f"{whole.path} holds {whole.count()} results.")


@app.command("check")
def check(
    study: Annotated[
        Path, typer.Argument(metavar="STUDY", help="A study.yaml, or the folder of a run.")
    ],
    cases: Annotated[
        int, typer.Option("--cases", min=1, help="So many cases, drawn at random.")
    ] = 50,
    everything: Annotated[bool, typer.Option("--all", help="All cases of the study.")] = False,
    set_: options.Set = None,
    seed: options.Seed = None,
    store: options.Store = None,
    executor: options.Executor = "local",
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Measure stored cases of a study again; name and remove what differs."""
    from dataclasses import asdict

    from rdfc_core.api.context import run_context
    from rdfc_core.cli import console

    console.log_to_stderr()
    context = run_context(store, executor, console.DrawnProgress())
    from rdfc_core.pipeline.extraction import check_stored
    from rdfc_core.results.files import STUDY

    path = study / STUDY if study.is_dir() else study
    found = check_stored(path, set_ or [], None if everything else cases, seed or 0, context)
    if as_json:
        show_json(asdict(found))
    else:
        for one in found.unlike:
            console.out.print(f"Removed: {one.case_id}, {one.view}: {one.what}.", markup=False)
        console.out.print(
            f"{found.checked} of {found.stored} stored cases were measured again: "
            f"{len(found.unlike)} results differed.",
            markup=False,
        )
    if found.unlike:
        context.progress.say(
            "What runs learnt from them may be wrong: run their studies again with --overwrite."
            + ("" if everything else " Look at the other cases, too, with --all.")
        )
    console.show_failures(found.failures)
    if found.unlike or found.failures:
        raise typer.Exit(2)
