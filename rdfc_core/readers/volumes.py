"""NIfTI, NRRD and MetaImage volumes through SimpleITK, checked before they are decoded."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rdfc_core.case import Volume
from rdfc_core.errors import DataError
from rdfc_core.interfaces.reader import Reader
from rdfc_core.readers.config import VolumeReaderConfig
from rdfc_core.readers.integrity import NonFinite, check_holds
from rdfc_core.readers.payload import (
    Payload,
    meta_payload,
    nifti_byte_order,
    nifti_payload,
    nrrd_payload,
)

if TYPE_CHECKING:
    import SimpleITK as sitk  # noqa: N813

FORMATS = {
    ".nii": "NiftiImageIO",
    ".nii.gz": "NiftiImageIO",
    ".nrrd": "NrrdImageIO",
    ".nhdr": "NrrdImageIO",
    ".mha": "MetaImageIO",
    ".mhd": "MetaImageIO",
}
"""File ending → the part of SimpleITK that reads it, so that no other part is tried."""

NIFTI_FLOATS = {"16": "f4", "64": "f8"}
"""NIfTI's numbers of the types that can hold NaN."""

RIGHT_ANGLE_TOLERANCE = 1e-3
"""Of the scalar products of two axes: headers hold rounded numbers."""


class VolumeReader(Reader):
    """Reads ``.nii``, ``.nii.gz``, ``.nrrd``, ``.nhdr``, ``.mha`` and ``.mhd`` files.

    The samples keep their type; a NIfTI with a slope or an intercept is scaled and becomes
    floating point. A fourth axis of length 1 is dropped, a volume of one slice stays a volume,
    and a file of two axes is a picture with its own spacing. Volumes over time and volumes with
    several channels are refused.
    """

    def __init__(self, config: VolumeReaderConfig | None = None) -> None:
        self.config = config or VolumeReaderConfig()

    def reads(self, path: Path) -> bool:
        """Whether the name ends as one of the formats does, in small or in capital letters."""
        return _image_io(path) is not None

    def read_image(self, path: Path) -> Volume:
        """The volume, (Z, Y, X) or (H, W).

        Raises:
            DataError: If the file is damaged, cut short, claims more than it holds or more than
                ``max_voxels``, or is no scalar volume of two or three axes.
        """
        try:
            reader = self._header(path)
            _check_samples(path, reader)
            return _without_time(Volume.from_sitk(reader.Execute()))
        # SimpleITK raises RuntimeError; a header may hold numbers that are none.
        except (OSError, RuntimeError, MemoryError, ValueError, OverflowError) as error:
            raise DataError(
                f"{path} cannot be read: {_reason(error, path)}. It may be damaged: copy or export "
                "it again."
            ) from error

    def fingerprint(self, path: Path) -> str:
        """The SHA-256 of the file, and of the file that its header names where there is one.

        Of a header that cannot be understood, which `read_image` refuses, it is that of the header.

        Raises:
            DataError: If the file cannot be read.
        """
        digest = super().fingerprint(path)
        try:
            samples = _payload(path).file
        except DataError:
            return digest
        if samples == path:
            return digest
        return hashlib.sha256((digest + super().fingerprint(samples)).encode()).hexdigest()

    def _header(self, path: Path) -> sitk.ImageFileReader:
        """A reader that has read the header and found nothing against it."""
        import SimpleITK as sitk  # noqa: N813  (heavy: loaded when a volume is)

        if not path.is_file():
            raise DataError(f"{path} does not exist. Correct the path.")
        reader = sitk.ImageFileReader()
        reader.SetImageIO(_image_io(path) or "")
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        size = reader.GetSize()
        if math.prod(size) > self.config.max_voxels:
            raise DataError(
                f"{path} claims {_by(size)} voxels, more than the limit of "
                f"{self.config.max_voxels}. Crop it around the tumour, or raise max_voxels."
            )
        if reader.GetNumberOfComponents() != 1:
            kind = sitk.GetPixelIDValueAsString(reader.GetPixelIDValue())
            raise DataError(
                f"{path} holds a {kind} at each voxel, and one number is needed. "
                "Save the channel that is meant as a volume of its own."
            )
        if len(size) < 2 or any(n != 1 for n in size[3:]):
            raise DataError(
                f"{path} has {len(size)} axes ({_by(size)}), and two or three are needed. "
                "Save the time point or channel that is meant as a volume of its own."
            )
        _check_geometry(path, reader)
        return reader


def _check_geometry(path: Path, reader: sitk.ImageFileReader) -> None:
    spacing = np.asarray(reader.GetSpacing())
    if not (np.isfinite(spacing).all() and (spacing > 0).all()):
        raise DataError(
            f"{path} has the spacing {tuple(map(float, spacing))} mm, and it must be positive. "
            "Correct the header."
        )
    if not np.isfinite(reader.GetOrigin()).all():
        raise DataError(
            f"{path} has the origin {reader.GetOrigin()} mm, which is no place. Correct the header."
        )
    direction = np.asarray(reader.GetDirection()).reshape(len(spacing), -1)
    skew = np.abs(direction.T @ direction - np.eye(len(spacing))).max()
    if not skew <= RIGHT_ANGLE_TOLERANCE:  # also refuses NaN
        raise DataError(
            f"{path} has axes that are not at right angles (off by {skew:.3g}, for example a "
            "tilted gantry). Resample it onto a rectangular grid."
        )


def _image_io(path: Path) -> str | None:
    name = path.name.lower()
    return next((io for ending, io in FORMATS.items() if name.endswith(ending)), None)


def _payload(path: Path, reader: sitk.ImageFileReader | None = None) -> Payload:
    """Where the samples lie; in a NIfTI, exactly only with the reader of its header."""
    match _image_io(path):
        case "NrrdImageIO":
            return nrrd_payload(path)
        case "MetaImageIO":
            return meta_payload(path)
    return nifti_payload(path, int(float(reader.GetMetaData("vox_offset"))) if reader else 0)


def _check_samples(path: Path, reader: sitk.ImageFileReader) -> None:
    import SimpleITK as sitk  # noqa: N813

    payload = _payload(path, reader)
    voxels = math.prod(reader.GetSize())
    if _image_io(path) != "NiftiImageIO":
        sample = sitk.Image([1, 1], reader.GetPixelIDValue())
        check_holds(payload, voxels * sample.GetSizeOfPixelComponent())
        return
    width = int(reader.GetMetaData("bitpix")) // 8  # as stored: reading may scale the samples
    kind = NIFTI_FLOATS.get(reader.GetMetaData("datatype"))
    if kind is None:
        check_holds(payload, voxels * width)
        return
    non_finite = NonFinite(np.dtype(f"{nifti_byte_order(payload)}{kind}"), payload.skip)
    check_holds(payload, voxels * width, non_finite.add)
    if non_finite.count:
        raise DataError(
            f"{path} holds {non_finite.count} NaN or infinite voxels, which would be read as 0. "
            "Replace them (for example by the lowest valid value), or drop the case."
        )


def _without_time(volume: Volume) -> Volume:
    """The volume without axes beyond the third, each of which has the length 1."""
    while volume.array.ndim > 3:
        volume = replace(
            volume,
            array=volume.array[0],
            spacing_mm=volume.spacing_mm[1:],
            origin_mm=volume.origin_mm[:-1],
            direction=volume.direction[:-1, 1:],
        )
    return volume


def _reason(error: Exception, path: Path) -> str:
    """What SimpleITK said, without where in its sources it said so."""
    text = " ".join(str(error).split()) or type(error).__name__
    text = re.sub(r"^.*ERROR: (\w+\(0x[0-9a-f]+\): )?", "", text)
    return text.replace(str(path), "it").rstrip(".!")


def _by(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))
