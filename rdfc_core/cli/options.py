"""Options that several commands share, and what they build."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rdfc_core.plugin.component import Kind, Part
from rdfc_core.plugin.registry import installed

if TYPE_CHECKING:
    from rdfc_core.config.resolve import ResolvedPart
    from rdfc_core.distributed.launcher import ProcessGroupLauncher
    from rdfc_core.pipeline.context import Workbench


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


def workbench(
    store: Path | None, executor: str, team: ProcessGroupLauncher | None = None
) -> Workbench:
    """Registry, store, executor, progress and processes for a command."""
    from rdfc_core.cli.console import DrawnProgress  # heavy modules load when a command needs them
    from rdfc_core.extraction.store import Store as FeatureStore
    from rdfc_core.extraction.store import default_store
    from rdfc_core.pipeline.context import Workbench

    built = executor_part(executor).build(installed())
    kept = FeatureStore(store or default_store())
    return Workbench(installed(), kept, built, DrawnProgress(), team)


def executor_part(text: str) -> ResolvedPart:
    """An executor from the command line; NAME=ADDRESS is short for NAME:address=ADDRESS."""
    name, equals, address = text.partition("=")
    if equals and ":" not in name and "," not in name:
        return part("executor", name, "--executor", address=address)
    return part("executor", text, "--executor")


def part(kind: Kind, text: str, option: str, **extra: Any) -> ResolvedPart:
    """A component from the command line, validated.

    Raises:
        StudyError: If the text or an option does not fit.
        PluginError: If there is no such component.
    """
    from rdfc_core.config.resolve import resolve_part
    from rdfc_core.utils.validation import validate

    named = validate(Part, text, option)
    options = {**named.options, **{k: v for k, v in extra.items() if v is not None}}
    return resolve_part(kind, Part(name=named.name, options=options), installed(), option)
