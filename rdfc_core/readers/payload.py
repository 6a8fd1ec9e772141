"""Where a volume file keeps its samples, according to its own header."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rdfc_core.errors import DataError

HEADER_LIMIT = 2**20
"""Bytes; a text header longer than this is none."""

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
    byte_order: ByteOrder = ">" if fields.get("endian", "").lower() == "big" else "<"
    return replace(_located(path, start, data_file, encoding), byte_order=byte_order)


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
    most_significant_first = any(
        _true(fields.get(key, "")) for key in ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
    )
    return replace(
        payload,
        stream_bytes=None if declared == "0" else declared,
        byte_order=">" if most_significant_first else "<",
    )


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
