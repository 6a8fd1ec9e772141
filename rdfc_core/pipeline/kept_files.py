"""What of a run folder is kept for extending the run alone, and a run from which it was removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rdfc_core.errors import StudyError
from rdfc_core.pipeline.run_files import OWN, refuse_links, sole_use
from rdfc_core.pipeline.steps import STEPS
from rdfc_core.results import files
from rdfc_core.results.schema import Results

CLEANED = (
    "{} was cleaned (rdfc runs clean): what its pretraining would go on from is gone, so that the "
    "run cannot be extended. Give the larger budget with another --out, or train it anew with "
    "--overwrite."
)


def is_cleaned(folder: Path) -> bool:
    """Whether the folder holds a run that is done and has a model, and no state to go on from."""
    there = (folder / files.RESULTS).exists() and (folder / files.MODELS).is_dir()
    return there and not any((folder / files.CHECKPOINTS).glob("*.safetensors"))


def refuse_cleaned(folder: Path) -> None:
    """Check that a run that is to be extended has a state to go on from.

    Raises:
        StudyError: If it was removed.
    """
    if is_cleaned(folder):
        raise StudyError(CLEANED.format(folder))


def removable(folder: Path) -> list[Path]:
    """The files that nothing but extending, or repairing, a finished run needs.

    Raises:
        StudyError: If the run is not finished: it needs them to go on.
        DataError: If its results are damaged.
    """
    results = folder / files.RESULTS
    step = Results.read(results).run.get("step") if results.exists() else None
    if step != STEPS[-1]:
        raise StudyError(
            f"{folder} holds no finished run, and an unfinished one needs all of its files to go "
            "on. Finish it with rdfc run; or delete the folder."
        )
    return list(_removable(folder))


def remove(folder: Path) -> int:
    """Remove `removable`; the run cannot be extended afterwards.

    Returns:
        The bytes that were freed.

    Raises:
        StudyError: If the run is not finished, or another process is at work in its folder.
        DataError: If its results are damaged.
    """
    refuse_links(folder)
    with sole_use(folder):
        freed = 0
        for path in removable(folder):
            freed += path.stat().st_size
            path.unlink()
        checkpoints = folder / files.CHECKPOINTS
        if checkpoints.is_dir() and not any(checkpoints.iterdir()):
            checkpoints.rmdir()
    return freed


def _removable(folder: Path) -> Iterator[Path]:
    """States of pretraining, and what methods learnt: both lie in the model, as far as needed."""
    found = [*(folder / files.CHECKPOINTS).glob("*"), *(folder / files.TRIALS).glob("*/*")]
    for path in sorted(found):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".safetensors" and path.is_file() and OWN.fullmatch(name):
            yield path
