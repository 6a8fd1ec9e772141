"""The header of a NIfTI file, of version 1 or 2, read without any library.

SimpleITK reads NIfTI headers, but none of version 2, none of a file whose ending mixes small and
capital letters, and none whose axes are off the right angle by a rounding error.

Source: the header files nifti1.h and nifti2.h of the NIfTI Data Format Working Group.
"""

from __future__ import annotations

import gzip
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rdfc_core.errors import DataError

HEADER_BYTES = {348: 1, 540: 2}
"""The number that a header starts with, in the file's own byte order → version."""

MAGIC = {1: (344, b"n+1\0"), 2: (4, b"n+2\0\r\n\x1a\n")}
"""Version → where it stands in a header that is followed by its samples, and what it is."""

FIELDS = {
    1: {
        **{"dim": (40, "8h"), "type": (70, "h"), "pixdim": (76, "8f"), "offset": (108, "f")},
        **{"scale": (112, "2f"), "units": (123, "B"), "codes": (252, "2h")},
        **{"quaternion": (256, "6f"), "affine": (280, "12f")},
    },
    2: {
        **{"dim": (16, "8q"), "type": (12, "h"), "pixdim": (104, "8d"), "offset": (168, "q")},
        **{"scale": (176, "2d"), "units": (500, "i"), "codes": (344, "2i")},
        **{"quaternion": (352, "6d"), "affine": (400, "12d")},
    },
}
"""Version → field → where it stands, and of what type it is."""

MM = {1: 1000.0, 3: 0.001}
"""Millimetres of NIfTI's units of length; of all others, 1."""

LPS = np.array([-1.0, -1.0, 1.0])
"""NIfTI's axes run to the right and to the front, DICOM's and SimpleITK's to the left and back."""


@dataclass(frozen=True)
class NiftiHeader:
    """What a NIfTI header says.

    Args:
        version: 1 or 2.
        byte_order: Of header and samples.
        compressed: Whether the file is a gzip.
        size: Samples along each axis, the fastest first.
        type_code: NIfTI's number of the samples' type.
        offset: Byte at which the samples begin.
        slope: What a sample is multiplied with.
        intercept: What is added then.
        axes_mm: (3, 3), column i is the step along axis i in (x, y, z), towards the patient's
            left, back and head.
        origin_mm: Position of the first sample, (x, y, z).
        other_axes_mm: As ``axes_mm``, of the quaternion (qform) where the affine (sform) is used
            and both are there; otherwise None.
    """

    version: int
    byte_order: Literal["<", ">"]
    compressed: bool
    size: tuple[int, ...]
    type_code: int
    offset: int
    slope: float
    intercept: float
    axes_mm: NDArray[np.float64]
    origin_mm: tuple[float, ...]
    other_axes_mm: NDArray[np.float64] | None = None


def read_nifti_header(path: Path) -> NiftiHeader:
    """The header of a NIfTI file.

    Raises:
        DataError: If the file has none.
    """
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        raw = (gzip.GzipFile(fileobj=file) if compressed else file).read(max(HEADER_BYTES))
    byte_order: Literal["<", ">"] = "<"
    for order in ("<", ">"):
        if len(raw) >= 4 and struct.unpack_from(f"{order}i", raw)[0] in HEADER_BYTES:
            byte_order = order
            break
    else:
        raise DataError(f"{path} does not begin with a NIfTI header. Copy or export it again.")
    (length,) = struct.unpack_from(f"{byte_order}i", raw)
    version = HEADER_BYTES[length]
    if len(raw) < length:
        raise DataError(f"{path} is cut short within its header. Copy or export it again.")
    values = {
        name: struct.unpack_from(byte_order + form, raw, place)
        for name, (place, form) in FIELDS[version].items()
    }
    slope, intercept = values["scale"]
    axes_mm, origin_mm, other = _geometry(values)
    axis_count = min(max(int(values["dim"][0]), 0), 7)
    return NiftiHeader(
        version=version,
        byte_order=byte_order,
        compressed=compressed,
        size=tuple(int(n) for n in values["dim"][1 : 1 + axis_count]),
        type_code=values["type"][0],
        offset=int(values["offset"][0]),
        # Of what is not defined, ITK takes the slope for 1 and the intercept for 0.
        slope=slope if math.isfinite(slope) and slope != 0 else 1.0,
        intercept=intercept if math.isfinite(intercept) else 0.0,
        axes_mm=axes_mm,
        origin_mm=origin_mm,
        other_axes_mm=other,
    )


def is_single_file(path: Path, header: NiftiHeader) -> bool:
    """Whether the samples follow the header, as in all ``.nii`` files."""
    place, magic = MAGIC[header.version]
    with path.open("rb") as file:
        raw = (gzip.GzipFile(fileobj=file) if header.compressed else file).read(place + len(magic))
    return raw[place:] == magic


def _geometry(
    values: dict[str, tuple[float, ...]],
) -> tuple[NDArray[np.float64], tuple[float, ...], NDArray[np.float64] | None]:
    """Axes and origin: of the affine if there is one, else of the quaternion, else the spacing.

    Third, the axes of the quaternion where both are there.
    """
    qform_code, sform_code = values["codes"]
    scale = MM.get(int(values["units"][0]) & 7, 1.0)
    spacing = np.array(values["pixdim"][1:4])
    rotation = _rotation(values["quaternion"][:3])
    rotation[:, 2] *= -1.0 if values["pixdim"][0] < 0 else 1.0
    quaternion = np.column_stack([rotation * spacing, values["quaternion"][3:]])
    to_mm = scale * LPS[:, None]
    other = None
    if sform_code > 0:
        affine = np.reshape(values["affine"], (3, 4))
        other = to_mm * quaternion[:, :3] if qform_code > 0 else None
    elif qform_code > 0:
        affine = quaternion
    else:
        affine = np.column_stack([np.diag(spacing) * LPS[:, None], np.zeros(3)])
    return to_mm * affine[:, :3], tuple(float(x) for x in scale * LPS * affine[:, 3]), other


def _rotation(quaternion: tuple[float, ...]) -> NDArray[np.float64]:
    """(3, 3), from the last three of a unit quaternion's four numbers."""
    b, c, d = quaternion
    a = math.sqrt(max(0.0, 1.0 - (b * b + c * c + d * d)))
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
