"""NIfTI, NRRD and MetaImage volumes: headers through SimpleITK, samples read once and checked."""

from __future__ import annotations

import hashlib
import math
import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Volume
from rdfc_core.errors import DataError
from rdfc_core.interfaces.reader import Reader
from rdfc_core.readers.config import VolumeReaderConfig
from rdfc_core.readers.nifti import nifti_samples
from rdfc_core.readers.payload import Payload, meta_payload, nrrd_payload
from rdfc_core.readers.samples import read_samples

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

UNREADABLE = (
    *(OSError, EOFError, zlib.error, MemoryError),
    RuntimeError,  # SimpleITK's
    *(ValueError, OverflowError),  # a header may hold numbers that are none
)
"""What reading a damaged file raises, besides what is said of it here."""

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
        if not path.is_file():
            raise DataError(f"{path} does not exist. Correct the path.")
        try:
            payload = _payload(path)  # first: it refuses headers that SimpleITK does not survive
            reader = self._header(path)
            return _on_grid(_samples(path, reader, payload), reader)
        except UNREADABLE as error:
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
            payload = _payload(path)
        except DataError:
            return digest
        if payload is None or payload.file == path:
            return digest
        return hashlib.sha256((digest + super().fingerprint(payload.file)).encode()).hexdigest()

    def _header(self, path: Path) -> sitk.ImageFileReader:
        """A reader that has read the header and found nothing against it."""
        import SimpleITK as sitk  # noqa: N813  (heavy: loaded when a volume is)

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


def _payload(path: Path) -> Payload | None:
    """Where the samples lie according to a text header; None of a NIfTI, which has another."""
    io = _image_io(path)
    if io == "NiftiImageIO":
        return None
    return nrrd_payload(path) if io == "NrrdImageIO" else meta_payload(path)


def _samples(path: Path, reader: sitk.ImageFileReader, payload: Payload | None) -> NDArray[Any]:
    """All samples, in array order; a NIfTI's with slope and intercept applied."""
    shape = reader.GetSize()[::-1]
    if payload is not None:
        return read_samples(payload, math.prod(shape), _dtype(path, reader)).reshape(shape)
    nifti = nifti_samples(path)
    return nifti.rescale(read_samples(nifti.payload, math.prod(shape), nifti.dtype).reshape(shape))


def _dtype(path: Path, reader: sitk.ImageFileReader) -> np.dtype[Any]:
    """Of the samples, according to SimpleITK."""
    import SimpleITK as sitk  # noqa: N813

    kind = reader.GetPixelIDValue()
    name = sitk.GetPixelIDValueAsString(kind)
    found = re.fullmatch(r"(\d+)-bit (signed|unsigned|float)( integer)?", name)
    if found is None:
        raise DataError(
            f"{path} holds samples of the type {name}, and rdfc reads real numbers of up to 64 "
            "bits. Save it with one of these types."
        )
    letter = {"signed": "i", "unsigned": "u", "float": "f"}[found[2]]
    return np.dtype(f"{letter}{int(found[1]) // 8}")


def _on_grid(array: NDArray[Any], reader: sitk.ImageFileReader) -> Volume:
    """The array on the header's grid, without axes beyond the third, whose length is 1."""
    axes = array.ndim
    kept = min(axes, 3)
    direction = np.reshape(reader.GetDirection(), (axes, axes))[:kept, :kept]
    return Volume(
        array.reshape(array.shape[axes - kept :]),
        reader.GetSpacing()[:kept][::-1],
        reader.GetOrigin()[:kept],
        direction[:, ::-1] + 0.0,  # which makes 0 of -0
    )


def _reason(error: Exception, path: Path) -> str:
    """What SimpleITK said, without where in its sources it said so."""
    text = " ".join(str(error).split()) or type(error).__name__
    text = re.sub(r"^.*ERROR: (\w+\(0x[0-9a-f]+\): )?", "", text)
    return text.replace(str(path), "it").rstrip(".!")


def _by(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))
