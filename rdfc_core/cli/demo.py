"""``rdfc demo``: the whole study on generated tumours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rdfc_core.cli import options

STUDY = {
    "dataset": {"name": "phantom", "cases": 300, "labelled": 0.5, "difficulty": 0.35},
    "views": {
        "radiomics": {"extractor": {"name": "native", "parameters": "ultrasound"}},
        "image": {"encoder": {"name": "timm", "model": "resnet18"}, "size": [48, 48]},
    },
    "split": {"test_fraction": 0.4},
    "pretrain": {"epochs": 30},
}
NEXT = """Next, on your own cases (docs/quickstart.md):
  rdfc datasets check manifest --root DIR
  rdfc run --dataset manifest:root=DIR --out runs/mine"""


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
    typer.echo(NEXT, err=True)
