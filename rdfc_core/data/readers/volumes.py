"""NIfTI, NRRD and MetaImage volumes: headers through SimpleITK, samples read once and checked."""

from __future__ import annotations

import hashlib
import math
import re
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Volume
from rdfc_core.data.readers.config import VolumeReaderConfig
from rdfc_core.data.readers.grid import Grid, by
from rdfc_core.data.readers.headers import Payload, meta_payload, nrrd_payload
from rdfc_core.data.readers.nifti import nifti_samples
from rdfc_core.data.readers.nifti_header import NiftiHeader, is_single_file, read_nifti_header
from rdfc_core.data.readers.voxels import read_samples
from rdfc_core.errors import DataError
from rdfc_core.interfaces.reader import Reader
from rdfc_core.utils.native_output import native_output_silenced

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

WHOLE_TOLERANCE = 1e-3
"""How far the values of a mask may be from integers that they stand for."""


class VolumeReader(Reader):
    """Reads ``.nii``, ``.nii.gz``, ``.nrrd``, ``.nhdr``, ``.mha`` and ``.mhd`` files.

    The samples keep their type; a NIfTI with a slope or an intercept is scaled and becomes
    floating point. A fourth axis of length 1 is dropped, a volume of one slice stays a volume,
    and a file of two axes is a picture with its own spacing. Volumes over time and volumes with
    several channels are refused.
    """

    known_as = "rdfc_core.readers.volumes.VolumeReader"

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
            grid, kind = self._header(path)
            volume = _on_grid(_samples(path, grid, kind, payload), grid)
            note = "" if payload is not None else grid.note_on(read_nifti_header(path))
            return replace(volume, notes=(note,)) if note else volume
        except UNREADABLE as error:
            raise DataError(
                f"{path} cannot be read: {_reason(error, path)}. It may be damaged: copy or export "
                "it again."
            ) from error

    def read_mask(self, path: Path, image: Volume | None = None) -> Volume:
        """The mask, (Z, Y, X) or (H, W).

        Values that are within 0.001 of integers, as scaling or resampling leaves them, are rounded.

        Raises:
            DataError: As `read_image`.
        """
        mask = self.read_image(path)
        return replace(mask, array=_rounded(mask.array))

    def mask_identity(self, path: Path) -> str:
        """As `identity`, and whether the mask's values are rounded."""
        identity = self.identity(path)
        if not self._has_floats(path):
            return identity
        try:
            values = self.read_image(path).array
        except DataError:
            return identity  # reading it will say so
        return identity if np.array_equal(values, _rounded(values)) else f"{identity}; rounded"

    def files(self, path: Path) -> Sequence[Path]:
        """The file, and the file that its header names where there is one."""
        try:
            payload = _payload(path)
        except DataError:
            return [path]
        return [path] if payload is None or payload.file == path else [path, payload.file]

    def fingerprint(self, path: Path) -> str:
        """The SHA-256 of the file, and of the file that its header names where there is one.

        Of a header that cannot be understood, which `read_image` refuses, it is that of the header.

        Raises:
            DataError: If the file cannot be read.
        """
        digest = super().fingerprint(path)
        for payload in self.files(path)[1:]:
            digest += super().fingerprint(payload)
            digest = hashlib.sha256(digest.encode()).hexdigest()
        return digest

    def _has_floats(self, path: Path) -> bool:
        """Whether samples are, or are scaled to, floating point; False of what cannot be read."""
        try:
            payload = _payload(path)
            if payload is None:
                nifti = nifti_samples(path)
                return nifti.scaled or nifti.dtype.kind == "f"
            return _dtype(path, self._header(path)[1]).kind == "f"
        except (DataError, *UNREADABLE):
            return False

    def _header(self, path: Path) -> tuple[Grid, str]:
        """The grid, with nothing against it, and SimpleITK's name of the samples' type."""
        import SimpleITK as sitk  # noqa: N813  (heavy: loaded when a volume is)

        reader = sitk.ImageFileReader()
        reader.SetImageIO(_image_io(path) or "")
        reader.SetFileName(str(path))
        try:
            with native_output_silenced():
                reader.ReadImageInformation()
        except RuntimeError as error:
            nifti = _beyond_simpleitk(path, error)
            if nifti is None:
                raise
            grid, components, kind = Grid.of_nifti(path, nifti), 1, ""
        else:
            grid, components = Grid.of_sitk(reader), reader.GetNumberOfComponents()
            kind = sitk.GetPixelIDValueAsString(reader.GetPixelIDValue())
        size = grid.size
        if math.prod(size) > self.config.max_voxels:
            raise DataError(
                f"{path} claims {by(size)} voxels, more than the limit of "
                f"{self.config.max_voxels}. Crop it around the tumour, or raise max_voxels."
            )
        if components != 1:
            raise DataError(
                f"{path} holds a {kind} at each voxel, and one number is needed. "
                "Save the channel or layer that is meant as a volume of its own."
            )
        if len(size) < 2 or any(n != 1 for n in size[3:]):
            raise DataError(
                f"{path} has {len(size)} axes ({by(size)}), and two or three are needed. "
                "Save the time point or channel that is meant as a volume of its own."
            )
        grid.check(path)
        return grid, kind


def _beyond_simpleitk(path: Path, error: RuntimeError) -> NiftiHeader | None:
    """The header of a NIfTI that SimpleITK does not read though nothing is wrong with it.

    That is one of version 2, one whose ending mixes small and capital letters, and one whose axes
    are not quite at right angles.
    """
    if _image_io(path) != "NiftiImageIO":
        return None
    header = read_nifti_header(path)
    ending = "".join(path.suffixes[-2:]) if path.suffix.lower() == ".gz" else path.suffix
    mixed = ending not in (ending.lower(), ending.upper())
    if header.version == 1 and not mixed and "orthonormal" not in str(error):
        return None
    return header if is_single_file(path, header) else None


def _image_io(path: Path) -> str | None:
    name = path.name.lower()
    return next((io for ending, io in FORMATS.items() if name.endswith(ending)), None)


def _payload(path: Path) -> Payload | None:
    """Where the samples lie according to a text header; None of a NIfTI, which has another."""
    io = _image_io(path)
    if io == "NiftiImageIO":
        return None
    return nrrd_payload(path) if io == "NrrdImageIO" else meta_payload(path)


def _samples(path: Path, grid: Grid, kind: str, payload: Payload | None) -> NDArray[Any]:
    """All samples, in array order; a NIfTI's with slope and intercept applied."""
    shape = grid.size[::-1]
    if payload is not None:
        return read_samples(payload, math.prod(shape), _dtype(path, kind)).reshape(shape)
    nifti = nifti_samples(path)
    return nifti.rescale(read_samples(nifti.payload, math.prod(shape), nifti.dtype).reshape(shape))


def _dtype(path: Path, kind: str) -> np.dtype[Any]:
    """Of the samples, from SimpleITK's name of their type; a vector of one is a number."""
    found = re.fullmatch(r"(?:vector of )?(\d+)-bit (signed|unsigned|float)( integer)?", kind)
    if found is None:
        raise DataError(
            f"{path} holds samples of the type {kind}, and rdfc reads real numbers of up to 64 "
            "bits. Save it with one of these types."
        )
    letter = {"signed": "i", "unsigned": "u", "float": "f"}[found[2]]
    return np.dtype(f"{letter}{int(found[1]) // 8}")


def _on_grid(array: NDArray[Any], grid: Grid) -> Volume:
    """The array on the header's grid, without axes beyond the third, whose length is 1."""
    axes = array.ndim
    kept = min(axes, 3)
    direction = grid.direction[:kept, :kept]
    return Volume(
        array.reshape(array.shape[axes - kept :]),
        grid.spacing_mm[:kept][::-1],
        grid.origin_mm[:kept],
        direction[:, ::-1] + 0.0,  # which makes 0 of -0
    )


def _rounded(values: NDArray[Any]) -> NDArray[Any]:
    """Values that are integers but for rounding as such; others as they are."""
    if values.dtype.kind != "f":
        return values
    with np.errstate(invalid="ignore"):  # NaN and infinities, which are refused elsewhere
        whole = np.rint(values)
        near = np.abs(values - whole).max() <= WHOLE_TOLERANCE
    return whole if near else values


def _reason(error: Exception, path: Path) -> str:
    """What SimpleITK said, without where in its sources it said so."""
    text = " ".join(str(error).split()) or type(error).__name__
    text = re.sub(r"^.*ERROR: (\w+\(0x[0-9a-f]+\): )?", "", text)
    return text.replace(str(path), "it").rstrip(".!")
