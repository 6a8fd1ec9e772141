"""TensorBoard's file: what was measured stands in it, and nothing waits in a thread."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event, SessionLog

from rdfc_core.interfaces import LoggedRun
from rdfc_core.plugin.component import NoOptions
from rdfc_core.training.tensorboard_logger import TensorBoardLogger


def events(folder: Path) -> Iterator[Event]:
    """Each record: its length (8 bytes) and their checksum (4), itself, and its checksum (4)."""
    [file] = folder.iterdir()
    rest = file.read_bytes()
    while rest:
        (length,) = struct.unpack("<Q", rest[:8])
        yield Event.FromString(rest[12 : 12 + length])
        rest = rest[16 + length :]


def begun(folder: Path) -> TensorBoardLogger:
    logger = TensorBoardLogger(NoOptions())
    logger.begin(LoggedRun("run", folder.parent, folder, {}, "pretrain", False))
    return logger


def test_metrics_stand_under_their_names_and_epochs(tmp_path):
    threads = threading.active_count()
    logger = begun(tmp_path / "board")
    logger.begin_training("holdout", 0)
    logger.log("holdout", {"loss": 2.5, "radiomics-image.loss": 0.25}, 1, 3)
    logger.log("holdout", {"loss": 1.5}, 2, 6)
    assert threading.active_count() == threads
    shown = [e for e in events(tmp_path / "board" / "holdout") if e.HasField("summary")]
    logger.end("finished", "")
    found = [(e.step, e.summary.value[0].tag, e.summary.value[0].simple_value) for e in shown]
    assert found == [(1, "loss", 2.5), (1, "radiomics-image/loss", 0.25), (2, "loss", 1.5)]


@pytest.mark.parametrize("done", [0, 7])
def test_what_was_shown_after_the_checkpoint_is_dropped(tmp_path, done):
    logger = begun(tmp_path)
    logger.begin_training("fold-0", done)
    logger.begin_training("fold-1", 0)
    logger.end("stopped", "by hand")
    starts = [
        e.step for e in events(tmp_path / "fold-0") if e.session_log.status == SessionLog.START
    ]
    assert starts == ([8] if done else [])
