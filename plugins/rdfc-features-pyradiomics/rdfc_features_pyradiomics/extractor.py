"""The feature extractor ``pyradiomics``: PyRadiomics without its silent failures.

Source: van Griethuysen et al. 2017, Cancer Research 77(21).
"""

from __future__ import annotations

import importlib
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import radiomics
import SimpleITK as sitk  # noqa: N813

from rdfc_core.case import Tumour, Volume
from rdfc_core.errors import DataError, PluginError
from rdfc_core.interfaces import FeatureExtractor, Features, MaskGrid
from rdfc_core.radiomics.checks import (
    check_mask_value,
    check_not_constant,
    check_resampled_size,
    check_tumour,
    spread_over,
    warn_of_absent_shape,
    why_no_log,
    why_no_shape_2d,
)
from rdfc_core.radiomics.measurable import check_extent, resampled_linearly
from rdfc_core.radiomics.parameters import Parameters
from rdfc_features_pyradiomics import checks, engine
from rdfc_features_pyradiomics.config import PyRadiomicsConfig

HANDLING = 1
"""Raised when the way tumours are handed to PyRadiomics changes, and with it the values."""

NEEDS = {
    "LBP2D": (("skimage.feature", "local_binary_pattern"),),
    "LBP3D": (
        ("trimesh.creation", "icosphere"),
        ("scipy.special", "sph_harm"),
        ("scipy.ndimage.interpolation", "map_coordinates"),
        ("scipy.stats", "kurtosis"),
    ),
}
"""What PyRadiomics imports for a filter; where it cannot, it drops the filter."""


class PyRadiomicsExtractor(FeatureExtractor):
    """Measures tumours with PyRadiomics; the features are known before the first tumour is.

    Images are measured as float64: PyRadiomics bins integers wrongly under NumPy 2 (overflow).
    Volumes are measured with their axial slices first, however the file stores its axes, unless
    the parameters state ``force2Ddimension``: then as stored.
    """

    def __init__(self, config: PyRadiomicsConfig) -> None:
        """Read the parameters.

        Raises:
            StudyError: If they select a mask value, which is the data set's to select.
            PluginError: If they ask for a filter whose libraries are not installed.
        """
        self.config = config
        self._by_ndim = config.by_ndim()
        self._falls_back = {ndim: config.falls_back(ndim) for ndim in self._by_ndim}
        for parameters in self._by_ndim.values():
            check_mask_value(parameters)
            _check_libraries(parameters)

    @property
    def mask_grid(self) -> MaskGrid | None:
        """What ``correctMask`` and ``geometryTolerance`` say; None where neither is set."""
        return self.config.mask_grid()

    def names(self, ndim: int) -> tuple[str, ...]:
        """The names of the features of tumours with ``ndim`` axes, in PyRadiomics' order.

        Raises:
            StudyError: If the parameters do not fit tumours with so many axes.
        """
        return self._by_ndim[ndim].feature_names(ndim)

    def extract(self, tumour: Tumour) -> Features:
        """The features of one tumour, (F,) float64.

        Raises:
            DataError: If image or mask cannot be measured, or PyRadiomics does not give what it
                was asked for.
            StudyError: If the parameters do not fit tumours with so many axes.
        """
        parameters = self._by_ndim[tumour.ndim]
        names = self.names(tumour.ndim)
        absent = {"shape", "shape2D"} & set(parameters.feature_classes)
        if absent and not parameters.shape_classes(tumour.ndim):
            warn_of_absent_shape(", ".join(sorted(absent)), tumour.ndim)
        settings = engine.settings_of(parameters, tumour.ndim)
        with engine.undisturbing():
            image, mask, missing = self._prepared(tumour, parameters, settings)
            left_out = frozenset({"shape2D"} if "original_shape2D" in missing else ())
            measured = engine.measure(image, mask, parameters, settings, left_out)
        return _collect(names, measured, spread_over(names, missing))

    def check(self, tumour: Tumour) -> None:
        """Refuse what `extract` refuses before it measures.

        Raises:
            DataError: If image or mask cannot be measured.
            StudyError: If the parameters do not fit tumours with so many axes.
        """
        parameters = self._by_ndim[tumour.ndim]
        self.names(tumour.ndim)
        with engine.undisturbing():
            self._prepared(tumour, parameters, engine.settings_of(parameters, tumour.ndim))

    def remarks(self, tumour: Tumour) -> tuple[str, ...]:
        """Whether a bundled set resamples it linearly in place of the B-spline."""
        if 2 not in tumour.mask.shape or not self._falls_back[tumour.ndim]:
            return ()
        parameters = self._by_ndim[tumour.ndim]
        image, mask = _sitk_pair(tumour, parameters)
        extents = checks.extents_of(sitk.GetArrayViewFromImage(mask))[::-1]
        settings = engine.settings_of(parameters, tumour.ndim)
        if not checks.splines_outside(image.GetSize(), image.GetSpacing(), extents, settings):
            return ()
        return (resampled_linearly(image.GetSize()),)

    def recipe(self) -> dict[str, Any]:
        """Version and full parameters; of both kinds of tumour if they differ."""
        pictures, volumes = (self._by_ndim[ndim].dump() for ndim in (2, 3))
        both = {"pictures": pictures, "volumes": volumes}
        return {
            "extractor": "pyradiomics",
            "pyradiomics": radiomics.__version__.removeprefix("v"),
            "handling": HANDLING,
            "parameters": volumes if pictures == volumes else both,
            **self.config.of_masks(),
        }

    def _prepared(
        self, tumour: Tumour, parameters: Parameters, settings: dict[str, Any]
    ) -> tuple[sitk.Image, sitk.Image, dict[str, str]]:
        """Image and mask as they are measured, and what this tumour cannot have, with reasons."""
        _check(tumour, parameters.settings.minimum_roi_dimensions)
        image, mask = _sitk_pair(tumour, parameters)
        extents = checks.extents_of(sitk.GetArrayViewFromImage(mask))[::-1]
        grid = image.GetSize(), image.GetSpacing(), extents, settings
        if self._falls_back[tumour.ndim] and checks.splines_outside(*grid):
            settings["interpolator"] = "sitkLinear"
        checks.check_spline(*grid)
        wanted_mm = settings["interpolator"] and settings["resampledPixelSpacing"]
        check_resampled_size(extents, image.GetSpacing(), wanted_mm, settings["padDistance"])
        image, mask = engine.prepare(image, mask, settings)
        return image, mask, self._examine(image, mask, parameters, settings)

    def _examine(
        self,
        image: sitk.Image,
        mask: sitk.Image,
        parameters: Parameters,
        settings: dict[str, Any],
    ) -> dict[str, str]:
        """Refuse what cannot be measured; what this tumour alone cannot have, with the reason."""
        outline = sitk.GetArrayViewFromImage(mask)
        resampled = "after resampling" if settings["resampledPixelSpacing"] else ""
        extents = checks.extents_of(outline)
        check_extent(extents, settings["minimumROIDimensions"], resampled)
        part = engine.resegment(image, mask, settings)  # kept: a view does not own its memory
        pixels = sitk.GetArrayViewFromImage(image)
        values = pixels[sitk.GetArrayViewFromImage(part) != 0]
        checks.check_grey_levels(pixels, values, parameters)
        check_not_constant(values)
        missing = why_no_log(parameters, image.GetSize(), image.GetSpacing())
        if outline.ndim == 3 and "shape2D" in parameters.shape_classes(3):
            reason = why_no_shape_2d(extents, settings["force2Ddimension"])
            missing |= {"original_shape2D": reason} if reason else {}
        return missing


def _check(tumour: Tumour, minimum_dimensions: int) -> None:
    """Refuse what no parameters could measure."""
    check_tumour(tumour)
    check_extent(checks.extents_of(tumour.mask), minimum_dimensions)
    check_not_constant(tumour.image.array[tumour.mask])


def _sitk_pair(tumour: Tumour, parameters: Parameters) -> tuple[sitk.Image, sitk.Image]:
    """Image (float64) and mask (1 inside) on one grid, so that no geometry can differ."""
    image, mask = tumour.image, replace(tumour.image, array=tumour.mask)
    stated = [parameters.settings, *parameters.image_types.values()]
    if tumour.ndim == 3 and all(own.force_2d_dimension is None for own in stated):
        image, mask = _slices_first(image), _slices_first(mask)
    return _cast(image, np.float64).to_sitk(), _cast(mask, np.uint8).to_sitk()


def _cast(volume: Volume, dtype: type[np.generic]) -> Volume:
    # In C order at once: whole CTs are large, and SimpleITK would need another copy.
    return replace(volume, array=volume.array.astype(dtype, order="C"))


def _slices_first(volume: Volume) -> Volume:
    """The same volume at the same place, with its axial slices along the first axis."""
    order = [volume.slice_axis, *(axis for axis in range(3) if axis != volume.slice_axis)]
    return replace(
        volume,
        array=volume.array.transpose(order),
        spacing_mm=tuple(volume.spacing_mm[axis] for axis in order),
        direction=volume.direction[:, order],
    )


def _collect(
    names: tuple[str, ...], measured: dict[str, float], reasons: dict[str, str]
) -> Features:
    """The values in the order of the names; each absent or undefined one with its reason.

    Raises:
        DataError: If features are absent for no known reason, or came unasked.
    """
    promised = set(names)
    unasked = [name for name in measured if name not in promised]
    absent = [name for name in names if name not in measured and name not in reasons]
    for which, problem in ((unasked, "gave unasked"), (absent, "left out without a reason")):
        if which:
            more = f" and {len(which) - 3} more" if len(which) > 3 else ""
            raise DataError(
                f"PyRadiomics {problem}: {', '.join(which[:3])}{more}. "
                "Report this, with the parameters, to the authors of rdfc-features-pyradiomics."
            )
    values = np.array([measured.get(name, np.nan) for name in names], np.float64)
    missing = {name: reasons[name] for name in names if name not in measured}
    for place in np.flatnonzero(~np.isfinite(values)):
        undefined = f"it is not defined for this tumour (PyRadiomics gives {values[place]})"
        missing.setdefault(names[place], undefined)
        values[place] = np.nan
    return Features(values, missing)


def _check_libraries(parameters: Parameters) -> None:
    for image_type in parameters.image_types:
        for module, attribute in NEEDS.get(image_type, ()):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)
                    getattr(importlib.import_module(module), attribute)
            except (ImportError, AttributeError) as error:
                raise PluginError(
                    f"PyRadiomics 3.0.1 needs {module}.{attribute} for {image_type} and would "
                    f"drop the filter in silence: {error}. Install a {module.split('.')[0]} that "
                    f"has it, or remove {image_type} from imageType."
                ) from error
