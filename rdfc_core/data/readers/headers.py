"""Where a volume file keeps its samples, according to its own header."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rdfc_core.errors import DataError

HEADER_LIMIT = 2**20
"""Bytes; a text header longer than this is none."""

NRRD_FIELD_BYTES = 400
"""Of a line, and of the file's path. NRRD's library puts both into messages of 1,025 bytes at most
without looking at their length, and what does not fit overwrites the program."""

META_TEXT_BYTES = 254
"""Of a line that is no list of numbers: MetaImage's library has room for so many in its value."""

META_LISTS = (
    *("DimSize", "ElementSpacing", "ElementSize", "TransformMatrix", "Rotation", "Orientation"),
    *("Offset", "Position", "Origin", "CenterOfRotation"),
)
META_AXES = re.compile(r"NDims\s*=\s*([1-9]|10)")
"""MetaImage's library has room for ten, and writes beyond it where a header has more."""

CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f]")
"""Where each library has its own idea of whether a line ends."""

META_END = re.compile(r"ElementDataFile\s*=\s*\S")

Encoding = Literal["raw", "gzip", "zlib"]
ByteOrder = Literal["<", ">"]
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
        byte_order: Of each sample: the least significant byte first, or the most.
    """

    file: Path
    start: int
    encoding: Encoding
    skip: int = 0
    stream_bytes: str | None = None
    byte_order: ByteOrder = "<"


def nrrd_payload(path: Path) -> Payload:
    """Where a NRRD file, or a detached header (.nhdr), has its samples.

    Raises:
        DataError: If the header has no end, or stores samples in a way that cannot be checked.
    """
    lines, start = _text_header(path, lambda line: not line.strip())
    if len(os.fsencode(path)) > NRRD_FIELD_BYTES:
        raise DataError(f"{path} has too long a path. Move it nearer to the root of the disk.")
    fields = {}
    for line in lines:
        _check_nrrd_line(path, line)
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
    byte_order: ByteOrder = ">" if fields.get("endian", "").lower() == "big" else "<"
    return replace(_located(path, start, data_file, encoding), byte_order=byte_order)


def meta_payload(path: Path) -> Payload:
    """Where a MetaImage file (.mha), or its detached header (.mhd), has its samples.

    Raises:
        DataError: If the header has no end, or stores samples in a way that cannot be checked.
    """
    lines, start = _text_header(path, lambda line: META_END.match(line.strip()) is not None)
    if not (lines and META_END.match(lines[-1].strip())):
        raise DataError(
            f"{path} has no line ElementDataFile, which ends a MetaImage header. "
            "Copy or export the file again."
        )
    fields = {}
    for line in lines:
        _check_meta_line(path, line)
        key, _, value = line.partition("=")
        fields[key.strip()] = value.strip()
    if not _true(fields.get("BinaryData", "")):
        raise _unchecked(path, f"BinaryData = {fields.get('BinaryData', 'missing')}")
    if fields.get("HeaderSize", "0") != "0":
        raise _unchecked(path, f"HeaderSize = {fields['HeaderSize']}")
    encoding: Encoding = "zlib" if _true(fields.get("CompressedData", "")) else "raw"
    name = fields["ElementDataFile"]
    payload = _located(path, start, None if name.lower() == "local" else name, encoding)
    declared = fields.get("CompressedDataSize", "0")
    most_significant_first = any(
        _true(fields.get(key, "")) for key in ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
    )
    return replace(
        payload,
        stream_bytes=None if declared == "0" else declared,
        byte_order=">" if most_significant_first else "<",
    )


def _check_nrrd_line(path: Path, line: str) -> None:
    _check_text(path, line)
    field = ":=" not in line.partition(": ")[0]  # otherwise a key with its value, of any length
    if field and not line.startswith("#"):
        _check_length(path, line, NRRD_FIELD_BYTES)


def _check_meta_line(path: Path, line: str) -> None:
    _check_text(path, line)
    if "NDims" in line and not META_AXES.fullmatch(line.strip()):
        raise DataError(
            f"{path} does not say how many axes it has ({line[:40]}). Copy or export it again."
        )
    if line.partition("=")[0].strip() not in META_LISTS:
        _check_length(path, line, META_TEXT_BYTES)


def _check_text(path: Path, line: str) -> None:
    if CONTROL.search(line):
        raise DataError(
            f"{path} has characters in its header that are no text ({line[:20]}…). Copy or export "
            "the file again."
        )


def _check_length(path: Path, line: str, most: int) -> None:
    if len(line.encode()) > most:
        raise DataError(
            f"{path} has a line of {len(line)} characters in its header, where {most} are the most "
            f"that can be read safely ({line[:20]}…). Shorten it."
        )


def _true(value: str) -> bool:
    """As MetaImage reads it: by the first letter."""
    return value[:1].lower() in ("t", "1")


def _text_header(path: Path, is_last: Callable[[str], bool]) -> tuple[list[str], int]:
    """The lines of a header up to the last one, or the file's end, and the byte after it."""
    lines: list[str] = []
    with path.open("rb") as file:
        while line := file.readline(HEADER_LIMIT):
            lines.append(line.decode("utf-8", errors="replace").rstrip("\r\n"))
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
