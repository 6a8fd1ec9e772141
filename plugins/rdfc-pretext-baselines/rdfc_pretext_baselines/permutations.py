"""Orders of nine tiles that are as different from each other as can be."""

from __future__ import annotations

from functools import cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

TILES = 9


@cache
def distant_permutations(count: int) -> NDArray[np.uint8]:
    """Permutations of nine tiles, chosen one by one to be far from those chosen before.

    The first is the identity. Each next one has the largest smallest Hamming distance to the
    chosen; of several, the largest mean distance; of several still, the first in the order of the
    alphabet. So the set of a smaller ``count`` is the beginning of a larger one's.

    Returns:
        (count, 9), not to be written to; row: the tile at each place.

    Source: Noroozi & Favaro 2016, Alg. 1, where the mean distance alone decides.
    """
    candidates = np.array(list(permutations(range(TILES))), np.uint8).T.copy()  # (9, 9!)
    nearest = np.full(candidates.shape[1], TILES, np.int64)
    total = np.zeros_like(nearest)
    chosen = [0]
    while len(chosen) < count:
        distance = (candidates != candidates[:, chosen[-1], None]).sum(axis=0)
        nearest = np.minimum(nearest, distance)
        total += distance
        # One number that orders by both: a sum of distances is below (9 + 1) × count.
        chosen.append(int(np.argmax(nearest * (TILES + 1) * count + total)))
    found = candidates[:, chosen].T.copy()
    found.setflags(write=False)
    return found
