"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rdfc_core.plugin.component import Kind
from rdfc_core.plugin.registry import installed
from rdfc_core.results import files


def completer(kind: Kind) -> Any:
    """Shell completion of the names of a kind; loads no plugin beyond its announcement."""

    def complete(incomplete: str) -> list[tuple[str, str]]:
        return [
            (component.name, component.summary)
            for component, _ in installed().components(kind)
            if component.name.startswith(incomplete)
        ]

    return complete


Store = Annotated[
    Path | None,
    typer.Option("--store", help="Where extracted features are kept; the user's cache by default."),
]
Executor = Annotated[
    str,
    typer.Option(
        "--executor",
        help="What runs the extraction: local, local:workers=4, dask=ADDRESS.",
        autocompletion=completer("executor"),
    ),
]
Logger = Annotated[
    list[str] | None,
    typer.Option(
        "--logger",
        metavar="NAME[:KEY=VALUE,…]",
        show_default=files.TENSORBOARD,
        help="What is told of the run as it goes, such as mlflow:experiment=lung; repeatable; "
        "none: nothing. metrics.jsonl is written in any case.",
        autocompletion=completer("logger"),
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed of everything random.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the run in --out.")]
Devices = Annotated[
    int | None,
    typer.Option(
        "--devices",
        min=1,
        show_default="1",
        help="How many GPUs of this machine pretrain together; without a GPU, how many processes.",
    ),
]
Nodes = Annotated[
    int | None,
    typer.Option(
        "--nodes",
        min=1,
        show_default="1",
        help="How many machines pretrain together; torchrun starts the command on each.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set one option of the study; repeatable."),
]
Manifest = Annotated[
    Path | None,
    typer.Option("--manifest", help="A CSV of cases: case_id, image, mask."),
]
