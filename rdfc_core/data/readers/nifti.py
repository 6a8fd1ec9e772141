"""What a NIfTI header says of the samples: where they lie, their type, and how they are scaled.

Source: the header file nifti1.h of the NIfTI Data Format Working Group.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.data.readers.headers import Payload
from rdfc_core.data.readers.nifti_header import read_nifti_header
from rdfc_core.errors import DataError

TYPES = {
    **{2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8"},
    **{256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"},
}
"""NIfTI's numbers of the types that are one real number."""


@dataclass(frozen=True)
class NiftiSamples:
    """The samples of a NIfTI file.

    Args:
        payload: Where they lie; header and samples are one stream.
        dtype: Of one, without byte order.
        slope: What a sample is multiplied with; 1 if it stands for itself.
        intercept: What is added then.
    """

    payload: Payload
    dtype: np.dtype[Any]
    slope: float
    intercept: float

    @property
    def scaled(self) -> bool:
        """Whether samples do not stand for themselves."""
        return (self.slope, self.intercept) != (1.0, 0.0)

    def rescale(self, stored: NDArray[Any]) -> NDArray[Any]:
        """The values that stored samples, (Z, Y, X) or (Y, X), stand for.

        Of floats in their own type, of integers as float32, which SimpleITK gives too.
        """
        if not self.scaled:
            return stored
        values = np.empty(stored.shape, np.float64 if stored.dtype == np.float64 else np.float32)
        for plane, samples in zip(values, stored, strict=True):  # a plane of float64 at a time
            plane[...] = samples.astype(values.dtype) * np.float64(self.slope) + self.intercept
        return values


def nifti_samples(path: Path) -> NiftiSamples:
    """What the header of the file says.

    Args:
        path: The file.

    Raises:
        DataError: If samples are of a type that is no real number.
    """
    header = read_nifti_header(path)
    if header.type_code not in TYPES:
        raise DataError(
            f"{path} holds samples of NIfTI's type {header.type_code}, and rdfc reads real numbers "
            "of up to 64 bits. Save it with one of these types."
        )
    payload = Payload(
        path,
        0,
        "gzip" if header.compressed else "raw",
        skip=header.offset,
        byte_order=header.byte_order,
    )
    dtype = np.dtype(TYPES[header.type_code])
    return NiftiSamples(payload, dtype, header.slope, header.intercept)
