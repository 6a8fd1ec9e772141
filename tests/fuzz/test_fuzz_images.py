"""Malformed images beside a sound mask: in every format, from the file to all views of the case."""

from __future__ import annotations

from typing import Any

import pytest
from driving import Drive
from guard import Guard
from hypothesis import given
from hypothesis import strategies as st
from mutations import damaged
from originals import PICTURES, VOLUMES, sound_case
from shares import share

from rdfc_core.plugins import Registry

HEADER_WORDS = (
    *(b"sizes: 100000 100000 100000", b"DimSize = 100000 100000 100000", b"DimSize = -1 0 5"),
    *(b"spacing: 1e30 1 1", b"ElementSpacing = 1e30 1e-30 1", b"ElementSpacing = 0 1 1"),
    *(b"encoding: hex", b"encoding: bzip2", b"endian: big", b"type: double", b"dimension: 9"),
    *(b"data file: /dev/zero", b"ElementDataFile = /dev/zero", b"ElementDataFile = LIST"),
    *(b"byte skip: -1", b"line skip: 99", b"HeaderSize = -1", b"CompressedData = True"),
    *(b"CompressedDataSize = 99999999999999999999", b"NDims = 100", b"ElementType = MET_OTHER"),
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
