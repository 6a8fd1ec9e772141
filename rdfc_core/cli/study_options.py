"""What `run` and its steps take on the command line: one list of options for all of them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from rdfc_core.cli import options
from rdfc_core.errors import StudyError


@dataclass(frozen=True)
class StudyOptions:
    """A study from a file or from the command line, and where and how it runs."""

    study: Annotated[Path | None, typer.Argument(metavar="STUDY.yaml", show_default=False)] = None
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset",
            help="Instead of a file: the data set, such as manifest:root=DIR.",
            autocompletion=options.completer("dataset"),
        ),
    ] = None
    features: Annotated[
        str | None,
        typer.Option(
            "--features",
            help="The feature extractor, such as native:parameters=ct.",
            autocompletion=options.completer("feature_extractor"),
        ),
    ] = None
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            help="The image encoder, such as timm:model=resnet18.",
            autocompletion=options.completer("image_encoder"),
        ),
    ] = None
    objective: Annotated[
        str | None,
        typer.Option(
            "--objective",
            help="The objective, such as infonce:temperature=0.1.",
            autocompletion=options.completer("objective"),
        ),
    ] = None
    set_: options.Set = None
    out: Annotated[
        Path | None, typer.Option("--out", help="The run folder; runs/NAME by default.")
    ] = None
    overwrite: options.Overwrite = False
    seed: options.Seed = None
    store: options.Store = None
    executor: options.Executor = "local"
    logger: options.Logger = None
    devices: options.Devices = None
    nodes: options.Nodes = None
    as_json: options.Json = False
    debug: options.Debug = False

    def source(self) -> Path | dict[str, Any]:
        """The study's file, or its parts as the command line names them.

        Raises:
            StudyError: If both are given, or neither.
        """
        parts = {
            name: value
            for name in ("dataset", "features", "encoder", "objective")
            if (value := getattr(self, name)) is not None
        }
        if self.study is not None and parts:
            raise StudyError(
                f"{self.study} and --{next(iter(parts))} both describe the study. Change one "
                "option of the file with --set KEY=VALUE."
            )
        if self.study is None and "dataset" not in parts:
            raise StudyError("Name a study file, or at least --dataset, such as manifest:root=DIR.")
        return parts if self.study is None else self.study

    def overrides(self) -> list[str]:
        """What is set over the study's own options."""
        seed = [] if self.seed is None else [f"seed={self.seed}"]
        return [*(self.set_ or []), *seed]


def takes_study_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the fields of `StudyOptions`, its first argument, as options of its own.

    Typer reads a function's signature: this one has a parameter for each field, then those that
    the command adds.
    """
    types = get_type_hints(StudyOptions, include_extras=True)
    keyword = inspect.Parameter.KEYWORD_ONLY
    shared = [
        inspect.Parameter(one.name, keyword, default=one.default, annotation=types[one.name])
        for one in fields(StudyOptions)
    ]
    _, *own = inspect.signature(command, eval_str=True).parameters.values()

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        chosen = StudyOptions(**{one.name: given.pop(one.name) for one in shared})
        command(chosen, **given)

    signature = inspect.Signature([*shared, *(one.replace(kind=keyword) for one in own)])
    with_options.__signature__ = signature  # type: ignore[attr-defined]
    with_options.__annotations__ = {
        name: one.annotation for name, one in signature.parameters.items()
    }
    return with_options
