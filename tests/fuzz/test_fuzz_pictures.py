"""Sound pictures of every kind, drawn by their properties: read right or refused by name."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdfc_core.data.readers.pictures import PictureReader
from tests.fuzz.guard import Guard
from tests.fuzz.shares import share
from tests.support.jpeg_files import COLOURS, ORIENTATIONS, SECONDS, JpegFile, jpeg
from tests.support.jpeg_files import LAYOUTS as JPEG_LAYOUTS
from tests.support.picture_files import (
    BITS_AND_TYPES,
    DTYPES,
    LAYOUTS,
    PALETTES,
    PHOTOMETRICS,
    PictureFile,
    bmp,
    png,
    tiff,
)

pictures = PictureReader()
SIDES = st.integers(1, 40)
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def picture_files(draw: Any, kind: str) -> PictureFile:
    random, size = np.random.default_rng(draw(SEEDS)), (draw(SIDES), draw(SIDES))
    if kind == "PNG":
        bits, colour_type = draw(st.sampled_from(BITS_AND_TYPES))
        return png(random, size, bits, colour_type, draw(st.booleans()), draw(st.booleans()))
    if kind == "BMP":
        bits = draw(st.sampled_from([1, 4, 8, 24]))
        return bmp(random, size, bits, draw(st.sampled_from(PALETTES)), draw(st.booleans()))
    properties = (draw(st.sampled_from(options)) for options in (DTYPES, PHOTOMETRICS, LAYOUTS))
    return tiff(random, size, *properties)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
@share(60)
@given(data=st.data())
def test_a_sound_picture_is_read_right_or_refused_by_name(
    guard: Guard, kind: str, data: Any
) -> None:
    file = data.draw(picture_files(kind))
    path = file.write(guard.inputs)
    read = guard.judge(f"{kind} matrix", lambda: pictures.read_image(path).array)
    os.remove(path)  # noqa: PTH107
    if read is None:
        assert not file.must_read, file.name
    else:
        assert np.abs(read.astype(np.float64) - file.grey).max() <= 0.51, file.name


@st.composite
def jpeg_files(draw: Any, as_mask: bool) -> JpegFile:
    random, size = np.random.default_rng(draw(SEEDS)), (draw(SIDES), draw(SIDES))
    options = (COLOURS, JPEG_LAYOUTS, ORIENTATIONS, SECONDS)
    return jpeg(random, size, *(draw(st.sampled_from(one)) for one in options), as_mask)


@share(60)
@given(file=jpeg_files(as_mask=False))
def test_a_sound_jpeg_is_read_as_viewers_show_its_first_picture(
    guard: Guard, file: JpegFile
) -> None:
    path = file.write(guard.inputs)
    read = guard.judge("JPEG matrix", lambda: pictures.read_image(path).array)
    os.remove(path)  # noqa: PTH107
    assert read is not None, file.name
    assert np.abs(read.astype(np.float64) - file.grey).max() <= file.tolerance, file.name


@share(60)
@given(file=jpeg_files(as_mask=True))
def test_a_jpeg_mask_is_the_outline_that_was_drawn(guard: Guard, file: JpegFile) -> None:
    path = file.write(guard.inputs)
    read = guard.judge("JPEG mask matrix", lambda: pictures.read_mask(path).array)
    os.remove(path)  # noqa: PTH107
    assert read is not None, file.name
    np.testing.assert_array_equal(read > 0, file.inside, err_msg=file.name)
