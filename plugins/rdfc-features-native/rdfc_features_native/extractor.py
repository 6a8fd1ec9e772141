"""The feature extractor ``native``: PyRadiomics' features by rdfc's own engine.

Definitions: van Griethuysen et al. 2017, Cancer Research 77(21), and PyRadiomics' documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Tumour, Volume
from rdfc_core.errors import StudyError
from rdfc_core.interfaces import FeatureExtractor, Features, MaskGrid
from rdfc_core.radiomics.checks import (
    check_not_constant,
    check_resampled_size,
    check_tumour,
    spread_over,
    warn_of_absent_shape,
    why_no_log,
    why_no_shape_2d,
)
from rdfc_core.radiomics.measurable import (
    check_still_finite,
    resampled_linearly,
    splines_outside,
)
from rdfc_core.volume import extents_of
from rdfc_features_native import checks
from rdfc_features_native.config import NativeConfig
from rdfc_features_native.features.shape import shape_features
from rdfc_features_native.features.shape2d import shape2d_features
from rdfc_features_native.images import filtered_images
from rdfc_features_native.plan import ExtractionPlan, check_supported
from rdfc_features_native.preparation import (
    PreparedImage,
    prepare,
    resegment,
    target_spacing_mm,
    tumour_box,
    with_slices_as_stored,
    with_slices_first,
)
from rdfc_features_native.region import Region, box_of
from rdfc_features_native.texture import image_features

ENGINE = 2
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
        self._plans: dict[int, ExtractionPlan] = {}
        for parameters in self._by_ndim.values():
            check_supported(parameters)

    @property
    def mask_grid(self) -> MaskGrid | None:
        """What ``correctMask`` and ``geometryTolerance`` say; None where neither is set."""
        return self.config.mask_grid()

    def names(self, ndim: int) -> tuple[str, ...]:
        """The names of the features of tumours with ``ndim`` axes, in PyRadiomics' order.

        Raises:
            StudyError: If the parameters do not fit tumours with so many axes.
        """
        return self._plan(ndim).names

    def extract(self, tumour: Tumour) -> Features:
        """The features of one tumour, (F,) float64.

        Raises:
            DataError: If image or mask cannot be measured.
            StudyError: If the parameters do not fit tumours with so many axes.
        """
        plan = self._plan(tumour.ndim)
        absent = {"shape", "shape2D"} & set(self._by_ndim[tumour.ndim].feature_classes)
        if absent and not plan.shapes:
            warn_of_absent_shape(", ".join(sorted(absent)), tumour.ndim)
        prepared, region = _measurable(tumour, plan)
        size, spacing_mm = prepared.image.shape[::-1], prepared.spacing_mm[::-1]
        reasons = why_no_log(self._by_ndim[tumour.ndim], size, spacing_mm)
        shapes = _shapes(prepared, region, plan, reasons)
        images = _images(prepared, region, plan, reasons)
        return _named(plan.names, np.concatenate([*shapes, *images]), reasons)

    def check(self, tumour: Tumour) -> None:
        """Refuse what `extract` refuses, without measuring.

        Raises:
            DataError: If image or mask cannot be measured.
            StudyError: If the parameters do not fit tumours with so many axes.
        """
        _measurable(tumour, self._plan(tumour.ndim))

    def remarks(self, tumour: Tumour) -> tuple[str, ...]:
        """Whether a bundled set resamples it linearly in place of the B-spline."""
        plan = self._plan(tumour.ndim)
        size = tumour.mask.shape
        if not plan.falls_back or 2 not in size:
            return ()
        seen = _as_measured(tumour, plan)
        target_mm = target_spacing_mm(seen.image.spacing_mm, tumour_box(seen), plan.settings)
        if not splines_outside(size, target_mm, plan.settings):
            return ()
        return (resampled_linearly(seen.mask.shape[::-1]),)

    def maps(self, tumour: Tumour, threads: int = 1) -> Iterator[tuple[str, Volume]]:
        """Name and map of each feature, in PyRadiomics' order; the shape classes have none.

        Args:
            tumour: The tumour.
            threads: That measure at once.

        Raises:
            DataError: If image or mask cannot be measured, or have too many grey levels.
            StudyError: If the parameters do not fit tumours with so many axes.
        """
        from rdfc_features_native.voxels.tumour_maps import tumour_maps  # compiled: only here

        plan, parameters = self._plan(tumour.ndim), self._by_ndim[tumour.ndim]
        if not plan.classes:
            raise StudyError("The parameters ask for shape alone, which has no maps.")
        prepared, region = _measurable(tumour, plan)
        size, spacing_mm = prepared.image.shape[::-1], prepared.spacing_mm[::-1]
        absent = why_no_log(parameters, size, spacing_mm)
        image = _as_measured(tumour, plan).image
        voxel = parameters.voxel_settings
        for name, made in tumour_maps(image, prepared, region, plan, voxel, absent, threads):
            if image is not tumour.image:
                made = with_slices_as_stored(made, tumour.image.slice_axis)
            yield name, made

    def recipe(self) -> dict[str, Any]:
        """Version of the engine and full parameters; of both kinds of tumour if they differ."""
        pictures, volumes = (self._by_ndim[ndim].dump() for ndim in (2, 3))
        both = {"pictures": pictures, "volumes": volumes}
        return {
            "extractor": "native",
            "engine": ENGINE,
            "parameters": volumes if pictures == volumes else both,
            **self.config.of_masks(),
        }

    def _plan(self, ndim: int) -> ExtractionPlan:
        if ndim not in self._plans:
            falls_back = self.config.falls_back(ndim)
            self._plans[ndim] = ExtractionPlan.of(self._by_ndim[ndim], ndim, falls_back)
        return self._plans[ndim]


def _measurable(tumour: Tumour, plan: ExtractionPlan) -> tuple[PreparedImage, Region]:
    """The tumour as it is measured, and its voxels; everything that is refused is refused here.

    Raises:
        DataError: If image or mask cannot be measured.
    """
    check_tumour(tumour)
    prepared = _prepared(tumour, plan)
    return prepared, _region(prepared, plan)


def _as_measured(tumour: Tumour, plan: ExtractionPlan) -> Tumour:
    """The tumour with its axes as the parameters mean them."""
    if tumour.ndim == 3 and not plan.axes_as_stored:
        return with_slices_first(tumour)
    return tumour


def _prepared(tumour: Tumour, plan: ExtractionPlan) -> PreparedImage:
    """The tumour normalised, resampled and cropped, as far as the settings ask for it.

    Raises:
        DataError: If it cannot be, or is too small then.
    """
    settings = plan.settings
    tumour = _as_measured(tumour, plan)
    box = tumour_box(tumour)
    checks.check_mask(extents_of(box), None, settings)
    check_not_constant(tumour.image.array[box][tumour.mask[box]])
    target_mm = target_spacing_mm(tumour.image.spacing_mm, box, settings)
    if plan.falls_back and splines_outside(tumour.mask.shape, target_mm, settings):
        settings = settings.model_copy(update={"interpolator": "sitkLinear"})
    checks.check_spline(tumour.mask.shape, target_mm, settings)
    check_resampled_size(extents_of(box), tumour.image.spacing_mm, target_mm, settings.pad_distance)
    prepared = prepare(tumour, box, settings)
    when = "after resampling" if settings.resampled_spacing_mm else ""
    voxels = int(prepared.mask[prepared.box].sum())
    checks.check_mask(extents_of(prepared.box), voxels, settings, when)
    if settings.normalize or target_mm is not None:
        check_still_finite(prepared.image)
    return prepared


def _region(prepared: PreparedImage, plan: ExtractionPlan) -> Region:
    """The voxels that are measured.

    Raises:
        DataError: If too few are left after resegmenting, or their values cannot be binned.
    """
    mask = resegment(prepared, plan.settings)
    box = prepared.box
    if mask is not prepared.mask:
        box = box_of(mask) or box
        voxels = int(mask[box].sum())
        checks.check_mask(extents_of(box), voxels, plan.settings, "after resegmenting")
    region = Region(box, np.ascontiguousarray(mask[box]), prepared.spacing_mm)
    values = prepared.image[box][region.mask]
    checks.check_grey_levels(prepared, values, plan)
    check_not_constant(values)
    return region


def _shapes(
    prepared: PreparedImage, region: Region, plan: ExtractionPlan, reasons: dict[str, str]
) -> Iterator[NDArray[np.float64]]:
    """The features of each shape class; ``reasons`` learns why one cannot be measured."""
    # Without resegmentShape the whole mask is meant, in the box of the part that is left of it.
    mask = region.mask if plan.settings.resegment_shape else prepared.mask[region.box]
    spacing_mm = region.spacing_mm
    for name, wanted in plan.shapes.items():
        if name == "shape":
            measured = shape_features(mask, spacing_mm)
        elif mask.ndim == 2:
            measured = shape2d_features(mask, spacing_mm)
        else:
            axis = plan.settings.force_2d_dimension or 0
            reason = why_no_shape_2d(mask.shape, axis)
            if reason:
                reasons["original_shape2D"] = reason
                yield np.full(len(wanted), np.nan)
                continue
            kept = [mm for other, mm in enumerate(spacing_mm) if other != axis]
            measured = shape2d_features(mask.squeeze(axis), kept)
        yield np.array([measured[feature] for feature in wanted])


def _images(
    prepared: PreparedImage, region: Region, plan: ExtractionPlan, reasons: Mapping[str, str]
) -> Iterator[NDArray[np.float64]]:
    """The features of each filtered image; NaN for an image that cannot be made."""
    if not plan.classes:
        return
    for part in plan.images:
        if all(image in reasons for image in part.images):
            yield np.full(len(part.images) * plan.features_per_image, np.nan)
            continue
        own = part.settings
        for image, filtered in filtered_images(
            part.image_type, part.images[0], own, prepared, region
        ):
            if image in reasons:
                yield np.full(plan.features_per_image, np.nan)
            else:
                yield image_features(region.values_of(filtered), region, own, plan.classes)


def _named(
    names: tuple[str, ...], values: NDArray[np.float64], reasons: Mapping[str, str]
) -> Features:
    """Values, each one that is missing as NaN with its reason."""
    missing = spread_over(names, reasons)
    for place in np.flatnonzero(~np.isfinite(values)):
        undefined = f"it is not defined for this tumour (the formula gives {values[place]})"
        missing.setdefault(names[place], undefined)
        values[place] = np.nan
    return Features(values, missing)
