"""What rdfc relies on in a `MemoryStore`."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from rdfc_core.contract.promises import require_kind
from rdfc_core.testing.assertions import conformance

if TYPE_CHECKING:
    from rdfc_core.interfaces import MemoryStore


@conformance
def check_memory_store(store: MemoryStore) -> None:
    """Check a memory on twelve cases, and that it keeps single precision.

    Args:
        store: Built, and not allocated yet.

    Raises:
        AssertionError: If a row is lost or touched by another case's update, negatives hold the
            own case or are not drawn from all others, randomness comes from anywhere but the
            generator, the content is not saved, or rows lose digits in a precision of runs.
    """
    from rdfc_core.contract.memories import require_memory
    from rdfc_core.interfaces import MemoryStore
    from rdfc_core.testing.precision import require_exact_memory

    require_kind(store, MemoryStore)
    fresh = deepcopy(store)
    require_memory(store)
    require_exact_memory(fresh)
