"""`check_objective` passes a sound component and catches each broken promise."""

import numpy as np
import pytest
import torch
from torch import nn

from rdfc_core import ShapeError, testing
from rdfc_core.scaffold.templates.objective import config as objective_config
from rdfc_core.scaffold.templates.objective import objective as objective_example

Objective = objective_example.Example


class WithoutAScalar(Objective):
    def forward(self, a, b, memory):
        loss, logs = super().forward(a, b, memory)
        return loss.expand(2), logs


class WithoutAGradient(Objective):
    def forward(self, a, b, memory):
        return super().forward(a.detach(), b.detach(), memory)


class LoggingWithGradient(Objective):
    def forward(self, a, b, memory):
        loss, _ = super().forward(a, b, memory)
        return loss, {"loss": loss}


class WritingToTheMemory(Objective):
    def forward(self, a, b, memory):
        result = super().forward(a, b, memory)
        memory.a.update(memory.indices, a.detach())
        return result


class DrawingGlobally(Objective):
    def forward(self, a, b, memory):
        loss, logs = super().forward(a, b, memory)
        return loss + torch.rand(()), logs


class DrawingByNumPy(Objective):
    def forward(self, a, b, memory):
        loss, logs = super().forward(a, b, memory)
        return loss + np.random.default_rng().random(), logs


class TakingAnyShape(Objective):
    def forward(self, a, b, memory):
        return super().forward(a, nn.functional.pad(b, (0, a.shape[1] - b.shape[1])), memory)


class RewardingDisagreement(Objective):
    def forward(self, a, b, memory):
        loss, logs = super().forward(a, b, memory)
        return 2 - loss, logs


class Crashing(Objective):
    def forward(self, a, b, memory):
        return a @ b, {}


class GivingTheLossAlone(Objective):
    def forward(self, a, b, memory):
        return super().forward(a, b, memory)[0]


class UnsureOfItsPositive(Objective):
    positive_from_memory = None


class DenyingItsMemory(Objective):
    uses_memory = False


class DetachingAView(Objective):
    def forward(self, a, b, memory):
        return super().forward(a, b.detach(), memory)


def test_a_sound_objective_passes():
    testing.check_objective(Objective(objective_config.ExampleConfig()))


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (WithoutAScalar, "give one finite scalar"),
        (WithoutAGradient, "the loss carries no gradient"),
        (DetachingAView, "no gradient reaches the embeddings b"),
        (LoggingWithGradient, "the log 'loss' has to be a scalar tensor without gradient"),
        (WritingToTheMemory, "wrote to the memory"),
        (DrawingGlobally, "torch's global generator"),
        (DrawingByNumPy, "for the same arguments"),
        (TakingAnyShape, "raised nothing; raise ShapeError"),
        (RewardingDisagreement, "the first has to be lower"),
        (Crashing, r"Crashing raised RuntimeError .* \(in forward, test_check_objective.py line"),
        (GivingTheLossAlone, "has to return the loss and the scalars to log"),
        (UnsureOfItsPositive, "positive_from_memory has to be True or False"),
        (DenyingItsMemory, "uses_memory = False and asks the memory for similarities"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_objective_is_caught(kind, complaint):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_objective(kind(objective_config.ExampleConfig()))


class NarrowingInSilence(Objective):
    def forward(self, a, b, memory):
        loss, logs = super().forward(a.bfloat16().to(a.dtype), b.bfloat16().to(b.dtype), memory)
        return loss, logs


class LosingDouble(Objective):
    def forward(self, a, b, memory):
        loss, logs = super().forward(a, b, memory)
        return loss.float(), logs


class ComputingUnderAutocast(Objective):
    def forward(self, a, b, memory):
        with torch.autocast(a.device.type, dtype=torch.bfloat16):
            loss, logs = super().forward(a, b, memory)
        return loss.to(a.dtype), logs


class WithoutGradientWhereViewsAgree(Objective):
    uses_memory = False

    def forward(self, a, b, memory):
        if a.shape != b.shape:
            raise ShapeError("make them equal")
        return (a - b).square().sum(dim=1).sqrt().mean(), {}


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (NarrowingInSilence, "does not see the ninth digit"),
        (LosingDouble, "made torch.float32 of embeddings in float64; keep the type"),
        (ComputingUnderAutocast, "in float64; compute in at least float32"),
        (WithoutGradientWhereViewsAgree, "where both views agree is NaN or infinite"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_loss_that_loses_digits_or_gradients_is_caught(kind, complaint):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_objective(kind(objective_config.ExampleConfig()))
