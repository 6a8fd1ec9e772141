"""The feature extractor ``native``: PyRadiomics' features by rdfc's own engine.

Definitions: van Griethuysen et al. 2017, Cancer Research 77(21), and PyRadiomics' documentation.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Tumour, Volume, check_finite
from rdfc_core.errors import DataError, StudyError
from rdfc_core.interfaces import FeatureExtractor, Features
from rdfc_core.parameters import Parameters
from rdfc_features_native import checks
from rdfc_features_native.config import NativeConfig
from rdfc_features_native.features.shape import shape_features
from rdfc_features_native.features.shape2d import shape2d_features
from rdfc_features_native.images import SUPPORTED, filtered_images
from rdfc_features_native.preparation import Prepared, prepare, resegment, target_spacing_mm
from rdfc_features_native.region import Region, box_of, extents_of
from rdfc_features_native.texture import CLASSES, image_features

ENGINE = 1
"""Raised when the engine's values change."""


class NativeExtractor(FeatureExtractor):
    """Measures tumours with rdfc's own engine; names, order and values are PyRadiomics' own.

    Volumes are measured with their axial slices first, however the file stores its axes, unless
    the parameters state ``force2Ddimension``: then as stored.
    """

    def __init__(self, config: NativeConfig) -> None:
        """Read the parameters.

        Raises:
            StudyError: If they ask for what the engine does not have, or select a mask value,
                which is the data set's to select.
        """
        self.config = config
        self._by_ndim = config.by_ndim()
        self._names: dict[int, tuple[str, ...]] = {}
        for parameters in self._by_ndim.values():
            _check_supported(parameters)

    def names(self, ndim: int) -> tuple[str, ...]:
        """The names of the features of tumours with ``ndim`` axes, in PyRadiomics' order.

        Raises:
            StudyError: If the parameters do not fit tumours with so many axes.
        """
        parameters = self._by_ndim[ndim]
        absent = {"shape", "shape2D"} & set(parameters.feature_classes)
        absent -= set(parameters.shape_classes(ndim))
        if absent and not parameters.shape_classes(ndim):
            _warn_of_absent_shape(", ".join(sorted(absent)), ndim)
        if ndim not in self._names:
            self._names[ndim] = parameters.feature_names(ndim)
        return self._names[ndim]

    def extract(self, tumour: Tumour) -> Features:
        """The features of one tumour, (F,) float64.

        Raises:
            DataError: If image or mask cannot be measured.
            StudyError: If the parameters do not fit tumours with so many axes.
        """
        parameters = self._by_ndim[tumour.ndim]
        names = self.names(tumour.ndim)
        prepared, part = _prepare(tumour, parameters)
        reasons = checks.why_no_log(parameters, prepared)
        shapes = _shapes(prepared, part, parameters, reasons)
        images = _images(prepared, part, parameters, reasons)
        values = np.concatenate([*shapes, *images])
        return _named(names, values, checks.spread_over(names, reasons))

    def recipe(self) -> dict[str, Any]:
        """Version of the engine and full parameters; of both kinds of tumour if they differ."""
        pictures, volumes = (self._by_ndim[ndim].dump() for ndim in (2, 3))
        both = {"pictures": pictures, "volumes": volumes}
        return {
            "extractor": "native",
            "engine": ENGINE,
            "parameters": volumes if pictures == volumes else both,
        }


def _prepare(tumour: Tumour, parameters: Parameters) -> tuple[Prepared, NDArray[np.bool_]]:
    """The prepared tumour, and the part of its mask that is measured.

    Raises:
        DataError: If it cannot be measured, with the reason.
    """
    if tumour.mask.shape != tumour.image.array.shape:
        raise DataError(
            f"the mask has shape {tumour.mask.shape} and the image {tumour.image.array.shape}. "
            "Resample the mask onto the image's grid."
        )
    settings = parameters.settings
    check_finite(tumour.image)
    tumour = _with_slices_first(tumour, parameters)
    box = box_of(tumour.mask)
    if box is None:
        raise DataError("the mask is empty. Correct the mask, or drop the case.")
    unlimited = settings.model_copy(update={"minimum_roi_size": None})
    checks.check_mask(extents_of(box), 0, unlimited)
    checks.check_not_constant(tumour.image.array[box][tumour.mask[box]])
    target_mm = target_spacing_mm(tumour.image.spacing_mm, box, settings)
    checks.check_spline(tumour.mask.shape, target_mm, settings)

    prepared = prepare(tumour, settings)
    resampled = "after resampling" if settings.resampled_spacing_mm else ""
    voxels = int(prepared.mask[prepared.box].sum())
    checks.check_mask(extents_of(prepared.box), voxels, settings, resampled)
    part = resegment(prepared, settings)
    if part is not prepared.mask:
        extents = extents_of(box_of(part) or (slice(0, 0),) * part.ndim)
        checks.check_mask(extents, int(part.sum()), settings, "after resegmenting")
    window = prepared.box
    values = prepared.image[window][part[window]]
    if settings.normalize or target_mm is not None:
        checks.check_finite_part(prepared.image)
    checks.check_grey_levels(prepared, values, parameters)
    checks.check_not_constant(values)
    return prepared, part


def _shapes(
    prepared: Prepared,
    part: NDArray[np.bool_],
    parameters: Parameters,
    reasons: dict[str, str],
) -> Iterator[NDArray[np.float64]]:
    """The features of each shape class; ``reasons`` learns why one cannot be measured."""
    box = prepared.box if part is prepared.mask else (box_of(part) or prepared.box)
    # Without resegmentShape the whole mask is meant, in the box of the part that is left of it.
    mask = (part if parameters.settings.resegment_shape else prepared.mask)[box]
    spacing_mm = prepared.spacing_mm
    for name in parameters.shape_classes(mask.ndim):
        wanted = parameters.feature_classes[name]
        if name == "shape":
            measured = shape_features(mask, spacing_mm)
        elif mask.ndim == 2:
            measured = shape2d_features(mask, spacing_mm)
        else:
            axis = parameters.settings.force_2d_dimension or 0
            reason = checks.why_no_shape_2d(mask.shape, axis)
            if reason:
                reasons["original_shape2D"] = reason
                yield np.full(len(wanted), np.nan)
                continue
            kept = [mm for other, mm in enumerate(spacing_mm) if other != axis]
            measured = shape2d_features(mask.squeeze(axis), kept)
        yield np.array([measured[feature] for feature in wanted])


def _images(
    prepared: Prepared,
    part: NDArray[np.bool_],
    parameters: Parameters,
    reasons: dict[str, str],
) -> Iterator[NDArray[np.float64]]:
    """The features of each filtered image; NaN for an image that cannot be made."""
    classes = {
        name: wanted for name, wanted in parameters.feature_classes.items() if name in CLASSES
    }
    if not classes:
        return
    box = prepared.box if part is prepared.mask else (box_of(part) or prepared.box)
    region = Region(box, np.ascontiguousarray(part[box]), prepared.spacing_mm)
    for image_type in parameters.image_types:
        own = parameters.settings_of(image_type)
        names = parameters.image_names(image_type, prepared.image.ndim)
        if all(name in reasons for name in names):
            yield np.full(len(names) * sum(map(len, classes.values())), np.nan)
            continue
        for name, filtered in filtered_images(image_type, prepared, region, parameters):
            if name in reasons:
                yield np.full(sum(map(len, classes.values())), np.nan)
            else:
                yield image_features(region.values_of(filtered), region, own, classes)


def _named(
    names: tuple[str, ...], values: NDArray[np.float64], reasons: dict[str, str]
) -> Features:
    """Values with a reason for each that is missing."""
    missing = dict(reasons)
    for place in np.flatnonzero(~np.isfinite(values)):
        undefined = f"it is not defined for this tumour (the formula gives {values[place]})"
        missing.setdefault(names[place], undefined)
        values[place] = np.nan
    return Features(values, missing)


def _with_slices_first(tumour: Tumour, parameters: Parameters) -> Tumour:
    """The same tumour at the same place, its axial slices along the first axis unless stated."""
    stated = [parameters.settings, *parameters.image_types.values()]
    if tumour.ndim == 2 or any(own.force_2d_dimension is not None for own in stated):
        return tumour
    image = tumour.image
    order = [image.slice_axis, *(axis for axis in range(3) if axis != image.slice_axis)]
    if order == [0, 1, 2]:
        return tumour
    turned = Volume(
        array=image.array.transpose(order),
        spacing_mm=tuple(image.spacing_mm[axis] for axis in order),
        origin_mm=image.origin_mm,
        direction=image.direction[:, order],
    )
    return replace(tumour, image=turned, mask=tumour.mask.transpose(order))


def _check_supported(parameters: Parameters) -> None:
    settings = parameters.settings
    for key, given, usual in (
        ("label", settings.label, 1),
        ("label_channel", settings.label_channel, 0),
    ):
        if given != usual:
            raise StudyError(
                f"setting.{key} is {given} in the parameters, but the data set says which value "
                f"of the mask is the tumour. Set mask_value there, and remove {key}."
            )
    for image_type in parameters.image_types:
        if image_type not in SUPPORTED:
            raise StudyError(
                f"imageType.{image_type}: the extractor native has no such filter. Remove "
                f"{image_type}, or choose the extractor pyradiomics (rdfc-features-pyradiomics)."
            )


@cache
def _warn_of_absent_shape(absent: str, ndim: int) -> None:
    kind, other = ("Pictures have", "shape2D") if ndim == 2 else ("Volumes have", "shape")
    logging.getLogger("rdfc").warning(
        "%s no %s: no shape is measured. List %s in featureClass to measure it.",
        kind,
        absent,
        other,
    )
