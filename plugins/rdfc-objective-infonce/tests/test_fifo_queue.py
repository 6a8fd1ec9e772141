"""The queue: first in, first out, and each row under its own case."""

import pytest
import torch

from rdfc_core.errors import ShapeError
from rdfc_core.testing import check_memory_queue
from rdfc_objective_infonce.config import FifoQueueConfig
from rdfc_objective_infonce.fifo_queue import FifoQueue


def queue_of(size: int, cases: int = 100, width: int = 2) -> FifoQueue:
    queue = FifoQueue(FifoQueueConfig(size=size))
    queue.allocate(cases, width)
    return queue


def push(queue: FifoQueue, *cases: int) -> None:
    """Rows that tell whose they are."""
    rows = torch.tensor([[float(case), 1.0] for case in cases])
    queue.push(torch.tensor(cases), rows)


def content(queue: FifoQueue) -> list[int]:
    cases, rows = queue.read()
    assert torch.equal(rows[cases >= 0][:, 0], cases[cases >= 0].float())
    return sorted(cases[cases >= 0].tolist())


@pytest.mark.parametrize("size", [2, 5, 4096])
def test_the_queue_keeps_the_promises_of_its_kind(size) -> None:
    check_memory_queue(FifoQueue(FifoQueueConfig(size=size)))


def test_the_oldest_make_room_whatever_the_sizes_of_batches() -> None:
    queue = queue_of(5)
    assert content(queue) == []
    push(queue, 1, 2, 3)
    assert content(queue) == [1, 2, 3]
    push(queue, 4, 5, 6)
    assert content(queue) == [2, 3, 4, 5, 6]
    push(queue, 7)
    assert content(queue) == [3, 4, 5, 6, 7]
    push(queue, *range(10, 19))
    assert content(queue) == [14, 15, 16, 17, 18]
    push(queue, 20, 21)
    assert content(queue) == [16, 17, 18, 20, 21]


def test_a_case_may_stand_in_it_twice_and_never_counts_for_itself() -> None:
    queue = queue_of(4)
    push(queue, 3, 8, 3)
    products = queue.similarities(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([3, 8]))
    assert sorted(products[0].tolist()) == [-torch.inf, -torch.inf, -torch.inf, 8.0]
    assert sorted(products[1].tolist()) == [-torch.inf, -torch.inf, 3.0, 3.0]


def test_of_fewer_cases_than_places_there_is_one_place_a_case() -> None:
    assert queue_of(4096, cases=30).capacity == 30
    assert queue_of(16, cases=30).capacity == 16


def test_rows_of_another_width_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"expects embeddings of shape \(1, 2\) and got \(1, 3\)"):
        queue_of(4).push(torch.tensor([0]), torch.ones(1, 3))
