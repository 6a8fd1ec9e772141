"""``rdfc demo``: the whole study on generated tumours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rdfc_core.cli import options

STUDY = {
    "dataset": "phantom",
    "features": "pyradiomics:parameters=ultrasound",
    "encoder": "timm:model=resnet18",
    "pretrain": {"epochs": 30},
}


def demo(
    out: Annotated[Path, typer.Option("--out", help="The run folder.")] = Path("demo"),
    overwrite: options.Overwrite = False,
    store: options.Store = None,
    executor: options.Executor = "local",
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """The whole study on generated tumours: minutes on two cores, no data needed."""
    from rdfc_core.cli.run import execute

    execute(STUDY, [], out, overwrite, store, executor, as_json, "evaluate")
