"""Every combination of a picture's properties is read right or refused by name."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from rdfc_core.data.readers.pictures import PictureReader
from rdfc_core.errors import DataError
from tests.support.picture_files import PictureFile, every_picture, png_bytes, png_chunk

pictures = PictureReader()
SIZE = (21, 34)
MATRIX = list(every_picture(np.random.default_rng(3), SIZE))


@pytest.mark.parametrize("file", MATRIX, ids=[file.name for file in MATRIX])
def test_a_picture_is_read_right_or_refused_by_name(tmp_path: Path, file: PictureFile) -> None:
    path = file.write(tmp_path)
    refusal = None
    try:
        read = pictures.read_image(path).array
    except DataError as error:
        refusal = str(error)
    if refusal is not None:
        assert not file.must_read, refusal
        assert refusal.startswith(f"{path} is a TIFF of a kind that rdfc does not read: ")
        return
    assert np.abs(read.astype(np.float64) - file.grey).max() <= 0.51, file.name


def test_the_matrix_agrees_with_opencv_and_tifffile(tmp_path: Path) -> None:
    """What is right by numpy is what two other libraries read, where they keep the values."""
    compared = 0
    for file in MATRIX:
        if "transparent" in file.name:
            continue
        path = file.write(tmp_path)
        if "miniswhite" in file.name:
            continue  # left as stored by both
        if file.ending == ".tif":
            other = tifffile.imread(path)
            other = np.moveaxis(other, 0, -1) if other.shape[1:] == SIZE else other
        else:
            other = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            if other.ndim == 3:
                other = other[..., [2, 1, 0]]
        if other.ndim == 3 and other.shape[2] >= 3:
            other = other[..., :3].astype(np.float64) @ [0.299, 0.587, 0.114]
        grey = other[..., 0] if other.ndim == 3 else other
        np.testing.assert_allclose(grey.astype(np.float64), file.grey, atol=1e-6, rtol=1e-6)
        compared += 1
    assert compared > 250


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("deep", [False, True])
def test_all_orientations_turn_as_opencv_turns_them(
    tmp_path: Path, orientation: int, deep: bool
) -> None:
    grey = np.random.default_rng(1).integers(0, 65536 if deep else 256, (5, 7))
    exif = Image.Exif()
    exif[0x0112] = orientation
    chunk = png_chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    path = tmp_path / "p.png"
    path.write_bytes(png_bytes(np.dstack([grey] * 3), 16 if deep else 8, 2, chunk))
    by_hand = {1: grey, 2: grey[:, ::-1], 3: grey[::-1, ::-1], 4: grey[::-1], 5: grey.T}
    by_hand |= {6: np.rot90(grey, -1), 7: grey[::-1, ::-1].T, 8: np.rot90(grey)}
    read = pictures.read_image(path).array
    np.testing.assert_array_equal(read, by_hand[orientation])
    if not deep:
        np.testing.assert_array_equal(read, cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))


@pytest.mark.parametrize("options", [{"imagej": True}, {"truncate": True}, {"volumetric": True}])
def test_a_stack_behind_one_header_is_refused(tmp_path: Path, options: dict[str, bool]) -> None:
    stack = np.zeros((5, 32, 48), np.uint8)
    more = {"tile": (16, 16, 16)} if "volumetric" in options else {}
    more |= {} if "imagej" in options else {"photometric": "minisblack"}
    tifffile.imwrite(tmp_path / "p.tif", stack, **options, **more)
    with pytest.raises(DataError, match="holds 5 pictures, and one is needed"):
        pictures.read_image(tmp_path / "p.tif")


def test_a_jpeg_with_a_second_picture_is_read_as_its_first(tmp_path: Path) -> None:
    grey = np.add.outer(np.arange(40) * 3, np.arange(50) * 2).astype(np.uint8)
    first = Image.fromarray(grey).convert("RGB")
    preview = first.resize((20, 16))
    path = tmp_path / "photo.jpg"
    first.save(path, format="MPO", save_all=True, append_images=[preview], quality=95)
    read = pictures.read_image(path).array
    np.testing.assert_array_equal(read, cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "YCbCr"])
@pytest.mark.parametrize("ending", [".jpg", ".tif"])
def test_colour_spaces_are_opencv_s_within_a_grey_value(
    tmp_path: Path, mode: str, ending: str
) -> None:
    if (mode, ending) == ("YCbCr", ".tif"):
        pytest.skip("OpenCV does not read it")
    ramp = np.add.outer(np.arange(40) * 3, np.arange(50) * 2)[..., None] * [1, 0.7, 0.4]
    path = tmp_path / f"p{ending}"
    Image.fromarray(ramp.astype(np.uint8)).convert(mode).save(path)
    other = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2GRAY)
    read = pictures.read_image(path).array
    assert np.abs(read.astype(int) - other).max() <= 1


def test_ycbcr_without_jpeg_is_refused(tmp_path: Path) -> None:
    picture = Image.fromarray(np.zeros((8, 8, 3), np.uint8)).convert("YCbCr")
    picture.save(tmp_path / "p.tif")
    with pytest.raises(DataError, match=r"does not read: .* YCbCr"):
        pictures.read_image(tmp_path / "p.tif")


def test_deep_colours_become_deep_luminance_and_deep_grey_stays(tmp_path: Path) -> None:
    grey = np.random.default_rng(5).integers(0, 2807, SIZE).astype(np.uint16)
    colours = np.random.default_rng(6).integers(0, 65536, (*SIZE, 3)).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "grey.png"), np.dstack([grey] * 3))
    cv2.imwrite(str(tmp_path / "colour.png"), colours[..., ::-1])
    read = pictures.read_image(tmp_path / "grey.png").array
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read, grey)
    expected = cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY).astype(int)
    read = pictures.read_image(tmp_path / "colour.png").array
    assert np.abs(read - expected).max() <= 1
