"""What rdfc relies on in a `QueryStrategy`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdfc_core.contract.promises import require_kind
from rdfc_core.testing.assertions import conformance

if TYPE_CHECKING:
    from rdfc_core.interfaces import QueryPool, QueryStrategy


@conformance
def check_query_strategy(strategy: QueryStrategy, pool: QueryPool | None = None) -> None:
    """Check a query strategy on made-up candidates: with labels, without, and all alike.

    Args:
        strategy: Built.
        pool: To be chosen from in place of made-up candidates; with labels of two classes.

    Raises:
        AssertionError: If it gives anything but different candidates with reasons, chooses others
            for the same generator, changes what it is given, depends on what it chose before, or
            leaves the process otherwise than it was.
    """
    from rdfc_core.contract.query_strategies import example_pool, require_query_strategy
    from rdfc_core.interfaces import QueryStrategy

    require_kind(strategy, QueryStrategy)
    require_query_strategy(strategy, pool or example_pool())
