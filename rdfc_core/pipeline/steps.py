"""The steps of a study, in their order, and whether a run has done them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from rdfc_core.results import files

if TYPE_CHECKING:
    from rdfc_core.results.schema import Results

log = logging.getLogger("rdfc")

Step = Literal["extract", "pretrain", "evaluate"]
STEPS: tuple[Step, ...] = get_args(Step)


def reaches(done: Step, wanted: Step) -> bool:
    """Whether a run that ends with one step does the other one, too."""
    return STEPS.index(done) >= STEPS.index(wanted)


def is_done(folder: Path, results: Results, wanted: Step) -> bool:
    """Whether a run has done a step, and what it wrote then is still there.

    Args:
        folder: The run folder.
        results: What it holds.
        wanted: The step.
    """
    done = results.run.get("step")
    if done not in STEPS or not reaches(done, wanted):
        return False
    gone = next((path for path in _written(folder, results, wanted) if not path.is_file()), None)
    if gone is not None:
        log.info("%s is gone: what is missing of the run is made again.", gone)
    return gone is None


def _written(folder: Path, results: Results, until: Step) -> Iterator[Path]:
    """What a run has in its folder after a step, beside its results."""
    names = [files.FEATURES, files.PICTURES]
    if until != "extract":
        names.append(files.EMBEDDINGS)
        for split in results.dataset.get("splits", ()):
            model = f"{files.MODELS}/{split['name']}"
            names += [f"{model}/{files.MODEL_ABOUT}", f"{model}/{files.MODEL_WEIGHTS}"]
    if until == "evaluate":
        names += [files.PREDICTIONS, files.ATTENTION]
    yield from (folder / name for name in names)
