"""Random draws: what every query strategy has to beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rdfc_core.interfaces.query_strategy import Query, QueryPool, QueryStrategy
from rdfc_core.plugin.component import NoOptions


class RandomQueries(QueryStrategy):
    """Every candidate is as likely as any other."""

    def __init__(self, config: NoOptions) -> None:
        self.config = config

    def choose(
        self, pool: QueryPool, budget: int, generator: np.random.Generator
    ) -> Sequence[Query]:
        """Draw without replacement."""
        places = generator.permutation(len(pool))[:budget]
        return [Query(place, "drawn at random") for place in places.tolist()]
