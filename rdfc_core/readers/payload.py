"""Where a volume file keeps its samples, according to its own header."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rdfc_core.errors import DataError

HEADER_LIMIT = 2**20
"""Bytes; a text header longer than this is none."""

Encoding = Literal["raw", "gzip", "zlib"]
NRRD_ENCODINGS: dict[str, Encoding] = {"raw": "raw", "gzip": "gzip", "gz": "gzip"}


@dataclass(frozen=True)
class Payload:
    """Where the samples of a volume lie.

    Args:
        file: The file that holds them: the volume's own, or the one its header names.
        start: Byte at which they, or their compressed stream, begin.
        encoding: How they are stored.
        skip: Bytes that come before the samples, counted after decompression.
        stream_bytes: Length of the compressed stream as the header has it, where it does.
    """

    file: Path
    start: int
    encoding: Encoding
    skip: int = 0
    stream_bytes: str | None = None


def nifti_payload(path: Path, skip: int) -> Payload:
    """A NIfTI file is one stream, header included; ``skip`` is its ``vox_offset``."""
    with path.open("rb") as stream:
        compressed = stream.read(2) == b"\x1f\x8b"
    return Payload(path, 0, "gzip" if compressed else "raw", skip)


def nifti_byte_order(payload: Payload) -> Literal["<", ">"]:
    """A NIfTI file starts with the number 348 in its own byte order."""
    with payload.file.open("rb") as file:
        stream = gzip.GzipFile(fileobj=file) if payload.encoding == "gzip" else file
        return ">" if stream.read(4) == struct.pack(">i", 348) else "<"


def nrrd_payload(path: Path) -> Payload:
    """Where a NRRD file, or a detached header (.nhdr), has its samples.

    Raises:
        DataError: If the header has no end, or stores samples in a way that cannot be checked.
    """
    lines, start = _text_header(path, lambda line: not line)
    fields = {}
    for line in lines[1:]:
        key, colon, value = line.partition(": ")
        if colon and not line.startswith("#"):
            fields[key.strip().lower()] = value.strip()
    encoding = NRRD_ENCODINGS.get(fields.get("encoding", "").lower())
    if encoding is None:
        raise _unchecked(path, f"encoding: {fields.get('encoding', 'missing')}")
    for skip in ("line skip", "lineskip", "byte skip", "byteskip"):
        if fields.get(skip, "0") != "0":
            raise _unchecked(path, f"{skip}: {fields[skip]}")
    data_file = fields.get("data file") or fields.get("datafile")
    return _located(path, start, data_file, encoding)


def meta_payload(path: Path) -> Payload:
    """Where a MetaImage file (.mha), or its detached header (.mhd), has its samples.

    Raises:
        DataError: If the header has no end, or stores samples in a way that cannot be checked.
    """
    lines, start = _text_header(path, lambda line: line.startswith("ElementDataFile"))
    fields = {}
    for line in lines:
        key, _, value = line.partition("=")
        fields[key.strip()] = value.strip()
    if not _true(fields.get("BinaryData", "")):
        raise _unchecked(path, f"BinaryData = {fields.get('BinaryData', 'missing')}")
    if fields.get("HeaderSize", "0") != "0":
        raise _unchecked(path, f"HeaderSize = {fields['HeaderSize']}")
    encoding: Encoding = "zlib" if _true(fields.get("CompressedData", "")) else "raw"
    name = fields.get("ElementDataFile")
    if name is None:
        raise DataError(
            f"{path} has no line ElementDataFile, which ends a MetaImage header. "
            "Copy or export the file again."
        )
    payload = _located(path, start, None if name.lower() == "local" else name, encoding)
    declared = fields.get("CompressedDataSize", "0")
    return replace(payload, stream_bytes=None if declared == "0" else declared)


def _true(value: str) -> bool:
    """As MetaImage reads it: by the first letter."""
    return value[:1].lower() in ("t", "1")


def _text_header(path: Path, is_last: Callable[[str], bool]) -> tuple[list[str], int]:
    """The lines of a header up to the last one, or the file's end, and the byte after it."""
    lines: list[str] = []
    with path.open("rb") as file:
        while line := file.readline(HEADER_LIMIT):
            lines.append(line.decode("utf-8", errors="replace").strip())
            if is_last(lines[-1]):
                break
            if file.tell() > HEADER_LIMIT:
                raise DataError(
                    f"{path} has no end of its header in its first {HEADER_LIMIT} bytes. "
                    "Copy or export the file again."
                )
        return lines, file.tell()


def _located(path: Path, start: int, data_file: str | None, encoding: Encoding) -> Payload:
    if data_file is None:
        return Payload(path, start, encoding)
    if data_file.upper().startswith("LIST") or "%" in data_file:
        raise _unchecked(path, f"several data files: {data_file}")
    file = path.parent / data_file
    if not file.is_file():
        raise DataError(
            f"{path} keeps its samples in {file}, which does not exist. "
            "Put that file beside its header."
        )
    return Payload(file, 0, encoding)


def _unchecked(path: Path, what: str) -> DataError:
    return DataError(
        f"{path} stores its samples in a way that rdfc does not read ({what}). "
        "Convert it to .nii.gz, or to one file with raw or gzip encoding."
    )
