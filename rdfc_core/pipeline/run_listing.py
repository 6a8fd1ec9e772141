"""The runs below a folder: how large they are, how far they came, what they reached."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rdfc_core.errors import DataError, StudyError
from rdfc_core.pipeline.kept_files import removable
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.pipeline.steps import STEPS
from rdfc_core.report.headline import main_row
from rdfc_core.report.text import interval, metric_in_sentence
from rdfc_core.results import files
from rdfc_core.results.schema import Results
from rdfc_core.utils.sizes import size_of


@dataclass(frozen=True)
class ListedRun:
    """A run folder in a line.

    Args:
        name: Its path from where was looked.
        size: Bytes of all in it.
        for_extending: Bytes that ``rdfc runs clean`` would free.
        state: How far it came.
        headline: What its model reached, in the metric that decides; empty where none is judged.
    """

    name: str
    size: int
    for_extending: int
    state: str
    headline: str


def runs_below(folder: Path) -> list[ListedRun]:
    """All runs in a folder and below, by name.

    Raises:
        StudyError: If there is no such folder.
    """
    if not folder.is_dir():
        raise StudyError(f"{folder} is no folder. Name the one that holds run folders.")
    return [_listed(path, folder) for path in sorted(_run_folders(folder))]


def _run_folders(folder: Path) -> Iterator[Path]:
    for parent, below, names in os.walk(folder):
        path = Path(parent)
        if files.STUDY in names and RunFolder(path).began_here():
            below.clear()  # a run folder holds no further runs
            yield path


def _listed(path: Path, root: Path) -> ListedRun:
    place = RunFolder(path)
    name = path.relative_to(root).as_posix() if path != root else path.resolve().name
    size, free, state, headline = size_of(path), 0, "unfinished", ""
    if place.results.exists():
        try:
            results = Results.read(place.results)
        except DataError:
            return ListedRun(name, size, 0, "results are damaged", "")
        step = str(results.run.get("step"))
        state = "finished" if step == STEPS[-1] else f"done up to {step}"
        row = main_row(results.headline, results.rows) if results.headline else None
        headline = f"{metric_in_sentence(row.metric)} {interval(row)}" if row else ""
        if step == STEPS[-1]:
            free = sum(one.stat().st_size for one in removable(path))
            state = "finished" if free else "finished, cannot be extended"
    return ListedRun(name, size, free, state, headline)
