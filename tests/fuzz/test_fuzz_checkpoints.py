"""Malformed checkpoints: damaged files, damaged files with a right checksum, and pickles."""

from __future__ import annotations

import copy
import hashlib
import json
import pickle
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rdfc_core.training import checkpoint
from tests.fuzz.guard import Guard
from tests.fuzz.mutations import altered, bent, damaged
from tests.fuzz.shares import share

STATE = {
    "epoch": 3,
    "pretext": {"weight": torch.ones(3, 4), "steps": torch.tensor(7)},
    "optimizer": {0: {"momentum": torch.zeros(12), "lr": 0.1}, "groups": [[0], None, "x"]},
    "generator": torch.arange(64, dtype=torch.uint8),
}


class Trap:
    """A pickle that would run a command when it is loaded."""

    def __reduce__(self) -> Any:
        return eval, ("open('canary-file', 'w')",)


@pytest.fixture(scope="module")
def path(guard: Guard) -> Path:
    path = guard.inputs / "last.safetensors"
    checkpoint.save(path, STATE)
    checkpoint.load(path)
    return path


@pytest.fixture(scope="module")
def original(path: Path) -> bytes:
    return path.read_bytes()


@share(40)
@given(data=st.data())
def test_a_damaged_checkpoint_is_refused(
    guard: Guard, path: Path, original: bytes, data: Any
) -> None:
    path.write_bytes(data.draw(damaged(original)))
    guard.judge("checkpoint", lambda: checkpoint.load(path))


@share(30)
@given(data=st.data())
def test_a_bent_header_of_a_checkpoint_is_refused_or_read(
    guard: Guard, path: Path, original: bytes, data: Any
) -> None:
    header, samples = _parts(original)
    path.write_bytes(_joined(data.draw(bent(header)), samples))
    guard.judge("checkpoint", lambda: checkpoint.load(path))


@share(40)
@given(data=st.data())
def test_a_bent_skeleton_with_its_checksum_is_refused_or_read(
    guard: Guard, path: Path, original: bytes, data: Any
) -> None:
    """Someone made it on purpose: the checksum is that of the content."""
    header, samples = _parts(original)
    skeleton = header["__metadata__"]["skeleton"]
    if data.draw(st.booleans()):
        skeleton = data.draw(altered(skeleton))
    else:
        skeleton = json.dumps(data.draw(bent(json.loads(skeleton))), default=str, skipkeys=True)
    header = copy.deepcopy(header)
    header["__metadata__"] = {"skeleton": skeleton, "sha256": _digest(skeleton, original)}
    path.write_bytes(_joined(header, samples))
    guard.judge("checkpoint", lambda: checkpoint.load(path))


def test_a_pickle_under_the_name_of_a_checkpoint_is_not_run(guard: Guard, path: Path) -> None:
    for content in (pickle.dumps(Trap()), _saved_by_torch(guard)):
        path.write_bytes(content)
        guard.judge("checkpoint", lambda: checkpoint.load(path))


def test_tensors_that_claim_more_than_the_file_holds_are_refused(guard: Guard, path: Path) -> None:
    huge = {"dtype": "F32", "shape": [10**15], "data_offsets": [0, 4 * 10**15]}
    for header in ({"0": huge}, {"0": {**huge, "data_offsets": [0, 4]}}):
        path.write_bytes(_joined(header, bytes(16)))
        guard.judge("checkpoint", lambda: checkpoint.load(path))
    path.write_bytes(struct.pack("<Q", 10**15) + b"{}")
    guard.judge("checkpoint", lambda: checkpoint.load(path))


def _saved_by_torch(guard: Guard) -> bytes:
    file = guard.inputs / "torch.pt"
    torch.save({"state": Trap()}, file)
    content = file.read_bytes()
    file.unlink()
    return content


def _parts(content: bytes) -> tuple[dict[str, Any], bytes]:
    """The header of a safetensors file, and what follows it."""
    (length,) = struct.unpack_from("<Q", content)
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def _joined(header: Any, samples: bytes) -> bytes:
    text = json.dumps(header, default=str, skipkeys=True).encode()
    return struct.pack("<Q", len(text)) + text + samples


def _digest(skeleton: str, original: bytes) -> str:
    """As a checkpoint has it: of the skeleton, then of each tensor by its name."""
    header, samples = _parts(original)
    digest = hashlib.sha256(skeleton.encode())
    types = {"F32": torch.float32, "I64": torch.int64, "U8": torch.uint8}
    for key, about in sorted(header.items()):
        if key != "__metadata__":
            start, stop = about["data_offsets"]
            digest.update(f"{key} {types[about['dtype']]} {tuple(about['shape'])}".encode())
            digest.update(samples[start:stop])
    return digest.hexdigest()
