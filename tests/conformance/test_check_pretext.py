"""`check_pretext` passes a sound component and catches each broken promise."""

import copy
import random

import numpy as np
import pytest
import torch

from rdfc_core import testing
from rdfc_core.interfaces import PretextOutput
from rdfc_core.scaffold.templates.pretext import config as pretext_config
from rdfc_core.scaffold.templates.pretext import pretext as pretext_example

Pretext = pretext_example.Example


class TowersInADict(Pretext):
    def build(self, towers, cases, generator):
        super().build(towers, cases, generator)
        self.loose = dict(towers)
        del self.towers
        object.__setattr__(self, "towers", self.loose)


class NeedingNoView(Pretext):
    def build(self, towers, cases, generator):
        if towers:
            super().build(towers, cases, generator)


class KeepingTheGraph(Pretext):
    def forward(self, batch):
        output = super().forward(batch)
        features = self.projections["image"](self.towers["image"](batch.draw("image")))
        return output._replace(embeddings={"image": features})


class NormalisingInPlace(Pretext):
    def forward(self, batch):
        batch.prepared["image"].mul_(0.5)
        return super().forward(batch)


class DrawingFromTheSystem(Pretext):
    def forward(self, batch):
        output = super().forward(batch)
        return output._replace(loss=output.loss * random.SystemRandom().random())


class LeavingATowerUntrained(Pretext):
    def forward(self, batch):
        for parameter in self.towers["image"].parameters():
            parameter.requires_grad_(False)
        return super().forward(batch)


class CountingOutsideItsState(Pretext):
    steps = 0

    def after_step(self, indices, embeddings):
        self.steps += 1

    def forward(self, batch):
        output = super().forward(batch)
        return output._replace(loss=output.loss + self.steps)


class GivingOtherViews(Pretext):
    def encoders(self):
        return {"picture": super().encoders()["image"]}


class LoggingNumbers(Pretext):
    def forward(self, batch):
        return super().forward(batch)._replace(logs={"agreement": 0.5})


class LearningWhileMeasured(Pretext):
    def held_back_metrics(self, batch):
        with torch.no_grad():
            next(self.parameters()).add_(1)
        return {"loss": torch.zeros(())}


class MeasuringNoLoss(Pretext):
    def held_back_metrics(self, batch):
        return {"accuracy": torch.ones(())}


class MeasuringNothingFinite(Pretext):
    def held_back_metrics(self, batch):
        return {"loss": torch.tensor(float("nan"))}


class HalfABatchOfEmbeddings(Pretext):
    def forward(self, batch):
        output = super().forward(batch)
        halves = {name: rows[::2] for name, rows in output.embeddings.items()}
        return PretextOutput(output.loss, output.logs, halves)


class DrawingFromPython(Pretext):
    def forward(self, batch):
        output = super().forward(batch)
        return output._replace(loss=output.loss + random.random())


class DrawingFromNumPy(Pretext):
    def forward(self, batch):
        output = super().forward(batch)
        return output._replace(loss=output.loss + np.random.rand())


class DrawingFromTorch(Pretext):
    def forward(self, batch):
        output = super().forward(batch)
        return output._replace(loss=output.loss + torch.rand(()))


class DroppingOut(Pretext):
    def build(self, towers, cases, generator):
        super().build(towers, cases, generator)
        self.drop = torch.nn.Dropout(0.5)

    def forward(self, batch):
        output = super().forward(batch)
        return output._replace(loss=output.loss + 0 * self.drop(output.loss))


class Taught(Pretext):
    """With a teacher of the pictures, which follows."""

    def build(self, towers, cases, generator):
        super().build(towers, cases, generator)
        self.teacher = copy.deepcopy(self.towers["image"]).requires_grad_(False)

    def after_step(self, indices, embeddings):
        pairs = zip(self.teacher.parameters(), self.towers["image"].parameters(), strict=True)
        for slow, fast in pairs:
            slow.lerp_(fast.detach(), 0.01)

    def further_towers(self):
        return (self.teacher,)


class ForgettingItsTeacher(Taught):
    def forward(self, batch):
        with torch.no_grad():
            self.teacher(batch.draw("image"))
        return super().forward(batch)

    def further_towers(self):
        return ()


class NeverMoving(Taught):
    def after_step(self, indices, embeddings):
        pass


class ItsOwnTeacher(Taught):
    def further_towers(self):
        return (self.towers["image"],)


def test_a_teacher_follows_unless_it_is_to_stay():
    testing.check_pretext(Taught(pretext_config.ExampleConfig()))
    testing.check_pretext(NeverMoving(pretext_config.ExampleConfig()), fixed_teacher=True)


def test_dropout_is_no_draw_of_the_task():
    testing.check_pretext(DroppingOut(pretext_config.ExampleConfig()))


def test_a_sound_pretext_passes():
    testing.check_pretext(Pretext(pretext_config.ExampleConfig()))


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (TowersInADict, "does not hold the tower 'radiomics' as a module"),
        (NeedingNoView, "without any view raised nothing; raise StudyError"),
        (KeepingTheGraph, "embeddings 'image' carry a gradient"),
        (NormalisingInPlace, "changed the prepared batch"),
        (DrawingFromTheSystem, "for the same batch and seeds"),
        (DrawingFromPython, "under other seeds of the global generators|for the same batch"),
        (DrawingFromNumPy, "under other seeds of the global generators|for the same batch"),
        (DrawingFromTorch, "under other seeds of the global generators"),
        (ForgettingItsTeacher, r"sends cases through the tower 'teacher', which neither"),
        (NeverMoving, r"none of further_towers\(\) changed in 3 steps"),
        (ItsOwnTeacher, "a teacher would be its own student"),
        (LeavingATowerUntrained, "the tower 'image' did not change in 3 steps"),
        (CountingOutsideItsState, "with the same state_dict gave the loss"),
        (GivingOtherViews, r"encoders\(\) gave \['picture'\]"),
        (LoggingNumbers, "the log 'agreement' has to be a scalar tensor"),
        (LearningWhileMeasured, r"held_back_metrics\(\) changed the task's state"),
        (MeasuringNoLoss, r"gave \['accuracy'\] and no loss"),
        (MeasuringNothingFinite, "give finite scalars"),
        (HalfABatchOfEmbeddings, r"have to be \(B, D\)"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_pretext_is_caught(kind, complaint):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_pretext(kind(pretext_config.ExampleConfig()))


class RoundingItsLoss(Pretext):
    def forward(self, batch):
        output = super().forward(batch)
        if output.loss.dtype == torch.float64:
            return output
        return output._replace(loss=output.loss.bfloat16().float())


class LosingDouble(Pretext):
    def forward(self, batch):
        output = super().forward(batch)
        return output._replace(loss=output.loss.float())


class ProjectingUnderAutocast(Pretext):
    def forward(self, batch):
        if next(self.projections.parameters()).dtype == torch.float64:
            return super().forward(batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = super().forward(batch)
        return output._replace(loss=output.loss.float())


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (RoundingItsLoss, "in float64; compute in at least float32"),
        (LosingDouble, "made torch.float32 of features in float64"),
        (ProjectingUnderAutocast, "in float64; compute in at least float32"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_task_that_loses_digits_is_caught(kind, complaint):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_pretext(kind(pretext_config.ExampleConfig()))
