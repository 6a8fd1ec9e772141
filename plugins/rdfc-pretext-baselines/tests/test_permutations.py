"""The set of orders: the right number, all different, far from each other."""

from math import comb

import numpy as np
import pytest

from rdfc_pretext_baselines.permutations import TILES, distant_permutations


def distances(orders):
    """Of all pairs."""
    first, second = np.triu_indices(len(orders), 1)
    return (orders[first] != orders[second]).sum(axis=1)


@pytest.mark.parametrize(
    ("count", "nearest"),
    # At most 9 permutations differ in every place (a Latin square), and at most 72 in eight.
    [(2, 9), (9, 9), (10, 8), (30, 7), (100, 6)],
)
def test_there_are_as_many_as_asked_for_and_they_keep_their_distance(count, nearest) -> None:
    orders = distant_permutations(count)
    assert orders.shape == (count, TILES)
    assert (np.sort(orders, axis=1) == np.arange(TILES)).all()
    assert len({tuple(order) for order in orders.tolist()}) == count
    found = distances(orders)
    assert len(found) == comb(count, 2)
    assert found.min() == nearest


def test_they_are_farther_apart_than_orders_drawn_at_random() -> None:
    rng = np.random.default_rng(0)
    drawn = np.stack([rng.permutation(TILES) for _ in range(100)])
    chosen = distances(distant_permutations(100))
    assert chosen.mean() > 8.05 > distances(drawn).mean()  # on average 8 places differ by chance
    assert chosen.min() > distances(drawn).min()


def test_each_one_is_the_best_that_was_left() -> None:
    """Alg. 1 by hand for the sixth: no permutation is farther from the first five."""
    orders = distant_permutations(6)
    rng = np.random.default_rng(1)
    others = np.stack([rng.permutation(TILES) for _ in range(20_000)])

    def worth(candidates):
        d = (candidates[:, None] != orders[None, :5]).sum(axis=2)
        return d.min(axis=1) * 1000 + d.sum(axis=1)

    assert worth(orders[5:])[0] >= worth(others).max()


def test_a_smaller_set_is_the_beginning_of_a_larger_one() -> None:
    assert (distant_permutations(100)[:30] == distant_permutations(30)).all()
    assert (distant_permutations(30)[0] == np.arange(TILES)).all()


def test_nobody_can_change_the_set_that_all_share() -> None:
    with pytest.raises(ValueError, match="read-only"):
        distant_permutations(30)[0, 0] = 1
