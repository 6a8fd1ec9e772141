"""The feature extractor ``ibsi``: features, image processing and filters by the IBSI's manuals.

Source: Zwanenburg et al. 2020, Radiology 295(2), and the reference manual, arXiv:1612.07003.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Tumour
from rdfc_core.errors import StudyError
from rdfc_core.interfaces import FeatureExtractor, Features
from rdfc_core.radiomics.checks import check_not_constant, check_tumour
from rdfc_core.radiomics.measurable import check_extent
from rdfc_core.volume import extents_of
from rdfc_features_native.ibsi.config import IbsiConfig
from rdfc_features_native.ibsi.filtered_images import response_map
from rdfc_features_native.ibsi.local_intensity import RADIUS_MM
from rdfc_features_native.ibsi.measure import check_values, family_features
from rdfc_features_native.ibsi.preparation import PreparedRoi, prepared, resegmented
from rdfc_features_native.ibsi.vocabulary import FAMILIES, WHOLE, names_of
from rdfc_features_native.preparation import tumour_box, with_slices_first

ENGINE = 1
"""Raised when the values change."""


class IbsiExtractor(FeatureExtractor):
    """Measures tumours by the IBSI's definitions; volumes with their axial slices first."""

    def __init__(self, config: IbsiConfig) -> None:
        self.config = config

    def names(self, ndim: int) -> tuple[str, ...]:
        """``<image>_<family>_<feature>``: the original image's, then those of filtered images.

        Raises:
            StudyError: If the options do not fit tumours with so many axes.
        """
        spacing, kind = self.config.spacing_mm, "pictures" if ndim == 2 else "volumes"
        if spacing is not None and len(spacing) != ndim:
            raise StudyError(
                f"spacing_mm has {len(spacing)} values and {kind} have {ndim} axes. Give {ndim}."
            )
        for one in self.config.filters:
            if ndim == 2 and one.dimensions == 3:
                raise StudyError(
                    f"The filter {one.image_name} is in space and pictures have one slice. Set its "
                    "dimensions to 2."
                )
        images = {"original": self._families(ndim)}
        images |= {one.image_name: self._filtered_families for one in self.config.filters}
        names = tuple(
            f"{image}_{family}_{name}"
            for image, families in images.items()
            for family in families
            for name in names_of(family)
        )
        if not names:
            raise StudyError(
                f"families asks for nothing that {kind} have. Add one, for example firstorder."
            )
        return names

    def extract(self, tumour: Tumour) -> Features:
        """The features of one tumour, (F,) float64.

        Raises:
            DataError: If image or mask cannot be measured.
            StudyError: If the options do not fit tumours with so many axes.
        """
        names = self.names(tumour.ndim)
        roi, mask = self._measurable(tumour)
        found = family_features(roi, mask, self.config, self._families(tumour.ndim))
        values = np.concatenate([*found.values(), *self._filtered(roi, mask)])
        missing = {}
        for place in np.flatnonzero(~np.isfinite(values)):
            missing[names[place]] = (
                f"it is not defined for this tumour (the formula gives {values[place]})"
            )
            values[place] = np.nan
        return Features(values, missing)

    def check(self, tumour: Tumour) -> None:
        """Refuse what `extract` refuses for the image or the mask, without measuring.

        Raises:
            DataError: If image or mask cannot be measured.
            StudyError: If the options do not fit tumours with so many axes.
        """
        self.names(tumour.ndim)
        self._measurable(tumour)

    def recipe(self) -> dict[str, Any]:
        """Version and options."""
        return {"extractor": "ibsi", "engine": ENGINE, **self.config.model_dump(mode="json")}

    def _families(self, ndim: int) -> tuple[str, ...]:
        wanted = self.config.families
        return tuple(
            family for family in FAMILIES if family in wanted and (ndim == 3 or family not in WHOLE)
        )

    @property
    def _filtered_families(self) -> tuple[str, ...]:
        return tuple(family for family in FAMILIES if family in self.config.filtered_families)

    def _filtered(self, roi: PreparedRoi, mask: NDArray[np.bool_]) -> Iterator[NDArray[np.float64]]:
        """The features of each filtered image; NaN where its values in the mask are all equal."""
        own, families = self.config.of_filtered(), self._filtered_families
        for options in self.config.filters:
            filtered = replace(roi, image=response_map(roi.image, roi.spacing_mm, options))
            values = filtered.image[mask]
            if not np.isfinite(values).all() or values.min() == values.max():
                yield np.full(sum(len(names_of(family)) for family in families), np.nan)
                continue
            yield from family_features(filtered, mask, own, families).values()

    def _measurable(self, tumour: Tumour) -> tuple[PreparedRoi, NDArray[np.bool_]]:
        """The tumour as it is measured, and its intensity mask."""
        check_tumour(tumour)
        if tumour.ndim == 3:
            tumour = with_slices_first(tumour)
        box = tumour_box(tumour)
        check_extent(extents_of(box), 2)
        check_not_constant(tumour.image.array[box][tumour.mask[box]])
        # Filters may reach across the whole image.
        roi = prepared(tumour, self.config, None if self.config.filters else RADIUS_MM)
        mask = resegmented(roi, self.config)
        check_values(roi.image[mask], self.config, self._families(tumour.ndim))
        return roi, mask
