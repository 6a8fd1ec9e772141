"""PyRadiomics itself: prepare image and mask, measure, and disturb nobody meanwhile."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813
from radiomics import imageoperations
from radiomics.featureextractor import RadiomicsFeatureExtractor

from rdfc_core.errors import DataError
from rdfc_core.radiomics.parameters import Parameters


class _OfPreparedImages(RadiomicsFeatureExtractor):  # type: ignore[misc]
    """PyRadiomics' extractor, to which image and mask come as `prepare` gives them."""

    @staticmethod
    def loadImage(  # noqa: N802  (PyRadiomics' own name)
        image: sitk.Image, mask: sitk.Image, _info: object = None, **_settings: object
    ) -> tuple[sitk.Image, sitk.Image]:
        """Both as they are: what the settings ask for has been done to them."""
        return image, mask


def settings_of(parameters: Parameters, ndim: int) -> dict[str, Any]:
    """The settings as PyRadiomics takes them, for tumours with ``ndim`` axes.

    Grid and mask value are core's business: the mask handed over is 1 inside, on the image's grid.
    """
    settings = dict(parameters.dump()["setting"])
    settings |= {"label": 1, "label_channel": 0, "correctMask": False, "geometryTolerance": None}
    settings["additionalInfo"] = False
    settings["force2Ddimension"] = settings["force2Ddimension"] or 0
    if ndim == 2:
        # A picture is its slice; force2D would leave one dimension of it.
        settings["force2D"] = False
    return settings


def prepare(
    image: sitk.Image, mask: sitk.Image, settings: dict[str, Any]
) -> tuple[sitk.Image, sitk.Image]:
    """Image and mask normalised, resampled and cropped, as far as the settings ask for it.

    Raises:
        DataError: If PyRadiomics cannot.
    """
    # As PyRadiomics' loadImage does it, but for a check that takes a mask without a 0 for empty.
    with _as_data_error("prepare"):
        mask = sitk.Cast(mask, sitk.sitkUInt32)
        if settings["normalize"]:
            image = imageoperations.normalizeImage(image, **settings)
        if settings["interpolator"] is not None and settings["resampledPixelSpacing"] is not None:
            image, mask = imageoperations.resampleImage(image, mask, **settings)
        elif settings["preCrop"]:
            box, _ = imageoperations.checkMask(image, mask, **settings)
            image, mask = imageoperations.cropToTumorMask(image, mask, box, **settings)
    return image, mask


def resegment(image: sitk.Image, mask: sitk.Image, settings: dict[str, Any]) -> sitk.Image:
    """The part of the mask within ``resegmentRange``; the mask itself if there is no range.

    Raises:
        DataError: If too few voxels are left.
    """
    if settings["resegmentRange"] is None:
        return mask
    with _as_data_error("resegment"):
        return imageoperations.resegmentMask(image, mask, **settings)


def measure(
    image: sitk.Image,
    mask: sitk.Image,
    parameters: Parameters,
    settings: dict[str, Any],
    left_out: frozenset[str],
) -> dict[str, float]:
    """All features of a prepared tumour, by name.

    Args:
        image: As `prepare` gives it.
        mask: As `prepare` gives it.
        parameters: Image types and feature classes.
        settings: As `settings_of` gives them.
        left_out: Feature classes that this tumour cannot have.

    Raises:
        DataError: If PyRadiomics cannot measure the tumour.
    """
    content = parameters.dump()
    if image.GetDimension() == 2:
        content["imageType"] = {
            name: {key: value for key, value in own.items() if key != "force2D"}
            for name, own in content["imageType"].items()
        }
        left_out |= {"shape"}
        content["imageType"].pop("LBP3D", None)
    with _as_data_error("measure"):
        extractor = _OfPreparedImages(**settings)
        extractor.disableAllImageTypes()
        extractor.enableImageTypes(**content["imageType"])
        extractor.disableAllFeatures()
        extractor.enableFeaturesByName(
            **{name: list for name, list in content["featureClass"].items() if name not in left_out}
        )
        return {name: float(value) for name, value in extractor.execute(image, mask).items()}


@contextmanager
def undisturbing() -> Iterator[None]:
    """One thread for SimpleITK and no chatter from PyRadiomics, until the end of the block.

    Extraction runs one process a core, so that threads within one would only get in each other's
    way. What PyRadiomics would warn of, rdfc checks itself and reports by feature.
    """
    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    logger = logging.getLogger("radiomics")
    level = logger.level
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    logger.setLevel(logging.CRITICAL + 1)
    try:
        # NaN becomes a missing feature; LBP on floats holds the integers that it asks for.
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)


@contextmanager
def _as_data_error(verb: str) -> Iterator[None]:
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # PyRadiomics and ITK raise anything; it costs this case alone
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"PyRadiomics could not {verb} the tumour ({type(error).__name__}: {reason}). Check "
            "image and mask, or drop the case."
        ) from error
