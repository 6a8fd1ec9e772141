"""What rdfc relies on in a `View`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rdfc_core.errors import DataError
from rdfc_core.testing.assertions import (
    conformance,
    expect_error,
    require,
    require_kind,
    require_missing,
    require_recipe,
    same,
    through_pickle,
)
from rdfc_core.testing.tumours import example_tumours

if TYPE_CHECKING:
    from torch import Tensor

    from rdfc_core.case import Tumour
    from rdfc_core.interfaces import Prepared, Tower, View


@conformance
def check_view(view: View, ndim: int = 2) -> None:
    """Check a view through its whole life on small generated tumours.

    Args:
        view: Built, and not fitted yet.
        ndim: Axes of the tumours: 2 pictures, 3 volumes.

    Raises:
        AssertionError: If what is prepared depends on anything but the tumour, fitting remembers
            other cases than the given ones, the state does not hold what was learnt, augmentation
            draws from anywhere but its generator, or the tower breaks a network's promises.
    """
    from rdfc_core.interfaces import View
    from rdfc_core.testing.networks import check_layer_groups, check_network

    who = require_kind(view, View)
    fresh, worker = through_pickle(view, who), through_pickle(view, who)
    require_recipe(view.recipe(), worker.recipe(), who)
    tumours = example_tumours(ndim, count=8)
    prepared = [_prepare(view, tumour, who) for tumour in tumours]
    _check_prepare(view, worker, tumours[0], prepared, who)
    _check_fit(view, fresh, prepared, who)
    require(
        same(prepared[0].array, view.prepare(tumours[0]).array),
        f"{who}.prepare() gives another result once the view is fitted; results are stored "
        "before, so make them independent of it.",
    )
    require(
        view.accepts(ndim),
        f"{who}.accepts({ndim}) has to be true of a view that was fitted on such tumours.",
    )
    batch = _check_collate(view, prepared, who)
    _check_state(view, through_pickle(worker, who), prepared, batch, who)
    _check_augment(view, batch, who)
    tower = _check_tower(view, batch, who)
    check_network(view.tower, batch, f"The tower of {who}")
    check_layer_groups(tower.layer_groups(), tower, f"The layer groups of the tower of {who}")


def _prepare(view: View, tumour: Tumour, who: str) -> Prepared:
    from rdfc_core.interfaces import Prepared

    image, mask = tumour.image.array.copy(), tumour.mask.copy()
    prepared = view.prepare(tumour)
    require(isinstance(prepared, Prepared), f"{who}.prepare() has to return Prepared.")
    require(
        same(image, tumour.image.array) and same(mask, tumour.mask),
        f"{who}.prepare() changed the tumour it was given; work on a copy.",
    )
    array, names = prepared.array, prepared.names
    require(
        isinstance(array, np.ndarray) and array.dtype.kind in "biuf" and array.size > 0,
        f"{who}.prepare() has to give a non-empty array of numbers.",
    )
    if names:
        require(
            array.shape == (len(names),) and len(set(names)) == len(names),
            f"{who}.prepare() gave {len(set(names))} different names for an array of shape "
            f"{array.shape}; name each entry once.",
        )
        require_missing(array, names, prepared.missing, who)
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
    state = view.state()
    require(
        isinstance(state, dict) and all(isinstance(v, np.ndarray) for v in state.values()),
        f"{who}.state() has to be a dict of numpy arrays.",
    )
    for key, value in state.items():
        require(
            isinstance(key, str) and value.dtype.kind in "biuf",
            f"{who}.state()[{key!r}] is of type {value.dtype}; keep plain numbers, which are "
            "saved without pickle.",
        )
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


def _check_collate(view: View, prepared: Sequence[Prepared], who: str) -> Tensor:
    import torch

    batch = view.collate(prepared)
    require(
        isinstance(batch, torch.Tensor) and len(batch) == len(prepared),
        f"{who}.collate() has to give a tensor with one row for each of {len(prepared)} cases.",
    )
    require(
        batch.device.type == "cpu" and batch.dtype == torch.float32,
        f"{who}.collate() gave {batch.dtype} on {batch.device}; give float32 on the CPU.",
    )
    require(torch.isfinite(batch).all(), f"{who}.collate() left NaN or infinite values; fill them.")
    require(
        torch.allclose(batch[1:2], view.collate(prepared[1:2]), rtol=1e-5, atol=1e-6),
        f"{who}.collate() gave a case another row alone than among others; fit learns from many "
        "cases, collate must not.",
    )
    return batch


def _check_state(
    view: View, blank: View, prepared: Sequence[Prepared], batch: Tensor, who: str
) -> None:
    import torch

    blank.load_state({key: value.copy() for key, value in view.state().items()})
    require(
        torch.equal(blank.collate(prepared), batch),
        f"{who}: a new view with the same state collates differently; put all that fit learns "
        "into state().",
    )
    shapes = [[p.shape for p in one.tower().parameters()] for one in (view, blank)]
    require(
        shapes[0] == shapes[1],
        f"{who}: a new view with the same state makes another tower; let the tower depend on "
        "options and state only.",
    )


def _check_augment(view: View, batch: Tensor, who: str) -> None:
    import torch

    before, everywhere = batch.clone(), torch.get_rng_state()
    one = view.augment(batch, torch.Generator().manual_seed(0))
    require(
        torch.equal(torch.get_rng_state(), everywhere),
        f"{who}.augment() draws from torch's global generator; use the one that is given.",
    )
    require(torch.equal(batch, before), f"{who}.augment() changed the batch; return a new one.")
    require(
        one.shape == batch.shape and one.dtype == batch.dtype and one.device == batch.device,
        f"{who}.augment() made {tuple(one.shape)} {one.dtype} of {tuple(batch.shape)} "
        f"{batch.dtype}; keep shape, type and device.",
    )
    require(torch.isfinite(one).all(), f"{who}.augment() made NaN or infinite values.")
    again = view.augment(batch, torch.Generator().manual_seed(0))
    require(
        torch.equal(one, again),
        f"{who}.augment() gave another result for the same generator; draw all randomness from it.",
    )


def _check_tower(view: View, batch: Tensor, who: str) -> Tower:
    import torch

    from rdfc_core.interfaces import Tower

    tower = view.tower()
    require(isinstance(tower, Tower), f"{who}.tower() has to be a Tower.")
    with torch.no_grad():
        shape = tuple(tower.eval()(batch).shape)
    claimed = getattr(tower, "out_features", None)
    require(
        shape == (len(batch), claimed),
        f"The tower of {who} has out_features {claimed} and gave {shape} for {len(batch)} cases; "
        f"give ({len(batch)}, out_features).",
    )
    return tower
