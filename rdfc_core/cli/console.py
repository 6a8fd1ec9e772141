"""What people see: tables on stdout, progress and logs on stderr."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich import progress as bars
from rich.console import Console
from rich.control import Control
from rich.logging import RichHandler
from rich.segment import ControlType
from rich.table import Table
from rich.text import Text

from rdfc_core.errors import one_line
from rdfc_core.extraction.failures import Failure, grouped
from rdfc_core.report import headline, text
from rdfc_core.report.answers import answers, not_judged
from rdfc_core.report.run_data import RecordedResults
from rdfc_core.results.schema import Comparison, Headline, MetricFacts, Results, Row
from rdfc_core.results.vocabulary import (
    ACCURACY,
    AUROC,
    BALANCED_ACCURACY,
    CONTROL,
    F1_WEIGHTED,
    HYBRID_FINETUNE,
    IN_UNITS,
    LABEL_EFFICIENCY,
    LINEAR,
    MAE,
    R2,
    REGRESSION,
    SPEARMAN,
    SUPERVISED,
    TABLES,
    short_heading,
)
from rdfc_core.utils.progress import Advance, Progress

# A pipe has no width: tables are then as wide as they need to be.
out = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 140)
err = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
"""Square brackets are text: names and summaries are those of plugins, files and studies."""

METRICS = (F1_WEIGHTED, AUROC, BALANCED_ACCURACY)
NUMBER_METRICS = (R2, MAE, SPEARMAN)
"""Where numbers are predicted."""
PUBLISHED_METRICS = (F1_WEIGHTED, ACCURACY, AUROC)
"""Those of a table that stands beside a paper's."""
FIRST_WORD_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 16.0
NARROW = 122  # columns that all three metrics take
ORDER = (LINEAR, SUPERVISED, LABEL_EFFICIENCY, CONTROL)
"""Of the tables."""


def log_to_stderr() -> None:
    """Warnings of rdfc as they come, without decoration."""
    handler = RichHandler(console=err, show_time=False, show_path=False, markup=False)
    logger = logging.getLogger("rdfc")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


class DrawnProgress(Progress):
    """Bars with rate and time left on a terminal, a line every tenth elsewhere."""

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Advance]:
        """A piece of work of ``total`` steps."""
        if not err.is_terminal:
            yield _lines(title, total)
            return
        with bars.Progress(
            bars.SpinnerColumn(),
            bars.TextColumn("{task.description}", markup=False),
            bars.BarColumn(),
            bars.MofNCompleteColumn(),
            bars.TextColumn("{task.fields[rate]}"),
            bars.TimeRemainingColumn(elapsed_when_finished=True),
            bars.TextColumn("{task.fields[note]}", markup=False),
            console=err,
        ) as drawn:
            task = drawn.add_task(title, total=total, note="", rate="")

            def advance(steps: int = 1, note: str = "", total: int | None = None) -> None:
                drawn.update(task, advance=steps, note=note, total=total)
                speed = drawn.tasks[0].speed
                drawn.update(task, rate=f"{speed:.1f}/s" if speed else "")

            yield advance

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Work without steps: a line after a second, and then at growing distances.

        On a terminal it is one line, which is gone at the end.
        """
        ended, started = threading.Event(), time.monotonic()

        def tell() -> None:
            pause, end = FIRST_WORD_SECONDS, "\r" if err.is_terminal else "\n"
            while not ended.wait(pause):
                err.print(f"{what} … {time.monotonic() - started:.0f} s", markup=False, end=end)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            if err.is_terminal:
                err.control(Control((ControlType.ERASE_IN_LINE, 2)))

        teller = threading.Thread(target=tell, name="waiting", daemon=True)
        teller.start()
        try:
            yield
        finally:
            ended.set()
            teller.join()

    def say(self, text: str) -> None:
        """One line about what happens next."""
        err.print(text, markup=False)


def _lines(title: str, total: int) -> Advance:
    done, whole, told = 0, total, False

    def advance(steps: int = 1, note: str = "", total: int | None = None) -> None:
        nonlocal done, whole, told
        before, done = done, done + steps
        whole = total or whole
        tenth = max(1, whole // 10)
        if done == whole or done // tenth > before // tenth or (note and not told):
            told = True
            err.print(f"{title}: {done}/{whole} {note}".rstrip(), markup=False)

    return advance


def show_results(results: Results, run: str) -> None:
    """The results as tables, as many metrics as there is room for, and what they answer.

    Args:
        results: What the run found.
        run: How commands call its folder.
    """
    metrics = NUMBER_METRICS if results.task == REGRESSION else METRICS
    shown = len(metrics) if out.width >= NARROW else 2
    for table in ORDER:
        beside = any(one.published is not None for one in results.rows if one.table == table)
        rows = results.table(table, (PUBLISHED_METRICS if beside else metrics)[:shown])
        title = TABLES[table].in_terminal
        if rows:
            out.print(_table(f"{title}, on {_test_cases(rows)}", rows))
        for first in range(0, len(results.metrics), shown):
            some = results.metrics[first : first + shown]
            if rows := results.table(table, [one.name for one in some]):
                out.print(_table(f"{title}, the study's own metrics", rows, some))
    for table in ORDER:
        pairs = [c for c in results.comparisons if (c.table, c.metric) == (table, metrics[0])]
        if pairs:
            out.print(_comparisons(TABLES[table].in_terminal, _with_pretraining(pairs)))
    if not results.rows:
        out.print("Nothing was evaluated.")
    elif results.headline:
        _headline(results.headline, RecordedResults.model_validate(results.model_dump()), run)


def _headline(told: Headline, results: RecordedResults, run: str) -> None:
    """What came out: what the model is compared with, then the three lines to read first."""
    others = headline.against(told)
    if others and not not_judged(results):
        drawn = Table(title=f"{told.main.method} minus", title_justify="left", title_style="bold")
        for heading in ("method", "what it is", f"Δ {short_heading(told.metric)}"):
            drawn.add_column(heading, overflow="fold")
        for row in others:
            drawn.add_row(*row)
        out.print(drawn)
    out.print()
    for answer in answers(results, run):
        line = Text.assemble((answer.question, "dim"), " ", (f"{answer.word}.", "bold"))
        out.print(line.append(f" {answer.grounds}"))
    if told.illustration:
        out.print(told.illustration, markup=False)


def _with_pretraining(pairs: Sequence[Comparison]) -> list[Comparison]:
    """Of many shares, the pairs with the pretrained network; all of them are in results.json."""
    many = len({one.label_fraction for one in pairs}) > 1
    found = [p for p in pairs if HYBRID_FINETUNE in (p.method_a, p.method_b)] if many else []
    return sorted(found or pairs, key=lambda one: one.label_fraction)


def _test_cases(rows: Sequence[tuple[Row, ...]]) -> str:
    """How many cases a table rests on; what a row leaves out makes it fewer."""
    counts = sorted({row[0].n_cases for row in rows})
    many = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"{many} test {rows[0][0].unit}{'s' * (counts[-1] != 1)}"


def _comparisons(title: str, pairs: Sequence[Comparison]) -> Table:
    """Pairs of methods with the difference in the first metric; p as Holm corrects it."""
    drawn = Table(title=f"{title}: differences", title_justify="left", title_style="bold")
    shares = any(one.label_fraction < 1 for one in pairs)
    for heading in (*(["labels"] if shares else []), "method", "minus"):
        drawn.add_column(heading, overflow="fold")
    for heading in (f"Δ {short_heading(pairs[0].metric)}", "p", "p corrected"):
        drawn.add_column(heading, justify="right", no_wrap=True)
    for one in pairs:
        if one.difference is None or one.ci_low is None or one.ci_high is None:
            difference = "undefined"
        else:
            difference = f"{one.difference:+z.3f} [{one.ci_low:+z.2f}, {one.ci_high:+z.2f}]"
        numbers = ("undefined" if p is None else f"{p:.2g}" for p in (one.p, one.p_corrected))
        share = [f"{one.label_fraction:.0%}"] if shares else []
        drawn.add_row(*share, one.method_a, one.method_b, difference, *numbers)
    return drawn


def _table(title: str, rows: Sequence[tuple[Row, ...]], own: Sequence[MetricFacts] = ()) -> Table:
    drawn = Table(title=title, title_justify="left", title_style="bold")
    shares = any(row[0].label_fraction < 1 for row in rows)
    for heading in (*(["labels"] if shares else []), "method", "input", "classifier"):
        drawn.add_column(heading, overflow="fold", no_wrap=heading == "method")
    told = [any(row[i].published is not None for row in rows) for i in range(len(rows[0]))]
    for metric, beside in zip(rows[0], told, strict=True):
        named = next((one.title for one in own if one.name == metric.metric), None)
        heading = named or short_heading(metric.metric)
        drawn.add_column(heading, justify="right", no_wrap=named is None)
        if beside:
            drawn.add_column("published", justify="right", no_wrap=True)
    for row in rows:
        first = row[0]
        described = f"{first.input} {first.layer}".strip()
        share = [f"{first.label_fraction:.0%}"] if shares else []
        cells = [
            text
            for one, beside in zip(row, told, strict=True)
            for text in (interval(one), *([published(one)] if beside else []))
        ]
        drawn.add_row(*share, first.method, described, first.classifier, *cells)
    return drawn


def published(row: Row) -> str:
    """``0.520 ± 0.028``; nothing where nothing is published."""
    if row.published is None:
        return ""
    spread = f" ± {row.published_sd:.3f}" if row.published_sd is not None else ""
    return f"{row.published:.3f}{spread}"


def interval(row: Row) -> str:
    """``0.812 [0.74, 0.88]``."""
    if row.mean is None:
        return "undefined"
    if row.metric in IN_UNITS:
        return text.interval(row)
    if row.ci_low is None or row.ci_high is None:
        return f"{row.mean:.3f}"
    return f"{row.mean:.3f} [{row.ci_low:.2f}, {row.ci_high:.2f}]"


def show_failures(failures: Sequence[Failure]) -> None:
    """Each reason for which cases failed, a line each, at the end where it is seen."""
    if not failures:
        return
    count = len(failures)
    err.print(f"{count} case{'s' * (count != 1)} failed:", style="bold red")
    for reason in grouped(failures):
        err.print(f"  {one_line(reason)}", markup=False)
