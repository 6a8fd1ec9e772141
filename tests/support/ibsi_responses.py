"""The IBSI's filter phantoms, the settings of each reference response map, and ours beside it.

Source: IBSI reference manual on convolutional filters, arXiv:2006.05470, and Whybra et al. 2024,
Radiology 310(2). Of the tests 9 and 10 (Riesz transforms) there are no maps in this material.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray
from pydantic import TypeAdapter

from rdfc_features_native.ibsi.filter_options import Filter
from rdfc_features_native.ibsi.filtered_images import response_map

TOLERANCE = 0.01
"""Of the range of the reference map, as the initiative allows."""

_LAWS = {"kind": "laws", "boundary": "mirror"}
_GABOR = {
    "A": {"kind": "gabor", "sigma_mm": 10, "wavelength_mm": 4, "gamma": 0.5, "boundary": "zero"},
    "B": {"kind": "gabor", "sigma_mm": 20, "wavelength_mm": 8, "gamma": 2.5},
}
_HAAR = {"kind": "wavelet", "wavelet": "haar", "level": 2, "pooling": "average"}
RESPONSES: dict[str, dict[str, Any]] = {
    "1A1": {"kind": "mean", "support": 15, "boundary": "zero"},
    "1A2": {"kind": "mean", "support": 15, "boundary": "nearest"},
    "1A3": {"kind": "mean", "support": 15, "boundary": "periodic"},
    "1A4": {"kind": "mean", "support": 15, "boundary": "mirror"},
    "1B1": {"kind": "mean", "support": 15, "boundary": "zero", "dimensions": 2},
    "2A": {"kind": "log", "sigma_mm": 3, "boundary": "zero"},
    "2B": {"kind": "log", "sigma_mm": 5},
    "2C": {"kind": "log", "sigma_mm": 5, "dimensions": 2},
    "3A1": {**_LAWS, "kernels": "E5L5S5", "boundary": "zero"},
    "3A2": {**_LAWS, "kernels": "E5L5S5", "boundary": "zero", "pooling": "max"},
    "3A3": {
        **{**_LAWS, "kernels": "E5L5S5", "boundary": "zero"},
        **{"pooling": "max", "energy_reach": 7},
    },
    "3B1": {**_LAWS, "kernels": "E3W5R5"},
    "3B2": {**_LAWS, "kernels": "E3W5R5", "pooling": "max"},
    "3B3": {**_LAWS, "kernels": "E3W5R5", "pooling": "max", "energy_reach": 7},
    "3C1": {**_LAWS, "kernels": "L5S5", "dimensions": 2},
    "3C2": {**_LAWS, "kernels": "L5S5", "dimensions": 2, "pooling": "max"},
    "3C3": {**_LAWS, "kernels": "L5S5", "dimensions": 2, "pooling": "max", "energy_reach": 7},
    "4A1": {**_GABOR["A"], "theta_degrees": 60},
    "4A2": {**_GABOR["A"], "directions": 8, "dimensions": 3},
    "4B1": {**_GABOR["B"], "theta_degrees": 225},
    "4B2": {**_GABOR["B"], "directions": 16, "dimensions": 3},
    "5A1": {"kind": "wavelet", "wavelet": "db2", "bands": "LHL", "boundary": "zero"},
    "5A2": {
        **{"kind": "wavelet", "wavelet": "db2", "bands": "LHL", "boundary": "zero"},
        "pooling": "average",
    },
    "6A1": {"kind": "wavelet", "wavelet": "coif1", "bands": "HHL", "boundary": "periodic"},
    "6A2": {
        **{"kind": "wavelet", "wavelet": "coif1", "bands": "HHL", "boundary": "periodic"},
        "pooling": "average",
    },
    "7A1": {**_HAAR, "bands": "LLL"},
    "7A2": {**_HAAR, "bands": "HHH"},
    "8A1": {"kind": "simoncelli", "level": 1},
    "8A2": {"kind": "simoncelli", "level": 2},
    "8A3": {"kind": "simoncelli", "level": 3},
}
"""The manual's number of a test → options of the filter."""
PHANTOMS = {"checkerboard": "checkerboard", "impulse": "response", "sphere": "sphere"}
"""Name in the file of a map → file of the phantom."""


@dataclass(frozen=True)
class Deviation:
    """A response map beside its reference.

    Args:
        largest: Deviation of any voxel, as a share of the range of the reference.
        beyond: Share of voxels that deviate by more than `TOLERANCE`.
    """

    largest: float
    beyond: float

    @property
    def within(self) -> bool:
        """Whether no voxel deviates by more than the tolerance."""
        return self.beyond == 0


@cache
def deviation(place: Path, number: str) -> Deviation:
    """How far a response map is from its reference."""
    (file,) = (place / "ibsi_2_reference_response_maps").glob(f"*_CT_{number}_*.nii.gz")
    phantom = next(name for name in PHANTOMS if f"_{name}_CT_" in file.name)
    image = place / "ibsi_2_digital_phantom" / phantom / "image" / f"{PHANTOMS[phantom]}.nii.gz"
    options = TypeAdapter(Filter).validate_python(RESPONSES[number])
    ours = response_map(_read(image), (2.0, 2.0, 2.0), options)
    reference = _read(file)
    away = np.abs(ours - reference) / np.ptp(reference)
    return Deviation(float(away.max()), float((away > TOLERANCE).mean()))


def _read(file: Path) -> NDArray[np.float64]:
    return sitk.GetArrayFromImage(sitk.ReadImage(str(file))).astype(np.float64)
