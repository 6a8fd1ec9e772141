"""``rdfc run``, and its steps one by one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rdfc_core.cli import process_options
from rdfc_core.cli.streams import show_json
from rdfc_core.cli.study_options import StudyOptions, takes_study_options
from rdfc_core.config.load import load, load_study
from rdfc_core.config.measured import Measured, resolve_measured
from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.errors import StudyError
from rdfc_core.extraction.failures import Failure
from rdfc_core.pipeline.steps import Step
from rdfc_core.plugin.registry import installed
from rdfc_core.utils.sizes import in_words, size_of
from rdfc_core.utils.training_extra import INSTALL, WITHOUT, can_train

if TYPE_CHECKING:
    from rdfc_core.distributed.launcher import ProcessGroupLauncher


@takes_study_options
def run(study: StudyOptions) -> None:
    """Run a study: extract, pretrain, evaluate, report. The same command resumes it."""
    _run(study, "evaluate")


@takes_study_options
def extract(
    study: StudyOptions,
    shard: Annotated[
        str | None,
        typer.Option(
            "--shard",
            metavar="I/N",
            help="Only the I-th of N equal parts, into the store alone: for job arrays. Then "
            "rdfc store merge, if each had a store of its own, and rdfc run.",
        ),
    ] = None,
) -> None:
    """The first step of a study: features into the store and features.parquet.

    Where torch is not installed, into the store alone: rdfc run finds them there.
    """
    if shard is not None or not can_train():
        _extract_shard(study, shard or "1/1")
    else:
        _run(study, "extract")


@takes_study_options
def pretrain(study: StudyOptions) -> None:
    """A study up to the pretrained networks; needs no labels."""
    _run(study, "pretrain")


@takes_study_options
def evaluate(study: StudyOptions) -> None:
    """A study up to its results; steps that are done are not done again."""
    _run(study, "evaluate")


def _run(study: StudyOptions, until: Step) -> None:
    with process_options.team(study.devices, study.nodes) as team:
        execute(
            study.source(),
            study.overrides(),
            study.out,
            study.overwrite,
            study.store,
            study.executor,
            study.as_json,
            until,
            team,
            study.logger,
        )


def _extract_shard(study: StudyOptions, shard: str) -> None:
    from rdfc_core.api.context import run_context
    from rdfc_core.cli import console

    part = _part(shard)
    if study.out is not None:
        why = "--shard" if can_train() else f"Without torch ({INSTALL}), rdfc extract"
        raise StudyError(f"{why} fills the store and writes no run folder: leave out --out.")
    if study.logger:
        raise StudyError("No run is begun here that loggers could be told of: leave out --logger.")
    console.log_to_stderr()
    # A mistake in the study is told before torch is loaded.
    measured: ResolvedStudy | Measured
    if can_train():
        measured = load(study.source(), study.overrides(), installed())
    else:
        measured = resolve_measured(load_study(study.source(), study.overrides()), installed())
    context = run_context(
        study.store, study.executor, console.DrawnProgress(), networks=can_train()
    )

    from rdfc_core.data.cells import counted
    from rdfc_core.pipeline.extraction import extract_shard

    done = extract_shard(measured, part, context)
    context.progress.say(
        f"Part {shard}: {counted(len(done.cases), 'case is', 'cases are')} in "
        f"{context.store.path}, {done.made} of them new."
    )
    finish(done.failures)


def _part(shard: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)/(\d+)", shard)
    number, parts = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= parts:
        raise StudyError(f"--shard {shard}: write I/N, such as 2/8 for the second of eight parts.")
    return number, parts


def execute(
    source: Path | dict[str, Any],
    overrides: list[str],
    out: Path | None,
    overwrite: bool,
    store: Path | None,
    executor: str,
    as_json: bool,
    until: Step,
    team: ProcessGroupLauncher | None = None,
    loggers: Sequence[str] | None = None,
) -> None:
    """Run a study and show what came of it; ends with the exit code that failed cases call for.

    Raises:
        StudyError: If there is nothing to train with.
    """
    if not can_train():
        raise StudyError(
            f"Networks are trained with torch, which is not installed here. Install it: {INSTALL}. "
            f"{WITHOUT}"
        )
    from rdfc_core.api.logger_choice import DEFAULT
    from rdfc_core.api.running import run as run_study
    from rdfc_core.cli import console

    console.log_to_stderr()
    progress = console.DrawnProgress()
    done = run_study(
        source,
        out,
        overrides=overrides,
        until=until,
        overwrite=overwrite,
        store=store,
        executor=executor,
        loggers=DEFAULT if loggers is None else loggers,
        progress=progress,
        team=team,
    )
    results, evaluated = done.results, until == "evaluate"
    if as_json:
        show_json(results.model_dump(mode="json"))
    elif evaluated:
        console.show_results(results, str(done.folder))
    if evaluated:
        progress.say(f"Report: {done.report}")
    progress.say(f"Run folder: {done.folder} ({in_words(size_of(done.folder))})")
    finish([Failure(**one) for one in results.failed])


def finish(failed: Sequence[Failure]) -> None:
    """Name the cases that failed; exit 2 if their files are to blame, 1 if rdfc is."""
    from rdfc_core.cli import console

    console.show_failures(failed)
    if failed:
        raise typer.Exit(2 if all(one.fixable for one in failed) else 1)
