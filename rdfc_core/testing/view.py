"""What rdfc relies on in a `View`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rdfc_core.contract.arrays import same
from rdfc_core.contract.features import left_as_given, require_prepared
from rdfc_core.contract.global_state import left_alone
from rdfc_core.contract.promises import (
    expect_error,
    require,
    require_kind,
    require_recipe,
    through_pickle,
)
from rdfc_core.errors import DataError
from rdfc_core.testing.assertions import conformance
from rdfc_core.testing.recipe_options import check_options_in_recipe
from rdfc_core.testing.tumours import example_tumours

if TYPE_CHECKING:
    from torch import Tensor

    from rdfc_core.case import Case, Tumour
    from rdfc_core.interfaces import Prepared, View
    from rdfc_core.interfaces.collated import Collated


FEWEST = 6
"""Tumours: a view is fitted on four of them, and on the others."""


@conformance
def check_view(view: View, ndim: int = 2, tumours: Sequence[Tumour | Case] | None = None) -> None:
    """Check a view through its whole life on small generated tumours, or on tumours of your own.

    Args:
        view: Built, and not fitted yet.
        ndim: Axes of the tumours: 2 pictures, 3 volumes.
        tumours: At least six that differ, for a view that generated ones do not suit (columns with
            words, masks of several parts); cases are loaded as the view needs them. None: images
            and columns are generated as the view needs them.

    Raises:
        AssertionError: If what is prepared depends on anything but the tumour and the recipe (the
            options that the view keeps as ``config`` are changed one by one), fitting remembers
            other cases than the given ones, the state does not hold what was learnt, augmentation
            draws from anywhere but its generator, or the tower breaks a network's promises.
    """
    from rdfc_core.contract.views import (
        require_round_trip,
        require_same_towers,
        require_tower,
        require_variation,
    )
    from rdfc_core.interfaces import View
    from rdfc_core.testing.networks import check_layer_groups, check_network

    who = require_kind(view, View)
    fresh, worker = through_pickle(view, who), through_pickle(view, who)
    require_recipe(view.recipe(), worker.recipe(), who)
    seen = _tumours(view, ndim, tumours, who)
    prepared = [_prepare(view, tumour, who) for tumour in seen]
    _check_prepare(view, worker, seen[0], prepared, who)
    check_options_in_recipe(worker, lambda one: np.asarray(one.prepare(seen[0]).array), who)
    _check_fit(view, fresh, prepared, who)
    require(
        same(prepared[0].array, view.prepare(seen[0]).array),
        f"{who}.prepare() gives another result once the view is fitted; results are stored "
        "before, so make them independent of it.",
    )
    require(
        view.accepts(ndim),
        f"{who}.accepts({ndim}) has to be true of a view that was fitted on such tumours.",
    )
    blank = through_pickle(worker, who)
    batch = require_round_trip(view, blank, prepared, who)
    _check_collate(view, prepared, batch, who)
    require_same_towers(view, blank, who)
    require_variation(view, batch, who)
    tower = require_tower(view, batch, who)
    check_network(view.tower, batch, f"The tower of {who}")
    check_layer_groups(tower.layer_groups(), tower, f"The layer groups of the tower of {who}")


def _tumours(
    view: View, ndim: int, given: Sequence[Tumour | Case] | None, who: str
) -> list[Tumour]:
    from rdfc_core.case import Case, Needs

    require(isinstance(view.needs, Needs), f"{who}.needs has to be Needs, not {view.needs!r}.")
    if given is None:
        return example_tumours(ndim, 8, view.needs)
    require(len(given) >= FEWEST, f"check_view: give at least {FEWEST} tumours, not {len(given)}.")
    return [one.load(view.needs) if isinstance(one, Case) else one for one in given]


def _prepare(view: View, tumour: Tumour, who: str) -> Prepared:
    with left_as_given(tumour, f"{who}.prepare()"), left_alone(f"{who}.prepare()"):
        prepared = view.prepare(tumour)
    require_prepared(prepared, who)
    return prepared


def _check_prepare(
    view: View, worker: View, tumour: Tumour, prepared: Sequence[Prepared], who: str
) -> None:
    require(
        not same(prepared[0].array, prepared[1].array),
        f"{who}.prepare() gave the same for two different tumours; let it depend on them.",
    )
    for other, how in ((view, "after other cases"), (worker, "in a worker process")):
        require(
            same(prepared[0].array, _prepare(other, tumour, who).array),
            f"{who}.prepare() gave another result {how}; results are stored, so make them depend "
            "on the tumour and the options only.",
        )


def _check_fit(view: View, fresh: View, prepared: Sequence[Prepared], who: str) -> None:
    """Fitted on some cases and then on others, it is as if it had seen only the others."""
    with expect_error(DataError, f"{who}.fit([])"):
        fresh.fit([])
    view.fit(prepared[:4])
    view.fit(prepared[4:])
    fresh.fit(prepared[4:])
    from rdfc_core.contract.views import require_state

    state = view.state()
    require_state(state, who)
    for key, value in state.items():
        require(
            key in fresh.state() and same(value, fresh.state()[key]),
            f"{who}.fit() remembers earlier cases in {key!r}; learn from the given cases only.",
        )
    view.fit(prepared)
    fresh.fit(list(reversed(prepared)))
    for key, value in view.state().items():
        other = fresh.state()[key]
        require(
            value.shape == other.shape
            and np.allclose(value, other, rtol=1e-6, atol=1e-9, equal_nan=True),
            f"{who}.fit() learnt another {key!r} from the same cases in another order; make it "
            "independent of their order.",
        )


def _check_collate(view: View, prepared: Sequence[Prepared], batch: Collated, who: str) -> None:
    import torch

    from rdfc_core.interfaces.collated import alike, rows

    def close(one: Tensor, other: Tensor) -> bool:
        return one.shape == other.shape and torch.allclose(one, other, rtol=1e-5, atol=1e-6)

    require(
        alike(rows(batch, slice(1, 2)), view.collate(prepared[1:2]), close),
        f"{who}.collate() gave a case another row alone than among others; fit learns from many "
        "cases, collate must not.",
    )
