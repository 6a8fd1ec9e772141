"""What rdfc relies on in a `MemoryQueue`."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from rdfc_core.contract.promises import require_kind
from rdfc_core.testing.assertions import conformance

if TYPE_CHECKING:
    from rdfc_core.interfaces import MemoryQueue


@conformance
def check_memory_queue(queue: MemoryQueue) -> None:
    """Check a queue on twelve cases, and that it keeps single precision.

    Args:
        queue: Built, and not allocated yet.

    Raises:
        AssertionError: If rows are lost, belong to another case or leave before older ones, a case
            is contrasted with itself, the content is not saved, or rows lose digits in a precision
            of runs.
    """
    from rdfc_core.contract.queues import require_queue
    from rdfc_core.interfaces import MemoryQueue
    from rdfc_core.testing.precision import require_exact_queue

    require_kind(queue, MemoryQueue)
    fresh = deepcopy(queue)
    require_queue(queue)
    require_exact_queue(fresh)
