"""``rdfc reproduce``: a paper's tables beside its published numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rdfc_core.cli import options, process_options


def reproduce(
    name: Annotated[
        str,
        typer.Argument(
            help="The data set, such as tn-scui2020 or kits19.",
            autocompletion=options.completer("dataset"),
        ),
    ],
    root: Annotated[Path, typer.Option("--root", help="Where it lies.", show_default=False)],
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="A small encoder, small pictures and fewer epochs: at most an hour for 300 cases "
            "on two cores.",
        ),
    ] = False,
    set_: options.Set = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The run folder; runs/NAME-paper or runs/NAME-quick."),
    ] = None,
    overwrite: options.Overwrite = False,
    seed: options.Seed = None,
    store: options.Store = None,
    executor: options.Executor = "local",
    logger: options.Logger = None,
    devices: options.Devices = None,
    nodes: options.Nodes = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """All tables of the paper that comes with a data set, beside the published numbers."""
    from rdfc_core.cli.run import execute
    from rdfc_core.cli.study_options import StudyOptions
    from rdfc_core.pipeline.reproduce import on_copy, published_study
    from rdfc_core.plugin.registry import installed

    with process_options.team(devices, nodes) as team:
        published = published_study(installed(), name)
        study, made_quick = on_copy(published, name, root, quick)
        execute(
            study,
            [*made_quick, *StudyOptions(set_=set_, seed=seed).overrides()],
            out or Path("runs") / f"{name}-{'quick' if quick else 'paper'}",
            overwrite,
            store,
            executor,
            as_json,
            "evaluate",
            team,
            logger,
        )
    typer.echo(f"Published: {published.source}", err=True)
