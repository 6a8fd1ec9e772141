"""Every kind of JPEG, as an image and as a mask, is read as viewers show its first picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rdfc_core.data.readers.pictures import PictureReader
from tests.support.jpeg_files import COLOURS, LAYOUTS, ORIENTATIONS, SECONDS, JpegFile, every_jpeg

pictures = PictureReader()
SIZES = [(21, 34), (16, 8), (1, 1)]


def files(size: tuple[int, int]) -> list[JpegFile]:
    return list(every_jpeg(np.random.default_rng(4), size))


@pytest.mark.parametrize("size", SIZES)
def test_each_kind_is_read_right_as_image_and_as_mask(tmp_path: Path, size: tuple[int, int]):
    read = {"image": 0, "mask": 0}
    for file in files(size):
        path = file.write(tmp_path)
        if file.inside is None:
            array = pictures.read_image(path).array.astype(np.float64)
            assert array.shape == file.grey.shape, file.name
            assert np.abs(array - file.grey).max() <= file.tolerance, file.name
        else:
            array = pictures.read_mask(path).array
            np.testing.assert_array_equal(array > 0, file.inside, err_msg=file.name)
        read["image" if file.inside is None else "mask"] += 1
    kinds = len(COLOURS) * len(LAYOUTS) + len(ORIENTATIONS) * len(SECONDS)
    assert read == {"image": kinds, "mask": kinds}


def test_the_files_are_what_their_names_say(tmp_path: Path):
    for file in files((16, 24)):
        with Image.open(file.write(tmp_path)) as opened:
            assert opened.format == ("MPO" if "preview" in file.name else "JPEG"), file.name
            assert bool(opened.info.get("progressive")) == ("progressive" in file.name), file.name
            wanted = file.name.split("orientation ")[1].split(",")[0]
            assert str(opened.getexif().get(0x112)) == wanted, file.name
            mode = file.name.removeprefix("JPEG ").split(",")[0]
            assert opened.mode == {"grey": "L", "cmyk": "CMYK"}.get(mode, "RGB"), file.name
