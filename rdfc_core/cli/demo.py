"""``rdfc demo``: the whole study on generated tumours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from rdfc_core.cli import options

PATTERN = 0.3
"""Temperature: cases of one echo pattern are many, and alike; a sharper one tells them apart."""


def study(seed: int) -> dict[str, Any]:
    """400 tumours to learn from, 12 of them with a diagnosis, and 600 to be tested on.

    The class is an interaction of two properties of the echoes, which twelve labels do not show to
    conventional radiomics, from scratch or untrained: an illustration, and no evidence on tumours.
    """
    return {
        "dataset": {
            "name": "phantom",
            "kind": "texture",
            "cases": 1000,
            "labelled": 612,
            "seed": seed,
        },
        "seed": seed,
        "views": {
            "radiomics": {"extractor": {"name": "native", "parameters": "ultrasound"}},
            "image": {
                "encoder": {"name": "timm", "model": "resnet10_half"},
                "crop_scale": [0.3, 1.0],
                "contrast": 0.4,
                "brightness": 0.2,
            },
        },
        "split": {"test_cases": 600},
        "pretext": {
            "objective": {"name": "infonce", "variant": "in-batch", "temperature": PATTERN}
        },
        "pretrain": {
            "batch_size": 32,
            "steps": 1000,
            "schedule": "one-cycle",
            "patience": None,
        },
        "evaluate": {
            "methods": ["radiomics-logistic", "hybrid-scratch", "hybrid-finetune"],
            "supervised": {"batch_size": 16, "min_steps": 200, "max_steps": 200},
            # Inner folds of six labels rank two candidates at most, each trained twice more.
            "selection": {"candidates": ["probe", "hybrid-finetune"], "folds": 2},
        },
    }


def next_steps(environment: Mapping[str, str]) -> str:
    """What to do after the demo, in commands that can be typed as they are."""
    # uv names itself to what it starts: without `uv run`, the shell knows no rdfc there.
    rdfc = "uv run rdfc" if "UV" in environment else "rdfc"
    return f"""Next, on your own cases (docs/tutorials/quickstart.md):
  {rdfc} datasets check manifest --root DIR
  {rdfc} run --dataset manifest:root=DIR --out runs/mine"""


def demo(
    out: Annotated[Path, typer.Option("--out", help="The run folder.")] = Path("demo"),
    overwrite: options.Overwrite = False,
    store: options.Store = None,
    executor: options.Executor = "local",
    logger: options.Logger = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Another one gives other tumours.")
    ] = 0,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """The whole study on generated tumours: minutes on two cores, no data needed."""
    from rdfc_core.cli.run import execute

    execute(study(seed), [], out, overwrite, store, executor, as_json, "evaluate", loggers=logger)
    typer.echo(next_steps(os.environ), err=True)
