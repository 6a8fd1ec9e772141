"""`check_memory_store` passes a sound component and catches each broken promise."""

import pytest
import torch

from rdfc_core import testing
from rdfc_core.scaffold.templates.memory_store import config as memory_config
from rdfc_core.scaffold.templates.memory_store import memory as memory_example
from rdfc_core.testing.precision import require_exact_memory

Memory = memory_example.Example


class DrawingTheOwnCase(Memory):
    def negatives(self, k, exclude, generator):
        super().negatives(k, exclude, generator)
        return self.table[torch.randint(self.rows, (len(exclude), k), generator=generator)]


class DrawingOneNeighbour(Memory):
    def negatives(self, k, exclude, generator):
        super().negatives(k, exclude, generator)
        return self.table[(exclude + 1) % self.rows][:, None].expand(-1, k, -1)


class DrawingWithoutReplacement(Memory):
    def negatives(self, k, exclude, generator):
        return super().negatives(min(k, self.rows - 1), exclude, generator)


class DrawingWithTorch(Memory):
    def negatives(self, k, exclude, generator):
        return super().negatives(k, exclude, torch.default_generator)


class MultiplyingOtherRows(Memory):
    def similarities(self, anchors, k, exclude, generator):
        return super().similarities(anchors, k, exclude - 1, generator)


class MultiplyingWithoutGradient(Memory):
    def similarities(self, anchors, k, exclude, generator):
        return super().similarities(anchors.detach(), k, exclude, generator)


class TouchingItsNeighbours(Memory):
    def update(self, indices, embeddings):
        super().update(indices, embeddings)
        self.table[(indices[0] + 1) % self.rows] = 0


class IgnoringUpdates(Memory):
    def update(self, indices, embeddings):
        pass


class CountingTwice(Memory):
    @torch.no_grad()
    def update(self, indices, embeddings):
        for place, embedding in zip(indices, embeddings, strict=True):
            super().update(place[None], embedding[None])


class KeptBesideTheState(Memory):
    def __init__(self, config):
        super().__init__(config)
        del self.table
        self.table = torch.zeros(0, 0)


class StartingAllAlike(Memory):
    def allocate(self, rows, width, generator):
        super().allocate(rows, width, generator)
        self.table[:] = self.table[0]


class LosingItsLastRow(Memory):
    def all_chunks(self):
        yield torch.arange(self.rows - 1), self.table[:-1]


class ContentWithOneCase(Memory):
    def negatives(self, k, exclude, generator):
        if self.rows < 2:
            return self.table[exclude][:, None].expand(-1, k, -1)
        return super().negatives(k, exclude, generator)


def test_a_sound_memory_passes():
    testing.check_memory_store(Memory(memory_config.ExampleConfig()))


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (DrawingTheOwnCase, "drew case 0 as its own negative"),
        (DrawingOneNeighbour, "never drew"),
        (DrawingWithoutReplacement, "drawn with replacement"),
        (DrawingWithTorch, "torch's global generator"),
        (MultiplyingOtherRows, "other products than with the rows"),
        (MultiplyingWithoutGradient, "with gradient to the anchors"),
        (TouchingItsNeighbours, "changed cases that were not in the batch"),
        (IgnoringUpdates, "did not bring the rows nearer"),
        (CountingTwice, "count it once, with the mean"),
        (KeptBesideTheState, "reads differently; keep the rows in a buffer"),
        (StartingAllAlike, "gave several cases the same row"),
        (LosingItsLastRow, "give each exactly once"),
        (ContentWithOneCase, "raised nothing; raise ShapeError"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_memory_is_caught(kind, complaint):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_memory_store(kind(memory_config.ExampleConfig()))


class KeepingHalves(Memory):
    def read(self, indices):
        return super().read(indices).bfloat16().float()

    def update(self, indices, embeddings):
        super().update(indices, embeddings.bfloat16().float())


class UpdatingUnderAutocast(Memory):
    def update(self, indices, embeddings):
        super().update(indices, (embeddings[:, :, None] * 1).matmul(torch.eye(1))[:, :, 0])


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (KeepingHalves, "keeps its rows in torch.bfloat16 and says torch.float32"),
        (UpdatingUnderAutocast, "under autocast gives other rows"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_memory_that_narrows_its_rows_is_caught(kind, complaint):
    store = kind(memory_config.ExampleConfig())
    with pytest.raises(AssertionError, match=complaint):
        require_exact_memory(store)


def test_a_memory_that_says_that_it_keeps_halves_passes():
    store = KeepingHalves(memory_config.ExampleConfig())
    store.keeps = torch.bfloat16
    require_exact_memory(store)
