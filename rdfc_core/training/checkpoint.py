"""Checkpoints: any nesting of tensors and plain values as one safetensors file, without pickle.

A file is written beside its final name, flushed to the disk and then renamed, and the one before
it is kept, so that a crash or a full disk never costs the last good state.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from rdfc_core.errors import DataError
from rdfc_core.utils.atomic import MOST_WEIGHTS, replacing, within

log = logging.getLogger("rdfc")

DAMAGED = (
    *(SafetensorError, OSError, ValueError, KeyError, TypeError),
    RecursionError,  # of a skeleton that is nested beyond all measure
)
"""What reading a damaged checkpoint raises."""

TENSOR = "tensor"
MAPPING = "mapping"


class Packed(NamedTuple):
    """A state as it was when it was packed, whatever becomes of it later.

    Args:
        skeleton: Its nesting and plain values, as JSON.
        tensors: Copies, on the device where they were.
    """

    skeleton: str
    tensors: dict[str, torch.Tensor]


def packed(state: Any) -> Packed:
    """A copy of the state, ready to be written.

    Args:
        state: Mappings (keys are text or whole numbers), lists, tensors, numbers, text and None.
    """
    tensors: dict[str, torch.Tensor] = {}
    return Packed(json.dumps(_split(state, tensors)), tensors)


def save(path: Path, state: Any) -> None:
    """Write the state, as `packed` takes it; the file that was there becomes ``previous-…``.

    Raises:
        DataError: If it cannot be written; the last good file is then still in place.
    """
    write(path, packed(state))


def write(path: Path, state: Packed) -> None:
    """The second half of `save`, which needs no more of the state than its copy."""
    skeleton = state.skeleton
    tensors = {key: tensor.cpu() for key, tensor in state.tensors.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        about = {"skeleton": skeleton, "sha256": _digest(skeleton, tensors)}
        with replacing(path) as partial:
            save_file(tensors, partial, metadata=about)
            flush(partial)
            if path.exists():
                path.replace(_previous(path))
        flush(path.parent)  # the new names, too
    except (OSError, SafetensorError) as error:
        raise DataError(
            f"The checkpoint {path} could not be written: {error}. The last good one is kept; "
            "free some space and run the same command again."
        ) from error


def load(path: Path) -> Any | None:
    """The state in the file, or in the one before it if it is damaged, or None without either.

    Raises:
        DataError: If the file is damaged and there is none before it.
    """
    damaged: Exception | None = None
    for candidate in (path, _previous(path)):
        if not candidate.exists():
            continue
        try:
            state = read(candidate)
        except DAMAGED as error:
            damaged = error
        else:
            if damaged is not None:
                log.warning(
                    "The checkpoint %s is damaged (%s): the one before it is used.", path, damaged
                )
            return state
    if damaged is not None:
        raise DataError(
            f"The checkpoint {path} is damaged ({damaged}) and there is none before it. "
            "Delete it to begin afresh."
        ) from damaged
    return None


def flush(path: Path) -> None:
    """Make sure that the content of a file, or the names in a folder, are on the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows opens no folder, and keeps names in order by itself
    # Windows flushes only what is open for writing; no system opens a folder for that.
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _previous(path: Path) -> Path:
    return path.with_name(f"previous-{path.name}")


def read(path: Path) -> Any:
    """The state in this very file; raises one of `DAMAGED` if it cannot be read."""
    with safe_open(within(path, MOST_WEIGHTS), framework="pt") as file:
        about = file.metadata()
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    # safetensors itself does not notice a bit that turned over among the numbers.
    if about["sha256"] != _digest(about["skeleton"], tensors):
        raise ValueError("its content does not match its checksum")
    return _join(json.loads(about["skeleton"]), tensors)


def _digest(skeleton: str, tensors: Mapping[str, torch.Tensor]) -> str:
    digest = hashlib.sha256(skeleton.encode())
    for key, tensor in sorted(tensors.items()):
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _split(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """The value with each tensor moved into ``tensors`` and its place marked."""
    if isinstance(value, torch.Tensor):
        key = str(len(tensors))
        tensors[key] = value.detach().clone(memory_format=torch.contiguous_format)
        return {TENSOR: key}
    if isinstance(value, dict):
        return {MAPPING: [[key, _split(inner, tensors)] for key, inner in value.items()]}
    if isinstance(value, list | tuple):
        return [_split(inner, tensors) for inner in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a checkpoint holds no {type(value).__name__}")


def _join(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(value, list):
        return [_join(inner, tensors) for inner in value]
    if isinstance(value, dict):
        if TENSOR in value:
            return tensors[value[TENSOR]]
        return {key: _join(inner, tensors) for key, inner in value[MAPPING]}
    return value
