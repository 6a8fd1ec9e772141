"""``rdfc stability``: which features hardly change when a case is measured again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rdfc_core.cli import features, options
from rdfc_core.cli.table_file import check_out, write_csv, write_table
from rdfc_core.errors import DataError, StudyError

if TYPE_CHECKING:
    from rdfc_core.evaluation.stability import Stability

Sources = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="LIST|TABLES…",
        show_default=False,
        help="A CSV of images and masks, whose cases are perturbed; or two and more tables of "
        "features of the same cases, as rdfc features writes them.",
    ),
]
Dataset = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        help="In place of a list: a data set, such as manifest:root=DIR.",
        autocompletion=options.completer("dataset"),
    ),
]
Threshold = Annotated[
    float, typer.Option("--stable", min=0, max=1, help="From which on a feature is stable.")
]
By = Annotated[
    Literal["low", "icc"],
    typer.Option("--by", help="What reaches it: the interval's lower end, or the estimate."),
]
Images = Annotated[
    str | None,
    typer.Option(
        "--images",
        metavar="A,B",
        help="Compare these images of each case, such as test,retest, in place of perturbations.",
    ),
]
Perturbations = Annotated[
    int, typer.Option("--perturbations", min=2, max=100, help="How often a case is perturbed.")
]
Chain = Annotated[
    str,
    typer.Option(
        "--chain", help="How: N noise, R rotation, T translation, V volume, C contour; in one word."
    ),
]
Kind = Annotated[
    Literal["1,1", "2,1", "3,1"],
    typer.Option(
        "--icc", help="The correlation: 1,1 one-way, 2,1 absolute agreement, 3,1 consistency."
    ),
]
Cases = Annotated[
    int | None,
    typer.Option("--cases", min=3, help="Patients that are drawn; all by default."),
]
EveryCase = Annotated[
    bool,
    typer.Option(
        "--every-case", help="Take all cases of a patient; by default one, drawn by chance."
    ),
]
Key = Annotated[
    str, typer.Option("--key", help="The column of tables that says which rows are one case.")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="Write the table: .csv or .parquet; else CSV here."),
]


def stability(
    sources: Sources = None,
    dataset: Dataset = None,
    param: features.Param = "auto",
    setting: features.Settings = None,
    label: features.Label = None,
    stable: Threshold = 0.75,
    by: By = "low",
    images: Images = None,
    perturbations: Perturbations = 10,
    chain: Chain = "NTVC",
    icc: Kind = "1,1",
    cases: Cases = None,
    every_case: EveryCase = False,
    key: Key = "case_id",
    out: Out = None,
    jobs: features.Jobs = None,
    extractor: features.Extractor = "native",
    skip: features.Skip = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of draws and perturbations.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace --out.")] = False,
    store: options.Store = None,
    debug: options.Debug = False,
) -> None:
    """Which features hardly change when image and mask are perturbed, or scanned again."""
    from rdfc_core.api.frames import HOW_TO_SKIP
    from rdfc_core.api.stability import Repetitions, cases_of_dataset, measured_stability
    from rdfc_core.cli import console

    console.log_to_stderr()
    given = sources or []
    check_out(out, overwrite, given)
    if (dataset is None) == (not given):
        raise StudyError("Name a list of images and masks, two tables, or one --dataset.")
    if len(given) > 1:
        _refuse_both(images)
        _write(_of_tables(given, key, icc), stable, by, out)
        return
    parameters, value = features.parameters_of(param, setting or [])
    named = tuple(name.strip() for name in images.split(",")) if images else ()
    try:
        found = measured_stability(
            str(given[0]) if dataset is None else cases_of_dataset(dataset),
            parameters,
            repetitions=Repetitions(perturbations, chain, named, cases, every_case, seed),
            kind=icc,
            extractor=extractor,
            mask_value=value if label is None else label,
            store=store,
            executor="local" if jobs is None else f"local:workers={jobs}",
            errors="skip" if skip else "raise",
            progress=console.DrawnProgress(),
        )
    except DataError as error:
        raise DataError(str(error).replace(HOW_TO_SKIP, "say --skip-failed")) from error
    _write(found, stable, by, out)


def _refuse_both(images: str | None) -> None:
    if images:
        raise StudyError(
            "Two and more tables are compared as they are: leave --images out, or give one list of "
            "images and masks."
        )


def _of_tables(paths: Sequence[Path], key: str, kind: Any) -> Stability:
    """Of tables as `rdfc features` writes them: CSV, or Parquet where pandas is."""
    from rdfc_core.api.measured_tables import stability_of_tables

    return stability_of_tables(paths, key, kind)


def _write(found: Stability, threshold: float, by: Any, out: Path | None) -> None:
    """The table, and on the standard error how many are stable."""
    from rdfc_core.cli import console
    from rdfc_core.cli.streams import result_stream
    from rdfc_core.evaluation.stability import COLUMNS

    rows = found.rows(threshold, by)
    if out is None:
        write_csv(result_stream(), rows, COLUMNS)
    else:
        write_table(out, rows, COLUMNS)
    for line in summary(rows, threshold, by):
        console.err.print(line, markup=False, highlight=False)


def summary(rows: Sequence[dict[str, Any]], threshold: float, by: str) -> list[str]:
    """How many features are stable: in all, by image and by class."""
    what = "lower end of the 95 % interval" if by == "low" else "ICC"
    kept = sum(row["stable"] for row in rows)
    fewest, most = min(row["cases"] for row in rows), max(row["cases"] for row in rows)
    of = f"{most}" if fewest == most else f"{fewest} to {most}"
    lines = [f"{kept} of {len(rows)} features are stable ({what} ≥ {threshold:g}; {of} cases)."]
    for place, kind in ((0, "image"), (1, "class")):
        parts = [(row["feature"].split("_"), row["stable"]) for row in rows]
        named = [(parts_[place], stable) for parts_, stable in parts if len(parts_) > 2]
        every, good = Counter(n for n, _ in named), Counter(n for n, stable in named if stable)
        if len(every) > 1:
            told = ", ".join(f"{name} {good[name]}/{count}" for name, count in every.items())
            lines.append(f"By {kind}: {told}.")
    return lines
