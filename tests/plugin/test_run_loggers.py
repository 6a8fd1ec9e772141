"""What loggers are told of how a run ends, and how often one that fails is told on."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdfc_core import DataError, StoppedError
from rdfc_core.interfaces import LoggedRun, Logger
from rdfc_core.plugin.run_loggers import PATIENCE, RunLoggers, folder_of
from rdfc_core.utils.signals import Terminated


class Heard(Logger):
    def __init__(self, failing: tuple[int, ...] = ()) -> None:
        self.told: list[tuple] = []
        self.failing, self.epochs = failing, 0

    def begin(self, run):
        self.told.append(("begin", run.own))

    def log(self, training, metrics, epoch, step):
        self.epochs += 1
        self.told.append((epoch, step, dict(metrics)))
        if epoch in self.failing:
            raise ConnectionError("away")

    def end(self, outcome, reason):
        self.told.append((outcome, reason))


def begun(*loggers: Logger) -> RunLoggers:
    loggers_of_run = RunLoggers([(f"own-{n}", f"logger {n}", one) for n, one in enumerate(loggers)])
    folder = Path("runs/mine")
    loggers_of_run.begin(LoggedRun("mine", folder, folder, {}, "pretrain", False))
    return loggers_of_run


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (KeyboardInterrupt(), ("stopped", "The process was asked to end")),
        (Terminated(), ("stopped", "The process was asked to end")),
        (StoppedError("A plugin stopped it."), ("stopped", "A plugin stopped it.")),
        (DataError("No case is left."), ("failed", "No case is left.")),
        (ZeroDivisionError(), ("failed", "ZeroDivisionError")),
        (SystemExit(3), ("failed", "3")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_ends_a_run_is_told_once_and_goes_on_its_way(error, told):
    own = Heard()
    loggers = begun(own)
    with pytest.raises(type(error)), loggers.ending(), loggers.ending(finished=False):
        raise error
    assert own.told == [("begin", Path("runs/mine/loggers/own-0")), told]


def test_a_run_is_finished_when_all_of_it_is():
    own = Heard()
    loggers = begun(own)
    with loggers.ending():
        with loggers.ending(finished=False):
            pass
        assert own.told[-1][0] == "begin"
    assert own.told[-1] == ("finished", "")
    loggers.log("holdout", {"epoch": 1, "loss": 1.0}, 3)
    assert own.told[-1] == ("finished", "")  # nothing is told after the end


def test_one_that_fails_now_and_then_is_told_all_and_named_once(caplog):
    own, other = Heard(failing=(1, 2, 4, 5, 7)), Heard()
    loggers = begun(own, other)
    with loggers.ending():
        for epoch in range(1, 9):
            loggers.log("holdout", {"epoch": epoch, "loss": 1 / epoch}, 3 * epoch)
    assert own.epochs == other.epochs == 8
    assert other.told[2] == (2, 6, {"loss": 0.5})
    [record] = caplog.records
    assert "The logger 0 failed in log(): ConnectionError: away." in record.getMessage()


def test_one_that_fails_all_the_time_is_told_no_more_and_closed(caplog):
    own = Heard(failing=tuple(range(10)))
    loggers = begun(own)
    with loggers.ending():
        for epoch in range(1, 9):
            loggers.log("holdout", {"epoch": epoch, "loss": 1.0}, epoch)
    assert own.epochs == PATIENCE
    assert own.told[-1] == ("finished", "")
    assert len(caplog.records) == 2
    assert "is told no more of this run" in caplog.records[1].getMessage()


def test_each_logger_has_a_folder_of_its_own_and_tensorboard_that_of_before():
    assert folder_of(Path("run"), "mlflow") == Path("run/loggers/mlflow")
    assert folder_of(Path("run"), "tensorboard") == Path("run/tensorboard")
