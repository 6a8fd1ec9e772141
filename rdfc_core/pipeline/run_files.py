"""The files of a run folder: which are a run's own, and that none of them is a link."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from rdfc_core.errors import StudyError
from rdfc_core.results import files

log = logging.getLogger("rdfc")

LOCK = ".lock"
"""Held by the process that works in the folder."""

NAMED = 3
"""Files that are named before the list breaks off."""

SPLIT = r"(?:holdout|column|all|fold-\d+(?:\.\d+)?)(?:\.[A-Za-z][A-Za-z0-9_-]*)?"
"""A split's name, and that of a pretext which is compared."""

MODEL_FILES = "|".join(
    map(re.escape, (files.MODEL_WEIGHTS, files.MODEL_ABOUT, files.TRAINING_CASES))
)

CARDS = "|".join(map(re.escape, (files.MODEL_CARD, files.DATASET_CARD)))
"""Written into the folder of the models, as a pattern."""

FOLDERS: Mapping[str, str] = {
    files.CHECKPOINTS: rf"(?:previous-)?{SPLIT}(?:\.stable)?\.safetensors",
    files.TENSORBOARD: rf"{SPLIT}/events\.out\.tfevents\..+",
    files.LOGGERS: r"[^/]+/.+",
    files.MODELS: rf"{SPLIT}/(?:{MODEL_FILES})|{CARDS}",
    files.TRIALS: rf"{SPLIT}/[^/]+\.(?:json|safetensors)",
}
"""The folders that a run makes → the files that it writes there, as a pattern."""

OWN = re.compile(
    "|".join(
        [*map(re.escape, files.FILES), *(f"{name}/(?:{one})" for name, one in FOLDERS.items())]
    )
)
PARTIAL = re.compile(r"(^|/)partial-(?:[0-9a-f]{16}-)?")
"""What a file or folder is called while it is written; a process that was killed may leave some."""


def locked(folder: Path) -> FileLock:
    """The lock of a run folder, held until it is released.

    Raises:
        StudyError: If another process is at work there.
    """
    # The system frees the lock of a process that is killed; the file itself stays.
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise StudyError(
            f"Another rdfc is at work in {folder}. Wait for it, or choose another --out."
        ) from error
    return lock


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Inside, no other process works in the run folder.

    Raises:
        StudyError: If one does.
    """
    lock = locked(folder)
    try:
        yield
    finally:
        lock.release()
        if not (folder / LOCK).exists():
            (folder / LOCK).touch(exist_ok=False)  # Windows removes it with the lock


def refuse_links(folder: Path) -> None:
    """Check that nothing a run writes to is a link, which would lead its writing elsewhere.

    Nor may it be anything else that cannot be written or read as what the run takes it for: a pipe
    is waited for without an end, and a folder in place of the report ends a run when all is done.

    Raises:
        StudyError: If there is one.
    """
    for path in _all(folder):
        hard_linked = path.name == LOCK and path.is_file() and path.stat().st_nlink > 1
        if path.is_symlink() or hard_linked:
            raise StudyError(
                f"{path} is a link, and a run writes through no link. Remove it, or choose another "
                "--out."
            )
        name = path.relative_to(folder).as_posix()
        wanted = "a folder" if name in FOLDERS else "a file" if name in (*files.FILES, LOCK) else ""
        mode = path.stat().st_mode
        kind = "a folder" if stat.S_ISDIR(mode) else "a file" if stat.S_ISREG(mode) else ""
        if not kind or (wanted and kind != wanted):
            what = kind or "neither a file nor a folder"
            needs = f", and a run keeps {wanted} under that name" if wanted and kind else ""
            raise StudyError(f"{path} is {what}{needs}. Remove it, or choose another --out.")


def remove_own(folder: Path) -> None:
    """Remove what a run wrote into the folder, and nothing else."""
    _remove(folder, lambda name: bool(OWN.fullmatch(_whole(name))))
    kept = [str(p.relative_to(folder)) for p in _all(folder) if p.name != LOCK and p.is_file()]
    if kept:
        more = ", …" if len(kept) > NAMED else ""
        log.info("Kept in %s, since no run wrote it: %s%s.", folder, ", ".join(kept[:NAMED]), more)


def remove_partial(folder: Path) -> None:
    """Remove what a killed process left half written."""
    _remove(folder, lambda name: _whole(name) != name and bool(OWN.fullmatch(_whole(name))))


def holds_others(folder: Path) -> bool:
    """Whether there is anything in the folder but what a crash may have left of a run."""
    return folder.exists() and any(
        path.name != LOCK
        and not (_whole(path.name) != path.name and _whole(path.name) in files.FILES)
        for path in folder.iterdir()
    )


def _whole(name: str) -> str:
    """What a name becomes once what it names is written."""
    return PARTIAL.sub(r"\1", name)


def _remove(folder: Path, unwanted: Callable[[str], bool]) -> None:
    for path in sorted(_all(folder), reverse=True):  # what is in a folder comes before the folder
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif unwanted(path.relative_to(folder).as_posix()):
            path.unlink()


def _all(folder: Path) -> Iterator[Path]:
    """Everything in the folder that has a run's name, and all below; no link is followed."""
    if not folder.exists():
        return
    for path in folder.iterdir():
        if path.name in (*files.FILES, LOCK, *FOLDERS) or path.name.startswith("partial-"):
            yield path
        if path.name in FOLDERS and path.is_dir() and not path.is_symlink():
            for parent, folders, names in os.walk(path):
                yield from (Path(parent, name) for name in (*folders, *names))
