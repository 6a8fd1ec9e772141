"""Malformed images beside a sound mask: in every format, from the file to all views of the case."""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdfc_core.plugin.registry import Registry
from tests.fuzz.driving import Drive
from tests.fuzz.guard import Guard
from tests.fuzz.mutations import damaged
from tests.fuzz.originals import PICTURES, VOLUMES, sound_case
from tests.fuzz.shares import share

HEADER_WORDS = (
    *(b"sizes: 100000 100000 100000", b"DimSize = 100000 100000 100000", b"DimSize = -1 0 5"),
    *(b"spacing: 1e30 1 1", b"ElementSpacing = 1e30 1e-30 1", b"ElementSpacing = 0 1 1"),
    *(b"encoding: hex", b"encoding: bzip2", b"endian: big", b"type: double", b"dimension: 9"),
    *(b"data file: /dev/zero", b"ElementDataFile = /dev/zero", b"ElementDataFile = LIST"),
    *(b"byte skip: -1", b"line skip: 99", b"HeaderSize = -1", b"CompressedData = True"),
    *(b"CompressedDataSize = 99999999999999999999", b"ElementType = MET_OTHER"),
    *(b"NDims = 100\n", b"NDims = -1\n", b"\nName = ", b"\nkinds: ", b"\nspace units: "),
)


@pytest.fixture(scope="module")
def drive(guard: Guard, registry: Registry) -> Drive:
    drive = Drive(guard, registry)
    for ending in (*PICTURES, *VOLUMES):  # so that what is loaded once is loaded
        drive.prepare([sound_case(guard.inputs, ending)])
    return drive


@pytest.mark.parametrize("ending", PICTURES)
@share(30)
@given(data=st.data())
def test_a_damaged_picture_is_refused_or_read(
    guard: Guard, drive: Drive, ending: str, data
) -> None:
    case = sound_case(guard.inputs, ending)
    case.image.write_bytes(data.draw(damaged(case.image.read_bytes())))
    guard.judge("image", lambda: drive.prepare([case]))


@pytest.mark.parametrize("ending", VOLUMES)
@share(30)
@given(data=st.data())
def test_a_damaged_volume_is_refused_or_read(
    guard: Guard, drive: Drive, ending: str, data: Any
) -> None:
    case = sound_case(guard.inputs, ending)
    file = data.draw(st.sampled_from(sorted(guard.inputs.glob("image.*"))))
    file.write_bytes(data.draw(damaged(file.read_bytes(), HEADER_WORDS)))
    guard.judge("image", lambda: drive.prepare([case]))


@pytest.mark.parametrize("ending", VOLUMES)
def test_a_header_that_claims_a_million_billion_voxels_is_refused(
    guard: Guard, drive: Drive, ending: str
) -> None:
    case = sound_case(guard.inputs, ending)
    patch_header(case.image, "size")
    assert guard.judge("image", lambda: drive.prepare([case])) is None


@pytest.mark.parametrize("settings", [{}, {"resampledPixelSpacing": [1, 1, 1]}])
@pytest.mark.parametrize("ending", VOLUMES)
def test_a_spacing_beyond_all_measure_is_refused(
    guard: Guard, registry: Registry, ending: str, settings: dict[str, Any]
) -> None:
    case = sound_case(guard.inputs, ending)
    drive = Drive(guard, registry, **settings)
    drive.prepare([case])
    for path in (case.image, case.mask):
        patch_header(path, "spacing")
    assert guard.judge("image", lambda: drive.prepare([case])) is None


def test_a_small_file_that_unpacks_to_a_gigabyte_fills_no_memory(
    guard: Guard, drive: Drive
) -> None:
    case = sound_case(guard.inputs, ".nii.gz")
    case.image.write_bytes(case.image.read_bytes() + gzip.compress(bytes(2**30), 1))
    assert guard.judge("image", lambda: drive.prepare([case])) is None


def test_a_picture_that_claims_a_billion_pixels_is_refused(guard: Guard, drive: Drive) -> None:
    case = sound_case(guard.inputs, ".png")
    content = bytearray(case.image.read_bytes())
    content[16:24] = struct.pack(">II", 2**31 - 1, 2**31 - 1)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    case.image.write_bytes(content)
    assert guard.judge("image", lambda: drive.prepare([case])) is None


def patch_header(path: Path, what: str) -> None:
    """Let the header claim 10^15 voxels, or an unlike spacing along its axes."""
    content = path.read_bytes()
    if ".nii" in path.name:
        header = bytearray(gzip.decompress(content) if path.suffix == ".gz" else content)
        if what == "size":
            struct.pack_into("<8h", header, 40, 4, 31623, 31623, 1000, 1000, 1, 1, 1)
        else:
            struct.pack_into("<3f", header, 80, 1e-3, 1e6, 1e6)
        content = gzip.compress(bytes(header)) if path.suffix == ".gz" else bytes(header)
    elif what == "size":
        content = re.sub(rb"(sizes:|DimSize =).*", rb"\1 100000 100000 100000", content)
    else:
        content = re.sub(rb"(ElementSpacing =).*", rb"\1 1e-3 1e6 1e6", content)
        content = re.sub(rb"(space directions:).*", rb"\1 (1e-3,0,0) (0,1e6,0) (0,0,1e6)", content)
    path.write_bytes(content)
