"""`check_memory_queue` passes a sound component and catches each broken promise."""

import pytest
import torch

from rdfc_core import testing
from rdfc_core.interfaces import MemoryQueue
from rdfc_core.scaffold.templates.memory_queue import config as queue_config
from rdfc_core.scaffold.templates.memory_queue import memory as queue_example
from rdfc_core.testing.precision import require_exact_queue

Queue = queue_example.Example


class LettingTheNewestGo(Queue):
    def push(self, indices, embeddings):
        super().push(indices, embeddings)
        if (self.cases >= 0).all():
            self.cases[-1], self.table[-1] = self.cases[0], self.table[0]


class CountingWithinTheBatch(Queue):
    def push(self, indices, embeddings):
        super().push(torch.arange(len(indices)), embeddings)


class FillingWithNoise(Queue):
    def allocate(self, cases, width):
        super().allocate(cases, width)
        self.table.normal_()


class FullFromTheBeginning(Queue):
    def allocate(self, cases, width):
        super().allocate(cases, width)
        self.cases.zero_()


class ContrastingWithItself(Queue):
    def similarities(self, anchors, exclude):
        return super().similarities(anchors, torch.full_like(exclude, -2))


class MultiplyingWithoutGradient(Queue):
    def similarities(self, anchors, exclude):
        return super().similarities(anchors.detach(), exclude)


class KeepingTheGraph(Queue):
    def push(self, indices, embeddings):
        with torch.enable_grad():
            self.cases = torch.cat([self.cases, indices])[-self.capacity :]
            self.table = torch.cat([self.table, embeddings])[-self.capacity :]

    def read(self):
        return self.cases, self.table


class OverflowingBatches(Queue):
    def push(self, indices, embeddings):
        if len(indices) > self.capacity:
            raise IndexError("too many")
        super().push(indices, embeddings)


class KeptBesideTheState(Queue):
    def __init__(self, config):
        super().__init__(config)
        del self.table
        self.table = torch.zeros(0, 0)


class TakingAnyWidth(Queue):
    def push(self, indices, embeddings):
        super().push(indices, embeddings[:, : self.table.shape[1]])


class GivingRowsAlone(Queue):
    def read(self):
        return self.table


def test_a_sound_queue_passes():
    for size in (3, 1024):
        testing.check_memory_queue(Queue(queue_config.ExampleConfig(size=size)))


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (LettingTheNewestGo, "let the oldest go first"),
        (CountingWithinTheBatch, r"push\(\) of the cases 7 and 2 left \[0, 1\]"),
        (FillingWithNoise, "allocate.. draws from torch's global generator"),
        (FullFromTheBeginning, "give −1, as int64, for each place that is empty"),
        (ContrastingWithItself, "counts rows of the anchor's own case"),
        (MultiplyingWithoutGradient, "with gradient to the anchors"),
        (KeepingTheGraph, "kept the gradient of the embeddings"),
        (OverflowingBatches, r"more than its 12 places, raised IndexError \(too many\)"),
        (KeptBesideTheState, "keep all of it in buffers"),
        (TakingAnyWidth, "raised nothing; raise ShapeError"),
        (GivingRowsAlone, "has to give the cases and their rows"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_queue_is_caught(kind, complaint):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_memory_queue(kind(queue_config.ExampleConfig()))


class KeepingHalves(Queue):
    def push(self, indices, embeddings):
        super().push(indices, embeddings.bfloat16().float())


class MultiplyingHalves(Queue):
    def similarities(self, anchors, exclude):
        return super().similarities(anchors.bfloat16(), exclude).float()


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (KeepingHalves, "it narrows them. Keep torch.float32"),
        (MultiplyingHalves, "differ from the products of its rows in float64"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_queue_that_narrows_its_rows_is_caught(kind, complaint):
    with pytest.raises(AssertionError, match=complaint):
        require_exact_queue(kind(queue_config.ExampleConfig()))


def test_a_queue_that_says_that_it_keeps_halves_passes():
    queue = KeepingHalves(queue_config.ExampleConfig())
    queue.keeps = torch.bfloat16
    require_exact_queue(queue)


def test_a_memory_store_is_no_queue():
    from rdfc_core.scaffold.templates.memory_store.config import ExampleConfig
    from rdfc_core.scaffold.templates.memory_store.memory import Example

    assert not issubclass(Example, MemoryQueue)
    with pytest.raises(AssertionError, match=r"Example is no MemoryQueue: derive it from"):
        testing.check_memory_queue(Example(ExampleConfig()))
