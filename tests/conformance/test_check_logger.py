"""`check_logger` passes a sound component and catches each broken promise."""

from __future__ import annotations

import os
from typing import ClassVar

import pytest

from rdfc_core import testing
from rdfc_core.plugin.component import NoOptions
from rdfc_core.scaffold.templates.logger.config import ExampleConfig
from rdfc_core.scaffold.templates.logger.logger import Example as Table
from rdfc_core.training.tensorboard_logger import TensorBoardLogger


class Printing(Table):
    def log(self, training, metrics, epoch, step):
        print("epoch", epoch)


class Remembering(Table):
    seen: ClassVar[list[str]] = []

    def end(self, outcome, reason):
        self.seen.append(outcome)
        self._write(self.table, "a", *self.seen)


class NeverClosing(Table):
    first = None

    def end(self, outcome, reason):
        self.first = self.first or self.table
        self._write(self.first, "a", outcome)
        self._write(self.table, "a", outcome * (self.first != self.table))


class Changing(Table):
    def begin(self, run):
        super().begin(run)
        run.study["seed"] = 1


class WritingElsewhere(Table):
    def begin(self, run):
        super().begin(run)
        (run.folder / "mine.txt").write_text("")


class AppendingToResults(Table):
    def results(self, results):
        with (self.table.parents[2] / "results.json").open("a") as file:
            file.write(" ")


class WholeNumbersOnly(Table):
    def log(self, training, metrics, epoch, step):
        sum(map(int, metrics.values()))


class NeedingItsFolder(Table):
    def begin(self, run):
        if run.resumed:
            (run.own / "epochs.csv").read_text()
        super().begin(run)


class NeedingResults(Table):
    def results(self, results):
        self.best = results.rows[0].mean

    def end(self, outcome, reason):
        if outcome == "finished":
            _ = self.best


class NeedingATraining(Table):
    def begin_training(self, training, done):
        self.training = training

    def begin(self, run):
        super().begin(run)
        self.training = None

    def end(self, outcome, reason):
        self._write(self.table, "a", self.training.upper())


class Moving(Table):
    def begin(self, run):
        super().begin(run)
        os.chdir(run.own)


@pytest.mark.parametrize("made", [Table(ExampleConfig()), TensorBoardLogger(NoOptions())])
def test_a_sound_logger_passes(made):
    testing.check_logger(made)


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (Printing, "prints 'epoch 1.* to standard output"),
        (Remembering, "bytes of one run and .* of the next, which was told the same"),
        (NeverClosing, "wrote into the folder of one run while it was told of the next|bytes of"),
        (Changing, "changed the study that it was told"),
        (WritingElsewhere, "wrote into the run folder; keep what it writes in run.own"),
        (AppendingToResults, "wrote into the run folder"),
        (WholeNumbersOnly, "raised ValueError where rdfc relies on a result: .*NaN"),
        (NeedingItsFolder, "raised FileNotFoundError"),
        (NeedingResults, "raised IndexError"),
        (NeedingATraining, "raised AttributeError"),
        (Moving, "changed the working directory"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_logger_is_caught(kind, complaint):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_logger(kind(ExampleConfig()))
