"""Promises of what looks at one case: feature extractors, and views as they prepare. No torch."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Tumour
from rdfc_core.contract.arrays import require_missing, same
from rdfc_core.contract.promises import require
from rdfc_core.errors import with_article
from rdfc_core.interfaces.feature_extractor import FeatureExtractor, Features
from rdfc_core.interfaces.prepared import Prepared

MANY = 10
"""Numbers that cannot be equal in two different tumours by chance."""
ENOUGH = 8
"""Different tumours that cannot be equal in any number of a sound view by chance."""


def require_names(names: Any, ndim: int, who: str) -> None:
    """An extractor names its features: different strings, in a tuple."""
    require(
        isinstance(names, tuple) and names and all(isinstance(n, str) and n for n in names),
        f"{who}.names({ndim}) has to be a non-empty tuple of strings.",
    )
    require(len(set(names)) == len(names), f"{who}.names({ndim}) names a feature twice.")


def require_features(features: Any, names: Sequence[str], who: str) -> None:
    """An extractor gives one float64 number a name."""
    require(
        isinstance(features, Features),
        f"{who}.extract() gave {type(features).__name__} and has to give Features.",
    )
    values = features.values
    require(
        isinstance(values, np.ndarray)
        and values.shape == (len(names),)
        and values.dtype == np.float64,
        f"{who}.extract() gave {_described(values)} for {len(names)} names; give float64, "
        f"({len(names)},).",
    )


def measured(
    extractor: FeatureExtractor, tumour: Tumour, ndim: int
) -> tuple[tuple[str, ...], Features]:
    """The names and features of a tumour, once they are known to fit together.

    Args:
        extractor: Measures.
        tumour: What it asked for.
        ndim: Axes of its images.

    Raises:
        ContractError: If they do not.
        DataError: If the tumour cannot be measured.
    """
    who = type(extractor).__name__
    names = extractor.names(ndim)
    require_names(names, ndim, who)
    features = extractor.extract(tumour)
    require_features(features, names, who)
    return names, features


def require_prepared(prepared: Any, who: str) -> None:
    """A view makes of a case an array of numbers, or a named row of them."""
    require(
        isinstance(prepared, Prepared),
        f"{who}.prepare() gave {type(prepared).__name__} and has to return Prepared.",
    )
    array, names = prepared.array, prepared.names
    require(
        isinstance(array, np.ndarray) and array.dtype.kind in "biuf" and array.size > 0,
        f"{who}.prepare() gave {_described(array)}; it has to give a non-empty array of numbers.",
    )
    if names:
        require(
            array.shape == (len(names),) and len(set(names)) == len(names),
            f"{who}.prepare() gave {len(set(names))} different names for an array of shape "
            f"{array.shape}; name each entry once.",
        )
        require_missing(array, names, prepared.missing, who)
    elif array.dtype.kind == "f":
        require(
            np.isfinite(array).all(),
            f"{who}.prepare() gave NaN or infinite values; NaN is for named features alone.",
        )


def require_different(prepared: Sequence[Prepared], who: str) -> None:
    """Tumours of different content do not look all the same.

    Few numbers may do so by chance, or where they count something: they are judged by more cases.

    Args:
        prepared: What was made of N tumours, no two of which have the same content.
        who: What made it.
    """
    if len(prepared) < 2:
        return
    first = prepared[0].array
    enough = first.size >= MANY or len(prepared) >= ENOUGH
    if enough and all(same(first, one.array) for one in prepared[1:]):
        count = "two" if len(prepared) == 2 else f"all {len(prepared)}"
        values = "value" if first.size == 1 else f"{first.size} values"
        require(
            False,
            f"{who}.prepare() gave the same {values} for {count} different tumours; let it depend "
            "on them.",
        )


@contextlib.contextmanager
def left_as_given(tumour: Tumour, what: str) -> Iterator[None]:
    """Check that a block does not change the tumour.

    Args:
        tumour: Is looked at before and after by checksums: a copy may not fit into the memory.
        what: What the block calls, such as ``MyView.prepare()``.

    Raises:
        ContractError: If it does.
    """
    before = [*map(_checksum, _arrays(tumour))], dict(tumour.columns)
    yield
    require(
        before == ([*map(_checksum, _arrays(tumour))], dict(tumour.columns)),
        f"{what} changed the tumour it was given; work on a copy.",
    )


def _arrays(tumour: Tumour) -> list[NDArray[Any]]:
    """Images and masks; none of a tumour of which columns alone were asked for."""
    own = [one for one in (tumour, *tumour.images.values()) if "image" in vars(one)]
    return [array for one in own for array in (one.image.array, one.mask)]


def _checksum(array: NDArray[Any]) -> int:
    """Of all values, a plane at a time: what is no block of memory is copied for it."""
    found = 0
    for plane in array:
        found = zlib.crc32(np.ascontiguousarray(plane).view(np.uint8).data, found)
    return found


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} values of shape {value.shape}"
    return with_article(type(value).__name__)
