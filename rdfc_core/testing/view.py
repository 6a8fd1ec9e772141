"""What rdfc relies on in a `View`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

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
    from numpy.typing import NDArray
    from torch import Tensor

    from rdfc_core.case import Case, Needs, Tumour
    from rdfc_core.interfaces import Prepared, Tower, View
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
        AssertionError: If what is prepared depends on anything but the tumour, fitting remembers
            other cases than the given ones, the state does not hold what was learnt, augmentation
            draws from anywhere but its generator, or the tower breaks a network's promises.
    """
    from rdfc_core.interfaces import View
    from rdfc_core.testing.networks import check_layer_groups, check_network

    who = require_kind(view, View)
    fresh, worker = through_pickle(view, who), through_pickle(view, who)
    require_recipe(view.recipe(), worker.recipe(), who)
    seen = _tumours(view, ndim, tumours, who)
    prepared = [_prepare(view, tumour, who) for tumour in seen]
    _check_prepare(view, worker, seen[0], prepared, who)
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
    batch = _check_collate(view, prepared, who)
    _check_state(view, through_pickle(worker, who), prepared, batch, who)
    _check_augment(view, batch, who)
    tower = _check_tower(view, batch, who)
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


def _arrays(tumour: Tumour, needs: Needs) -> list[NDArray[Any]]:
    """What a view may change of a tumour and must not."""
    if needs.images == ():
        return []
    own = [tumour, *tumour.images.values()]
    return [array for one in own for array in (one.image.array, one.mask)]


def _prepare(view: View, tumour: Tumour, who: str) -> Prepared:
    from rdfc_core.interfaces import Prepared

    before = [array.copy() for array in _arrays(tumour, view.needs)]
    columns = dict(tumour.columns)
    prepared = view.prepare(tumour)
    require(isinstance(prepared, Prepared), f"{who}.prepare() has to return Prepared.")
    require(
        all(map(same, before, _arrays(tumour, view.needs))) and columns == dict(tumour.columns),
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


def _check_collate(view: View, prepared: Sequence[Prepared], who: str) -> Collated:
    import torch

    from rdfc_core.interfaces.collated import alike, rows, tensors

    batch = view.collate(prepared)
    require(
        isinstance(batch, torch.Tensor) or (isinstance(batch, Mapping) and batch),
        f"{who}.collate() has to give a tensor, or a mapping of tensors.",
    )
    whole = (torch.int64, torch.bool) if isinstance(batch, Mapping) else ()
    for one in tensors(batch):
        require(
            isinstance(one, torch.Tensor) and len(one) == len(prepared),
            f"{who}.collate() has to give a tensor with one row for each of {len(prepared)} cases.",
        )
        require(
            one.device.type == "cpu" and one.dtype in (torch.float32, *whole),
            f"{who}.collate() gave {one.dtype} on {one.device}; give float32 on the CPU (in a "
            "mapping also int64 and bool).",
        )
        require(
            torch.isfinite(one).all(), f"{who}.collate() left NaN or infinite values; fill them."
        )

    def close(one: Tensor, other: Tensor) -> bool:
        return one.shape == other.shape and torch.allclose(one, other, rtol=1e-5, atol=1e-6)

    require(
        alike(rows(batch, slice(1, 2)), view.collate(prepared[1:2]), close),
        f"{who}.collate() gave a case another row alone than among others; fit learns from many "
        "cases, collate must not.",
    )
    return batch


def _check_state(
    view: View, blank: View, prepared: Sequence[Prepared], batch: Collated, who: str
) -> None:
    from rdfc_core.interfaces.collated import alike

    blank.load_state({key: value.copy() for key, value in view.state().items()})
    require(
        alike(blank.collate(prepared), batch),
        f"{who}: a new view with the same state collates differently; put all that fit learns "
        "into state().",
    )
    shapes = [[p.shape for p in one.tower().parameters()] for one in (view, blank)]
    require(
        shapes[0] == shapes[1],
        f"{who}: a new view with the same state makes another tower; let the tower depend on "
        "options and state only.",
    )


def _check_augment(view: View, batch: Collated, who: str) -> None:
    import torch

    from rdfc_core.interfaces.collated import alike, each, tensors

    def as_before(one: Tensor, other: Tensor) -> bool:
        return (one.shape, one.dtype, one.device) == (other.shape, other.dtype, other.device)

    before, everywhere = each(batch, torch.clone), torch.get_rng_state()
    one = view.augment(batch, torch.Generator().manual_seed(0))
    require(
        torch.equal(torch.get_rng_state(), everywhere),
        f"{who}.augment() draws from torch's global generator; use the one that is given.",
    )
    require(alike(batch, before), f"{who}.augment() changed the batch; return a new one.")
    require(
        alike(one, batch, as_before),
        f"{who}.augment() made {_described(one)} of {_described(batch)}; keep shape, type and "
        "device.",
    )
    for part in tensors(one):
        require(torch.isfinite(part).all(), f"{who}.augment() made NaN or infinite values.")
    again = view.augment(batch, torch.Generator().manual_seed(0))
    require(
        alike(one, again),
        f"{who}.augment() gave another result for the same generator; draw all randomness from it.",
    )


def _described(batch: Collated) -> str:
    """Shape and type of each tensor."""
    from rdfc_core.interfaces.collated import tensors

    return ", ".join(f"{tuple(one.shape)} {one.dtype}" for one in tensors(batch))


def _check_tower(view: View, batch: Collated, who: str) -> Tower:
    import torch

    from rdfc_core.interfaces import Tower
    from rdfc_core.interfaces.collated import count

    tower = view.tower()
    require(isinstance(tower, Tower), f"{who}.tower() has to be a Tower.")
    with torch.no_grad():
        shape = tuple(tower.eval()(batch).shape)
    claimed = getattr(tower, "out_features", None)
    require(
        shape == (count(batch), claimed),
        f"The tower of {who} has out_features {claimed} and gave {shape} for {count(batch)} cases; "
        f"give ({count(batch)}, out_features).",
    )
    return tower
