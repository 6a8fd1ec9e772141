"""Samples of a file: decoded, in real units, with colours where it has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut, apply_modality_lut, get_decoder, pixel_array
from pydicom.pixels.utils import get_expected_length
from pydicom.uid import UID

from rdfc_core import DataError
from rdfc_reader_dicom.files import Header, quiet
from rdfc_reader_dicom.geometry import functional_group, numbers

BT_601 = (0.299, 0.587, 0.114)
"""Share of red, green and blue in luminance, as of pictures in other formats."""
PIXEL_KEYS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
JPEG_OF_12_BITS = ("1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")


def decoded(path: Path, dataset: Dataset, max_voxels: int) -> NDArray[Any]:
    """All frames of a file, (F, H, W) or (F, H, W, 3), stored values or RGB.

    Args:
        path: The file.
        dataset: With its pixels.
        max_voxels: More are refused before anything is decoded.

    Raises:
        DataError: If there are too many, none, or fewer than the header claims, or no decoder.
    """
    rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
    frames = max(1, int(dataset.get("NumberOfFrames") or 1))
    samples = int(dataset.get("SamplesPerPixel") or 1)
    if rows * columns * frames > max_voxels:
        raise DataError(
            f"{path} claims {frames} x {rows} x {columns} voxels, more than the limit of "
            f"{max_voxels}. Crop it around the tumour, or raise readers.dicom.max_voxels."
        )
    key = next((key for key in PIXEL_KEYS if key in dataset), None)
    if key is None:
        raise DataError(f"{path} holds no pixel data. Copy or export the file again.")
    _check_decoder(path, dataset.file_meta.TransferSyntaxUID)
    _check_length(path, dataset, key)
    try:
        with quiet():
            array = pixel_array(dataset)
            if str(dataset.get("PhotometricInterpretation", "")).strip() == "PALETTE COLOR":
                array = apply_color_lut(array, dataset)
    except MemoryError:
        raise
    except Exception:  # decoders fail on damaged data in every possible way
        raise DataError(
            f"{path} has pixel data that cannot be decoded "
            f"({dataset.file_meta.TransferSyntaxUID.name}). They may be damaged or cut short: copy "
            "or export the file again."
        ) from None
    colours = array.shape[-1] if samples > 1 or array.ndim > (3 if frames > 1 else 2) else 1
    expected = (frames, rows, columns, *([colours] if colours > 1 else []))
    if array.size != int(np.prod(expected)):
        raise DataError(
            f"{path} claims {frames} x {rows} x {columns} samples and holds {array.shape}. Copy or "
            "export the file again."
        )
    return array.reshape(expected).astype(array.dtype.newbyteorder("="), copy=False)


def _check_decoder(path: Path, syntax: UID) -> None:
    if syntax.is_private or not syntax.is_transfer_syntax:
        raise DataError(
            f"{path} is compressed in a way of its maker's own ({syntax}). Export it again without "
            "compression, or convert it with the maker's software."
        )
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise DataError(
            f"{path} is compressed as {syntax.name}, which pydicom does not decode. Export it "
            "again without compression."
        ) from error
    if not decoder.is_available:
        extra = "jpeg" if syntax in JPEG_OF_12_BITS else "compressed"
        raise DataError(
            f"{path} is compressed as {syntax.name}, for which no decoder is installed. Run pip "
            f"install 'rdfc-reader-dicom[{extra}]', or export the file without compression."
        )


def _check_length(path: Path, dataset: Dataset, key: str) -> None:
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return
    held, claimed = len(dataset[key].value or b""), get_expected_length(dataset)
    if held < claimed:
        raise DataError(
            f"{path} is cut short: its header claims {claimed} bytes of pixel data and it holds "
            f"{held}. Copy or export the file again."
        )


def real_values(
    header: Header, stored: NDArray[Any], frame: int, inverted: bool = False
) -> NDArray[Any]:
    """The samples of a grey frame in the units of its modality, such as Hounsfield units.

    Args:
        header: Of the file.
        stored: The frame, (H, W).
        frame: Its place in the file, from 0.
        inverted: Whether low stored values are shown white, and are to become high ones.

    Returns:
        (H, W): integers where slope and intercept leave them so, float64 otherwise.
    """
    dataset = header.dataset
    stored = _stored_bits(dataset, stored)
    if dataset.get("ModalityLUTSequence"):
        return _by_table(header, stored, inverted)
    if inverted:
        stored = _inverted(dataset, stored)
    group = functional_group(header, frame, "PixelValueTransformationSequence")
    slope = (numbers(header.path, group, "RescaleSlope", 1) or [1.0])[0]
    intercept = (numbers(header.path, group, "RescaleIntercept", 1) or [0.0])[0]
    if slope == 0:
        raise DataError(f"{header.path} has the RescaleSlope 0. Export the series again.")
    if stored.dtype.kind == "f" or not (slope == 1 and intercept.is_integer()):
        return stored.astype(np.float64) * slope + intercept
    return _as_integers(dataset, stored, int(intercept))


def _by_table(header: Header, stored: NDArray[Any], inverted: bool) -> NDArray[Any]:
    """Values by the file's own table."""
    try:
        with quiet():
            values = np.asarray(apply_modality_lut(stored, header.dataset))
            bits = int(header.dataset.ModalityLUTSequence[0].LUTDescriptor[2])
    except Exception:
        raise DataError(
            f"{header.path} has a damaged table of values (ModalityLUTSequence). Copy or export "
            "the file again."
        ) from None
    return values.dtype.type(2**bits - 1) - values if inverted else values


def _as_integers(dataset: Dataset, stored: NDArray[Any], intercept: int) -> NDArray[Any]:
    """In the smallest type that holds whatever the header allows: slices of a series agree."""
    if intercept == 0:
        return stored
    bits = int(dataset.get("BitsStored") or 8 * stored.dtype.itemsize)
    lowest = -(2 ** (bits - 1)) if stored.dtype.kind == "i" else 0
    highest = lowest + 2**bits - 1
    for kind in (np.int16, np.int32, np.int64):
        limits = np.iinfo(kind)
        if limits.min <= lowest + intercept and highest + intercept <= limits.max:
            return np.asarray(stored.astype(np.int64) + intercept).astype(kind)
    return stored.astype(np.float64) + intercept


def _stored_bits(dataset: Dataset, stored: NDArray[Any]) -> NDArray[Any]:
    """Without what lies in bits beyond BitsStored, such as the overlays of old files."""
    width = 8 * stored.dtype.itemsize
    bits = int(dataset.get("BitsStored") or width)
    if stored.dtype.kind not in "ui" or not 0 < bits < width:
        return stored
    return np.asarray(stored << (width - bits)) >> (width - bits)


def _inverted(dataset: Dataset, stored: NDArray[Any]) -> NDArray[Any]:
    """The largest value that the header allows for the smallest, and so on."""
    if stored.dtype.kind == "f":
        return -stored
    bits = int(dataset.get("BitsStored") or 8 * stored.dtype.itemsize)
    if stored.dtype.kind == "i":
        return np.asarray(-1 - stored)
    return np.asarray(stored.dtype.type(2**bits - 1) - stored)


def luminance(colours: NDArray[Any]) -> NDArray[Any]:
    """Grey values, (…, H, W), of (…, H, W, 3), in their own type."""
    grey = np.rint(colours[..., :3].astype(np.float64) @ np.array(BT_601))
    return np.asarray(grey, colours.dtype)
