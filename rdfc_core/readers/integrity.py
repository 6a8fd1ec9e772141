"""Does a volume file hold the samples that its header claims, undamaged, and no more?

SimpleITK 2.5 fills what is missing with zeros and says nothing: a NIfTI cut anywhere, a MetaImage
whose zlib stream is damaged, a gzip whose checksum is missing or wrong. In NIfTI it also turns NaN
and infinite samples into zeros. So the bytes are counted and looked at here before it decodes
them: a plain file by its size, a compressed one by streaming it to its end, where its checksum
stands.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from os import SEEK_END
from typing import BinaryIO

import numpy as np

from rdfc_core.errors import DataError
from rdfc_core.readers.payload import Payload

CHUNK = 2**20


def check_holds(
    payload: Payload, sample_bytes: int, look_at: Callable[[bytes], None] | None = None
) -> None:
    """The payload must hold exactly ``sample_bytes`` bytes of samples and be undamaged.

    Args:
        payload: Where the samples lie.
        sample_bytes: What the header claims: voxels times bytes a voxel.
        look_at: Is given everything the payload holds, piece by piece.

    Raises:
        DataError: If bytes are missing, left over or damaged.
    """
    claimed = payload.skip + sample_bytes
    with payload.file.open("rb") as file:
        held = file.seek(0, SEEK_END) - payload.start
        file.seek(payload.start)
        if payload.encoding != "raw":
            _check_stream_length(payload, held)
            held = _streamed(payload, file, claimed, look_at)
        elif look_at is not None and held == claimed:
            while chunk := file.read(CHUNK):
                look_at(chunk)
    if held < claimed:
        raise DataError(
            f"{payload.file} is cut short: its header claims {claimed} bytes and it holds {held}. "
            "Copy or export the file again."
        )
    if held > claimed:
        more = "more" if payload.encoding != "raw" else f"{held}"
        raise DataError(
            f"{payload.file} does not fit its header, which claims {claimed} bytes: it holds "
            f"{more}. The header may be damaged: copy or export the file again."
        )


def _check_stream_length(payload: Payload, held: int) -> None:
    # SimpleITK decodes only as many bytes as this field says, and leaves the rest zero.
    if payload.stream_bytes not in (None, str(held)):
        raise DataError(
            f"{payload.file} is cut short or damaged: its header claims {payload.stream_bytes} "
            f"compressed bytes and it holds {held}. Copy or export the file again."
        )


class NonFinite:
    """Counts NaN and infinite samples in a stream that is handed over piece by piece.

    Args:
        dtype: Of the samples, with their byte order.
        skip: Bytes before the first sample.
    """

    def __init__(self, dtype: np.dtype[np.floating], skip: int) -> None:
        self.count = 0
        self._dtype = dtype
        self._skip = skip
        self._rest = b""

    def add(self, chunk: bytes) -> None:
        """Count those in the next piece; samples may lie across pieces."""
        skipped = min(self._skip, len(chunk))
        self._skip -= skipped
        data = self._rest + chunk[skipped:]
        whole = len(data) - len(data) % self._dtype.itemsize
        samples = np.frombuffer(data[:whole], self._dtype)
        self.count += samples.size - int(np.isfinite(samples).sum())
        self._rest = data[whole:]


def _streamed(
    payload: Payload, file: BinaryIO, stop_after: int, look_at: Callable[[bytes], None] | None
) -> int:
    """Bytes in the compressed stream; reading stops soon after more than ``stop_after``."""
    read = _gunzipped if payload.encoding == "gzip" else _inflated
    held = 0
    try:
        for chunk in read(file):
            held += len(chunk)
            if held > stop_after:
                break
            if look_at is not None:
                look_at(chunk)
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(
            f"{payload.file} is damaged or cut short: its compressed data do not check out "
            f"({' '.join(str(error).split())}). Copy or export the file again."
        ) from error
    return held


def _gunzipped(file: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file, mode="rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _inflated(file: BinaryIO) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=47)  # 47: zlib or gzip, as MetaIO accepts either
    while not inflate.eof:
        compressed = inflate.unconsumed_tail or file.read(CHUNK)
        samples = inflate.decompress(compressed, CHUNK)
        if not compressed and not samples:
            raise EOFError("the stream ends before its end marker")
        yield samples
