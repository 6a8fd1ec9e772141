"""What rdfc relies on in a `Logger`."""

from __future__ import annotations

import contextlib
import copy
import io
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdfc_core.contract.promises import require, require_kind
from rdfc_core.testing.assertions import conformance
from rdfc_core.testing.results import example_results

if TYPE_CHECKING:
    from rdfc_core.interfaces import Ending, Logger

TRAINING = "fold-0.simclr"
STUDY: dict[str, Any] = {
    "preset": "default",
    "dataset": {"name": "manifest", "root": "/data"},
    "views": {"image": {"name": "image", "size": [64, 64], "encoder": {"name": "timm"}}},
    "pretext": {"name": "correspondence", "objective": {"name": "infonce", "temperature": 0.1}},
    "pretrain": {"epochs": None, "learning_rate": 1e-3, "compile": False},
    "seed": 0,
}


@conformance
def check_logger(logger: Logger) -> None:
    """Check a logger on runs that finish, stop, are resumed, and fail before anything is trained.

    Args:
        logger: Built, and not told of a run. What it sends elsewhere is not looked at: give it a
            place for tests, such as a folder.

    Raises:
        AssertionError: If it prints to standard output, changes what belongs to the whole process
            or what it is told, writes into the run folder beside its own, lets one run show in
            the next, or cannot take what a run may tell: values that are NaN, a resumed run that
            it does not know, an end right after the beginning.
    """
    from rdfc_core.interfaces import Logger

    who = require_kind(logger, Logger)
    with tempfile.TemporaryDirectory() as base:
        kept = [_finished(logger, who, Path(base, name)) for name in ("one", "two")]
        sizes = [sorted(len(content) for content in one.values()) for one in kept]
        require(
            sizes[0] == sizes[1],
            f"{who} wrote {sum(sizes[0])} bytes of one run and {sum(sizes[1])} of the next, which "
            "was told the same: forget a run in end(), and all of it in begin().",
        )
        require(
            _files(Path(base, "one")) == kept[0],
            f"{who} wrote into the folder of one run while it was told of the next; close what is "
            "open in end().",
        )
        _stopped_and_resumed(logger, who, Path(base, "six"))
        with _watched(who, Path(base, "ten"), False) as run:
            logger.begin(run)
            logger.end("failed", "The images could not be read.")


def _finished(logger: Logger, who: str, folder: Path) -> dict[str, bytes]:
    """A run that was told from its beginning to its end; what the logger keeps of it."""
    with _watched(who, folder, False) as run:
        logger.begin(run)
        _epochs(logger, 0, 2)
        results = example_results(True)
        logger.results(results)
        logger.end("finished", "")
    return _files(folder)


def _stopped_and_resumed(logger: Logger, who: str, folder: Path) -> None:
    """A run that another process goes on with; and one that was begun without the logger."""
    for place in (folder, folder.with_name("ten-more")):
        for resumed in (False, True) if place is folder else (True,):
            outcome: Ending = "finished" if resumed else "stopped"
            with _watched(who, place, resumed) as run:
                logger.begin(run)
                _epochs(logger, int(resumed), 2)
                if resumed:
                    logger.results(example_results(False))
                logger.end(outcome, "" if resumed else "By the plugin of a test.")


def _epochs(logger: Logger, done: int, epochs: int) -> None:
    logger.begin_training(TRAINING, done)
    for epoch in range(done + 1, epochs + 1):
        values = {"loss": 1.5 / epoch, "learning_rate": 1e-3, "radiomics.off_diagonal": math.nan}
        logger.log(TRAINING, values, epoch, 3 * epoch)


@contextlib.contextmanager
def _watched(who: str, folder: Path, resumed: bool) -> Iterator[Any]:
    """A run to tell of; afterwards what the logger must leave alone is looked at."""
    from rdfc_core.contract.global_state import GlobalState, touched
    from rdfc_core.interfaces import LoggedRun
    from rdfc_core.results import files

    folder.mkdir(exist_ok=True)
    example_results(True).write(folder / files.RESULTS)
    (folder / files.REPORT).write_text("<html></html>", encoding="utf-8")
    own = folder / files.LOGGERS / "sample"
    before = _files(folder, besides=own)
    study = copy.deepcopy(STUDY)
    printed, state = io.StringIO(), GlobalState.now()
    try:
        with contextlib.redirect_stdout(printed):
            yield LoggedRun(folder.name, folder, own, study, "evaluate", resumed)
        found = touched(state, GlobalState.now(), draws=False)
    finally:
        state.restore()
    require(
        not printed.getvalue(),
        f"{who} prints {printed.getvalue().strip()[:60]!r} to standard output, which is the "
        "command's; use logging.",
    )
    require(not found, f"{who} {'; it '.join(found)}.")
    require(study == STUDY, f"{who} changed the study that it was told; copy it first.")
    require(
        _files(folder, besides=own) == before,
        f"{who} wrote into the run folder; keep what it writes in run.own.",
    )


def _files(folder: Path, besides: Path | None = None) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not (besides and path.is_relative_to(besides))
    }
