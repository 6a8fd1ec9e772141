"""What PyRadiomics reports beside the features: image and mask in numbers, and the settings.

Names are PyRadiomics' (``diagnostics_…``). Those of an interpolated image are not given.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from rdfc_core.case.tumour import components_of
from rdfc_core.volume import bounding_box, extents_of


def of_settings(settings: Mapping[str, Any], image_types: Mapping[str, Any]) -> dict[str, Any]:
    """Versions and configuration."""
    return {
        "diagnostics_Versions_rdfc-features-native": version("rdfc-features-native"),
        "diagnostics_Versions_Numpy": np.__version__,
        "diagnostics_Versions_SimpleITK": sitk.Version().VersionString(),
        "diagnostics_Versions_Python": platform.python_version(),
        "diagnostics_Configuration_Settings": dict(settings),
        "diagnostics_Configuration_EnabledImageTypes": dict(image_types),
    }


def of_image(image: sitk.Image) -> dict[str, Any]:
    """Hash, size, spacing and grey values of the image as it was given."""
    values = sitk.GetArrayViewFromImage(image)
    head = "diagnostics_Image-original_"
    return {
        head + "Hash": _hash(values),
        head + "Dimensionality": f"{image.GetDimension()}D",
        head + "Spacing": image.GetSpacing(),
        head + "Size": image.GetSize(),
        head + "Mean": float(values.mean(dtype=np.float64)),
        head + "Minimum": float(values.min()),
        head + "Maximum": float(values.max()),
    }


def of_mask(mask: sitk.Image, inside: NDArray[np.bool_]) -> dict[str, Any]:
    """Hash, box, voxels and middle of the mask as it was given.

    Args:
        mask: The label map.
        inside: Of its shape, True where it has the label, at least once.
    """
    box = bounding_box(inside)
    middle = tuple(float(np.mean(places)) for places in reversed(np.nonzero(inside)))
    head = "diagnostics_Mask-original_"
    return {
        head + "Hash": _hash(sitk.GetArrayViewFromImage(mask).astype(np.uint32)),
        head + "Spacing": mask.GetSpacing(),
        head + "Size": mask.GetSize(),
        head + "BoundingBox": (
            *(span.start for span in reversed(box)),
            *reversed(extents_of(box)),
        ),
        head + "VoxelNum": int(inside.sum()),
        head + "VolumeNum": len(components_of(inside)[1]),
        head + "CenterOfMassIndex": middle,
        head + "CenterOfMass": mask.TransformContinuousIndexToPhysicalPoint(middle),
    }


def _hash(values: NDArray[Any]) -> str:
    """SHA-1 of the samples, as SimpleITK's ``Hash`` takes it; of label maps as 32-bit integers."""
    return hashlib.sha1(np.ascontiguousarray(values).tobytes(), usedforsecurity=False).hexdigest()
