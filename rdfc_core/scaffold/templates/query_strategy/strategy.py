"""Cases that lie close to many others, each of another patient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rdfc_core.interfaces import Query, QueryPool, QueryStrategy

from .config import ExampleConfig


class Example(QueryStrategy):
    """The densest candidates first; a patient comes twice when every patient has come once."""

    def __init__(self, config: ExampleConfig) -> None:
        self.config = config

    def choose(
        self, pool: QueryPool, budget: int, generator: np.random.Generator
    ) -> Sequence[Query]:
        """Rank by the mean cosine to the nearest neighbours; ties by the generator."""
        near = min(self.config.neighbours, len(pool))
        cosines = pool.embeddings @ pool.embeddings.T
        density = np.sort(cosines, axis=1)[:, -near:].mean(axis=1)
        order = np.lexsort((generator.random(len(pool)), -density))
        times: dict[str, int] = {}
        ranked: list[tuple[int, int, int]] = []
        for place in order.tolist():
            patient = pool.patients[place]
            times[patient] = times.get(patient, 0) + 1
            ranked.append((times[patient], len(ranked), place))
        return [
            Query(place, f"close to its {near} nearest neighbours", float(density[place]))
            for _, _, place in sorted(ranked)[:budget]
        ]
