"""The cases to label next, from a trained run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rdfc_core.errors import StudyError
from rdfc_core.plugin.registry import installed

if TYPE_CHECKING:
    from rdfc_core.interfaces import Executor, QueryStrategy
    from rdfc_core.pipeline.context import RunContext
    from rdfc_core.results.suggestions import Suggestions
    from rdfc_core.utils.progress import Progress

AUTO = "auto"
"""What chooses where nothing is named; a strategy of ``rdfc-query-strategies``."""


def suggest(
    run: str | Path,
    budget: int,
    manifest: str | Path | None = None,
    *,
    strategy: str = AUTO,
    out: str | Path | None = None,
    unit: Literal["case", "patient"] | None = None,
    seed: int = 0,
    overwrite: bool = False,
    store: str | Path | None = None,
    executor: str | Executor = "local",
    progress: Progress | None = None,
) -> Suggestions:
    """The cases to label next, the most useful first.

    No label is needed: without one, typical and different cases are chosen. Cases of the run's
    test part are neither suggested nor looked at.

    Args:
        run: The folder of a run that has pretrained.
        budget: How many labels are to be bought.
        manifest: Candidates: the cases of this list that have no label; its labelled ones are
            known, as those of the run are. None: the run's own cases without a label.
        strategy: A query strategy with its options, such as ``typiclust:neighbours=10``.
        out: A folder for ``suggestions.csv`` and ``suggestions.html``, or a name that ends with
            ``.csv``, beside which the page goes; None: nothing is written.
        unit: What the budget counts: a ``case``, or a ``patient`` with all cases; None: as
            ``evaluate.label_unit`` of the run says.
        seed: Of what is random.
        overwrite: Replace what is in ``out``.
        store: The file that keeps extracted features; None: in the user's cache.
        executor: What runs the extraction, such as ``local:workers=4``.
        progress: Is told how far the work is.

    Returns:
        The cases with their reasons; ``rows()`` gives them as a table.

    Raises:
        StudyError: If there is no trained run, no such strategy, it needs labels that are not
            there, or ``out`` is taken.
        DataError: If there is no candidate, or cases cannot be read.

    Example:
        ```python
        found = rdfc.suggest("runs/first", 20, "new.csv", out="next")
        pandas.DataFrame(found.rows())
        ```
    """
    from rdfc_core.api.context import opened

    paths = None if out is None else files_of(Path(out), overwrite)
    chooses = strategy_of(strategy)
    with opened(store, executor, progress) as context:
        found = suggested(
            Path(run).expanduser().resolve(),
            chooses,
            strategy,
            budget,
            context,
            manifest,
            unit,
            seed,
        )
    if paths is not None:
        write(paths, found)
    return found


def strategy_of(text: str) -> QueryStrategy:
    """A query strategy as text, built.

    Raises:
        StudyError: If an option does not fit, or the default's plugin is not installed.
        PluginError: If there is no such strategy.
    """
    from rdfc_core.api.context import component

    if text == AUTO and AUTO not in installed().names("query_strategy"):
        raise StudyError(
            'Strategies are a plugin of their own, which is not installed here: pip install "'
            'rdfc-core[suggest]". Without it there are random draws: --strategy random.'
        )
    built: QueryStrategy = component("query_strategy", text, "--strategy").build(installed())
    return built


def suggested(
    run: Path,
    strategy: QueryStrategy,
    called: str,
    budget: int,
    context: RunContext,
    manifest: str | Path | None,
    unit: Literal["case", "patient"] | None,
    seed: int,
) -> Suggestions:
    """As `suggest`, in a context that is open, written nowhere."""
    from rdfc_core.pipeline.open_run import OpenRun
    from rdfc_core.pipeline.suggest import suggest as suggest_cases

    if budget < 1:
        raise StudyError(f"budget is {budget}; ask for at least one label.")
    listing = None if manifest is None else Path(manifest)
    opened_run = OpenRun(run, context.registry)
    return suggest_cases(opened_run, strategy, called, budget, context, listing, unit, seed)


def files_of(out: Path, overwrite: bool) -> tuple[Path, Path]:
    """Where table and page go.

    Raises:
        StudyError: If one of them exists, or the folder is a run's.
    """
    from rdfc_core.pipeline.run_folder import RunFolder

    table = out if out.suffix.lower() == ".csv" else out / "suggestions.csv"
    folder = table.parent
    if folder.exists() and not folder.is_dir():
        raise StudyError(f"--out {out}: {folder} is no folder. Name another.")
    if RunFolder(folder).is_run():
        raise StudyError(f"--out {out} is in the folder of a run. Name another.")
    page = table.with_suffix(".html")
    there = next((path for path in (table, page) if path.exists()), None)
    if there is not None and not overwrite:
        raise StudyError(f"{there} exists. Choose another --out, or replace it with --overwrite.")
    return table, page


def write(paths: tuple[Path, Path], found: Suggestions) -> None:
    """Write the table and the page."""
    import csv

    from rdfc_core.report.suggestions_page import write_page
    from rdfc_core.results.suggestions import COLUMNS
    from rdfc_core.utils.atomic import replacing

    table, page = paths
    table.parent.mkdir(parents=True, exist_ok=True)
    with replacing(table) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for row in found.rows():
            blank = {"score": ""} if row["score"] != row["score"] else {}
            writer.writerow({**row, **blank})
    write_page(page, found)
