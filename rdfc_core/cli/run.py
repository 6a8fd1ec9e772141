"""``rdfc run``, and its steps one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rdfc_core.cli import options
from rdfc_core.errors import StudyError
from rdfc_core.failures import Failure

if TYPE_CHECKING:
    from rdfc_core.resolve import ResolvedStudy
    from rdfc_core.results import Results

StudyFile = Annotated[Path | None, typer.Argument(metavar="[STUDY.yaml]", show_default=False)]
Out = Annotated[Path | None, typer.Option("--out", help="The run folder; runs/NAME by default.")]
Dataset = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        help="Instead of a file: the data set, such as manifest:root=DIR.",
        autocompletion=options.completer("dataset"),
    ),
]
Features = Annotated[
    str | None,
    typer.Option(
        "--features",
        help="The feature extractor, such as native:parameters=ct.",
        autocompletion=options.completer("feature_extractor"),
    ),
]
Encoder = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        help="The image encoder, such as timm:model=resnet18.",
        autocompletion=options.completer("image_encoder"),
    ),
]
Objective = Annotated[
    str | None,
    typer.Option(
        "--objective",
        help="The objective, such as infonce:temperature=0.1.",
        autocompletion=options.completer("objective"),
    ),
]
Step = Literal["extract", "pretrain", "evaluate"]


def run(
    study: StudyFile = None,
    dataset: Dataset = None,
    features: Features = None,
    encoder: Encoder = None,
    objective: Objective = None,
    set_: options.Set = None,
    out: Out = None,
    overwrite: options.Overwrite = False,
    seed: options.Seed = None,
    store: options.Store = None,
    executor: options.Executor = "local",
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Run a study: extract, pretrain, evaluate, report. The same command resumes it."""
    composed = {
        "dataset": dataset,
        "features": features,
        "encoder": encoder,
        "objective": objective,
    }
    _run(study, composed, set_, out, overwrite, seed, store, executor, as_json, "evaluate")


def _step(until: Step, summary: str) -> Callable[..., None]:
    """The command that runs a study up to a step."""

    def command(
        study: Annotated[Path, typer.Argument(metavar="STUDY.yaml")],
        set_: options.Set = None,
        out: Out = None,
        overwrite: options.Overwrite = False,
        seed: options.Seed = None,
        store: options.Store = None,
        executor: options.Executor = "local",
        as_json: options.Json = False,
        debug: options.Debug = False,
    ) -> None:
        _run(study, {}, set_, out, overwrite, seed, store, executor, as_json, until)

    command.__doc__ = summary
    return command


def extract(
    study: Annotated[Path, typer.Argument(metavar="STUDY.yaml")],
    shard: Annotated[
        str | None,
        typer.Option(
            "--shard",
            metavar="I/N",
            help="Only the I-th of N equal parts, into the store alone: for job arrays. Then "
            "rdfc store merge, if each had a store of its own, and rdfc run.",
        ),
    ] = None,
    set_: options.Set = None,
    out: Out = None,
    overwrite: options.Overwrite = False,
    seed: options.Seed = None,
    store: options.Store = None,
    executor: options.Executor = "local",
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """The first step of a study: features into the store and features.parquet."""
    if shard is None:
        _run(study, {}, set_, out, overwrite, seed, store, executor, as_json, "extract")
        return
    part = _shard(shard)
    if out is not None:
        raise StudyError("--shard fills the store and writes no run folder: leave out --out.")
    resolved = _resolved(study, _overrides(set_, seed))

    from rdfc_core.workbench import extract_shard

    bench = options.workbench(store, executor)
    done = extract_shard(resolved, part, bench)
    bench.progress.say(
        f"Part {shard}: {len(done.cases)} cases are in {bench.store.path}, {done.made} of them new."
    )
    finish(done.failures)


def _shard(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    number, parts = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= parts:
        raise StudyError(f"--shard {text}: write I/N, such as 2/8 for the second of eight parts.")
    return number, parts


pretrain = _step("pretrain", "A study up to the pretrained networks; needs no labels.")
evaluate = _step("evaluate", "A study up to its results; steps that are done are not done again.")


def _run(
    study: Path | None,
    composed: dict[str, str | None],
    set_: list[str] | None,
    out: Path | None,
    overwrite: bool,
    seed: int | None,
    store: Path | None,
    executor: str,
    as_json: bool,
    until: Step,
) -> None:
    given = {key: value for key, value in composed.items() if value is not None}
    if study is not None and given:
        raise StudyError(
            f"{study} and --{next(iter(given))} both describe the study. Change one option of the "
            "file with --set KEY=VALUE."
        )
    if study is None and "dataset" not in given:
        raise StudyError("Name a study file, or at least --dataset, such as manifest:root=DIR.")
    source: Path | dict[str, Any] = study if study is not None else dict(given)
    execute(source, _overrides(set_, seed), out, overwrite, store, executor, as_json, until)


def _overrides(set_: list[str] | None, seed: int | None) -> list[str]:
    return [*(set_ or []), *([f"seed={seed}"] if seed is not None else [])]


def _resolved(source: Path | dict[str, Any], overrides: list[str]) -> ResolvedStudy:
    """The study with every option checked: a mistake is told before torch is loaded."""
    from rdfc_core.cli import console
    from rdfc_core.config import load_study
    from rdfc_core.plugins import installed
    from rdfc_core.resolve import resolve

    console.log_to_stderr()
    return resolve(load_study(source, overrides), installed())


def execute(
    source: Path | dict[str, Any],
    overrides: list[str],
    out: Path | None,
    overwrite: bool,
    store: Path | None,
    executor: str,
    as_json: bool,
    until: Step,
) -> Results:
    """Run a study and show what came of it; ends with the exit code that failed cases call for."""
    from rdfc_core.cli import console

    resolved = _resolved(source, overrides)

    from rdfc_core import study as studies
    from rdfc_core.report import write_report

    name = source.stem if isinstance(source, Path) else resolved.dataset.name
    folder = (out or Path("runs") / name).resolve()
    bench = options.workbench(store, executor)
    results = studies.run(resolved, folder, bench, overwrite, until)
    if as_json:
        console.show_json(results.model_dump(mode="json"))
    elif until == "evaluate":
        console.show_results(results)
    if until == "evaluate":
        bench.progress.say(f"Report: {write_report(folder)}")
    else:
        bench.progress.say(f"Run folder: {folder}")
    finish([Failure(**one) for one in results.failed])
    return results


def finish(failed: Sequence[Failure]) -> None:
    """Name the cases that failed; exit 2 if their files are to blame, 1 if rdfc is."""
    from rdfc_core.cli import console

    console.show_failures(failed)
    if failed:
        raise typer.Exit(2 if all(one.fixable for one in failed) else 1)
