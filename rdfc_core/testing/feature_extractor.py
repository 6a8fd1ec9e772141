"""What rdfc relies on in a `FeatureExtractor`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rdfc_core.contract.arrays import require_missing, same
from rdfc_core.contract.features import left_as_given, measured, require_names
from rdfc_core.contract.global_state import left_alone
from rdfc_core.contract.promises import require, require_kind, require_recipe, through_pickle
from rdfc_core.errors import RdfcError
from rdfc_core.testing.assertions import conformance
from rdfc_core.testing.recipe_options import check_options_in_recipe
from rdfc_core.testing.tumours import example_tumours

if TYPE_CHECKING:
    from rdfc_core.case import Tumour
    from rdfc_core.interfaces import FeatureExtractor, Features


@conformance
def check_feature_extractor(extractor: FeatureExtractor, ndims: Sequence[int] = (2, 3)) -> None:
    """Check an extractor on small generated tumours.

    Args:
        extractor: Built.
        ndims: The numbers of axes that it is meant for: 2 pictures, 3 volumes.

    Raises:
        AssertionError: If names and values do not fit, values depend on anything but the tumour
            (earlier cases, the process, the array's type), an option changes them and not the
            recipe (those that it keeps as ``config`` are changed one by one), a NaN has no reason,
            or what cannot be measured raises anything but `RdfcError`.
    """
    from rdfc_core.interfaces import FeatureExtractor

    who = require_kind(extractor, FeatureExtractor)
    copy = through_pickle(extractor, who)
    require_recipe(extractor.recipe(), copy.recipe(), who)
    for ndim in ndims:
        _check_names(extractor, ndim, who)
        first, second, third = example_tumours(ndim, count=3)
        found = _extract(extractor, first, who)
        other = _extract(extractor, second, who)
        require(
            not same(found.values, other.values),
            f"{who} gave the same {ndim}D features for two different tumours; measure them.",
        )
        _require_same(found, _extract(extractor, first, who), extractor, ndim, "the second time")
        _extract(copy, third, who)
        _require_same(
            found, _extract(copy, first, who), extractor, ndim, "in a worker, after another case"
        )
        _check_type_of_array(extractor, first, found, who)
        _check_single_voxel(extractor, first, who)
        extractor.check(first)
        check_options_in_recipe(copy, partial(_values, tumour=first), who)


def _values(extractor: FeatureExtractor, tumour: Tumour) -> NDArray[np.float64]:
    return np.asarray(extractor.extract(tumour).values)


def _check_names(extractor: FeatureExtractor, ndim: int, who: str) -> None:
    names = extractor.names(ndim)
    require_names(names, ndim, who)
    require(names == extractor.names(ndim), f"{who}.names({ndim}) changed between calls.")


def _extract(extractor: FeatureExtractor, tumour: Tumour, who: str) -> Features:
    with left_as_given(tumour, f"{who}.extract()"), left_alone(f"{who}.extract()"):
        names, features = measured(extractor, tumour, tumour.ndim)
    require_missing(features.values, names, features.missing, who)
    return features


def _require_same(
    one: Features, other: Features, extractor: FeatureExtractor, ndim: int, how: str
) -> None:
    for name, a, b in zip(extractor.names(ndim), one.values, other.values, strict=True):
        require(
            a == b or (np.isnan(a) and np.isnan(b)),
            f"{type(extractor).__name__}: feature {name} was {a} and {how} {b}; values are stored "
            "and reused, so make them depend on the tumour and the options only.",
        )


def _check_type_of_array(
    extractor: FeatureExtractor, tumour: Tumour, found: Features, who: str
) -> None:
    """Integer images overflow in silence where float images do not."""
    as_float = replace(tumour.image, array=tumour.image.array.astype(np.float64))
    other = _extract(extractor, replace(tumour, image=as_float), who)
    for name, a, b in zip(extractor.names(tumour.ndim), found.values, other.values, strict=True):
        require(
            np.isclose(a, b, rtol=1e-4, atol=1e-9, equal_nan=True),
            f"{who}: feature {name} is {a} on an image of type {tumour.image.array.dtype} and {b} "
            "on the same image as float64; convert images to float64 first.",
        )


def _check_single_voxel(extractor: FeatureExtractor, tumour: Tumour, who: str) -> None:
    mask = np.zeros_like(tumour.mask)
    mask[tuple(n // 2 for n in mask.shape)] = True
    single = replace(tumour, mask=mask)
    try:
        _extract(extractor, single, who)
    except RdfcError as refusal:  # by a sentence: as good as features
        _require_refusal(extractor, single, str(refusal), who)
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(
            f"{who} raised {type(error).__name__} ({error}) for a tumour of one voxel; give NaN "
            "with reasons, or raise DataError with what to do."
        ) from error


def _require_refusal(extractor: FeatureExtractor, tumour: Tumour, refusal: str, who: str) -> None:
    try:
        extractor.check(tumour)
    except RdfcError as error:
        require(
            str(error) == refusal,
            f"{who}.check() refuses a tumour otherwise than extract() does: {error!s} ({refusal})",
        )
    else:
        require(False, f"{who}.check() has nothing against a tumour that extract() refuses.")
