"""The samples of a volume file: as many bytes as its header claims, undamaged, and no more.

SimpleITK 2.5 fills what is missing with zeros and says nothing: a NIfTI cut anywhere, a MetaImage
whose zlib stream is damaged, a gzip whose checksum is missing or wrong. In NIfTI it also turns NaN
and infinite samples into zeros, where a case has to refuse them. So SimpleITK reads headers alone.
Samples are read here, once: a plain file is measured first, a compressed one is inflated to its
end, where its checksum stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from os import SEEK_END
from typing import Any, BinaryIO

import numpy as np
from isal import igzip, isal_zlib  # as zlib, in half its time
from numpy.typing import NDArray

from rdfc_core.data.readers.headers import Payload
from rdfc_core.errors import DataError

CHUNK = 2**20


def read_samples(payload: Payload, count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """All samples of a file in its own order, (count,), in the machine's byte order.

    Memory is filled only as far as the file goes, however much its header claims.

    Args:
        payload: Where the samples lie.
        count: How many the header claims.
        dtype: Of one, without byte order.

    Raises:
        DataError: If bytes are missing, left over or damaged.
    """
    stored = dtype.newbyteorder(payload.byte_order)
    claimed = payload.skip + count * dtype.itemsize
    with payload.file.open("rb") as file:
        held = file.seek(0, SEEK_END) - payload.start
        file.seek(payload.start)
        if payload.encoding != "raw":
            _check_stream_length(payload, held)
            samples = np.empty(count, stored)
            held = _inflate(payload, file, samples.view(np.uint8))
        elif held == claimed:
            samples = np.fromfile(file, stored, count, offset=payload.skip)
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
    return samples.astype(dtype, copy=False)


def _check_stream_length(payload: Payload, held: int) -> None:
    # A field that is wrong tells of a damaged header.
    if payload.stream_bytes not in (None, str(held)):
        raise DataError(
            f"{payload.file} is cut short or damaged: its header claims {payload.stream_bytes} "
            f"compressed bytes and it holds {held}. Copy or export the file again."
        )


def _inflate(payload: Payload, file: BinaryIO, target: NDArray[np.uint8]) -> int:
    """Fill the target from the compressed stream; how many bytes the stream holds.

    Reading stops soon after there is more than the target takes.
    """
    read = _gunzipped if payload.encoding == "gzip" else _inflated
    held = 0
    try:
        for chunk in read(file):
            start = held - payload.skip
            held += len(chunk)
            if held > payload.skip + len(target):
                break
            part = np.frombuffer(chunk, np.uint8)[max(0, -start) :]
            start = max(0, start)
            target[start : start + len(part)] = part
    except (EOFError, OSError, isal_zlib.error) as error:
        raise DataError(
            f"{payload.file} is damaged or cut short: its compressed data do not check out "
            f"({' '.join(str(error).split())}). Copy or export the file again."
        ) from error
    return held


def _gunzipped(file: BinaryIO) -> Iterator[bytes]:
    with igzip.open(file) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _inflated(file: BinaryIO) -> Iterator[bytes]:
    inflate = isal_zlib.decompressobj(wbits=47)  # 47: zlib or gzip, as MetaIO accepts either
    while not inflate.eof:
        compressed = inflate.unconsumed_tail or file.read(CHUNK)
        samples = inflate.decompress(compressed, CHUNK)
        if not compressed and not samples:
            raise EOFError("the stream ends before its end marker")
        yield samples
