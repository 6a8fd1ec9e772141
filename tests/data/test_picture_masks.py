"""Masks as pictures: palettes, JPEG, transparency and 16-bit colours, against OpenCV."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from rdfc_core.data.readers.pictures import PictureReader
from rdfc_core.errors import DataError
from rdfc_core.volume import Volume, check_same_grid
from tests.support.picture_files import png_bytes, png_chunk

pictures = PictureReader()
ROWS, COLUMNS = np.mgrid[:40, :50]
DISC = (ROWS - 18) ** 2 + (COLUMNS - 26) ** 2 < 100
LABELS = DISC.astype(np.uint8) + (DISC & (COLUMNS > 28))


def inside(path: Path) -> np.ndarray:
    return pictures.read_mask(path).array != 0


def palette_png(path: Path, indices: np.ndarray, *colours: tuple[int, int, int]) -> Path:
    table = png_chunk(b"PLTE", bytes(value for colour in colours for value in colour))
    path.write_bytes(png_bytes(indices, 8, 3, table))
    return path


def test_a_palette_that_begins_with_white_does_not_turn_the_mask_over(tmp_path: Path) -> None:
    grey = Image.fromarray(DISC.astype(np.uint8) * 255)
    grey.convert("RGB").quantize(2).save(tmp_path / "m.png")
    shown = cv2.imread(str(tmp_path / "m.png"), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(inside(tmp_path / "m.png"), shown > 0)
    np.testing.assert_array_equal(inside(tmp_path / "m.png"), DISC)


def test_a_black_and_white_bitmap_with_white_first_does_not_turn_the_mask_over(
    tmp_path: Path,
) -> None:
    path = tmp_path / "m.bmp"
    Image.fromarray(~DISC).save(path)
    content = bytearray(path.read_bytes())
    content[54:62] = bytes([255, 255, 255, 0, 0, 0, 0, 0])
    path.write_bytes(content)
    np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 0, DISC)
    np.testing.assert_array_equal(inside(path), DISC)


def test_a_label_map_whose_palette_begins_with_black_keeps_its_labels(tmp_path: Path) -> None:
    path = palette_png(tmp_path / "m.png", LABELS, (0, 0, 0), (255, 0, 0), (255, 0, 0))
    np.testing.assert_array_equal(pictures.read_mask(path).array, LABELS)


def test_colours_count_where_black_is_not_the_first_of_the_palette(tmp_path: Path) -> None:
    path = palette_png(tmp_path / "m.png", 2 - LABELS, (0, 0, 255), (255, 0, 0), (0, 0, 0))
    values = pictures.read_mask(path).array
    np.testing.assert_array_equal(values, np.choose(LABELS, [0, 255 << 16, 255]))


@pytest.mark.parametrize(
    ("colours", "match"),
    [
        (((255, 255, 255), (255, 0, 0), (0, 255, 0)), "none of its colours is black"),
        (((0, 0, 0), (255, 0, 0), (0, 0, 0)), "the values 0 and 2 are both black"),
        (((9, 9, 9), (0, 0, 0)), "a palette of 2 colours, and holds the value 2"),
    ],
)
def test_a_palette_that_does_not_show_what_is_outside_is_refused(
    tmp_path: Path, colours: tuple[tuple[int, int, int], ...], match: str
) -> None:
    path = palette_png(tmp_path / "m.png", LABELS, *colours)
    with pytest.raises(DataError, match=match):
        pictures.read_mask(path)
    assert pictures.mask_identity(path).endswith("; refused")


def test_a_mask_that_is_white_all_over_covers_the_picture(tmp_path: Path) -> None:
    path = palette_png(tmp_path / "m.png", np.zeros((4, 5), np.uint8), (255, 255, 255))
    assert inside(path).all()


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_transparent_grey_value_of_a_mask_is_outside(tmp_path: Path, bits: int) -> None:
    top = 2**bits - 1
    key = png_chunk(b"tRNS", top.to_bytes(2, "big"))
    path = tmp_path / "m.png"
    path.write_bytes(png_bytes(np.where(DISC, top - (bits > 1), top), bits, 0, key))
    seen = DISC if bits > 1 else np.zeros_like(DISC)
    np.testing.assert_array_equal(inside(path), seen)
    assert pictures.mask_identity(path).endswith("; transparent colour")
    assert not pictures.identity(path).endswith("colour")


@pytest.mark.parametrize("bits", [8, 16])
def test_the_transparent_colour_of_a_mask_is_outside(tmp_path: Path, bits: int) -> None:
    white, red = [2**bits - 1] * 3, [2**bits - 1, 0, 0]
    key = png_chunk(b"tRNS", b"".join(value.to_bytes(2, "big") for value in white))
    path = tmp_path / "m.png"
    path.write_bytes(png_bytes(np.where(DISC[..., None], red, white), bits, 2, key))
    np.testing.assert_array_equal(pictures.read_mask(path).array, DISC * (255 << 16))


def test_a_mask_with_16_bit_colours_has_the_values_of_8_bit_ones(tmp_path: Path) -> None:
    colours = np.choose(LABELS[..., None], [[0, 0, 0], [255, 0, 0], [0, 128, 7]])
    eight, sixteen = tmp_path / "8.png", tmp_path / "16.png"
    cv2.imwrite(str(eight), colours[..., ::-1].astype(np.uint8))
    cv2.imwrite(str(sixteen), colours[..., ::-1].astype(np.uint16) * 257)
    expected = pictures.read_mask(eight).array
    np.testing.assert_array_equal(pictures.read_mask(sixteen).array, expected)
    np.testing.assert_array_equal(expected, np.choose(LABELS, [0, 16711680, 128 * 256 + 7]))
    cv2.imwrite(str(sixteen), np.where(DISC[..., None], [300, 0, 1], 0).astype(np.uint16))
    with pytest.raises(DataError, match="16 bits a channel, which have no label value"):
        pictures.read_mask(sixteen)


@pytest.mark.parametrize("alpha", [2, 4])
def test_what_is_transparent_in_16_bits_is_outside(tmp_path: Path, alpha: int) -> None:
    samples = np.full((*DISC.shape, alpha), 65535)
    samples[..., -1] *= DISC
    path = tmp_path / "m.png"
    path.write_bytes(png_bytes(samples, 16, 4 if alpha == 2 else 6))
    np.testing.assert_array_equal(inside(path), DISC)


@pytest.mark.parametrize("quality", [50, 75, 95])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_mask_is_cut_at_half_and_says_so(tmp_path: Path, quality: int, mode: str) -> None:
    path = tmp_path / "m.jpg"
    Image.fromarray(DISC.astype(np.uint8) * 255).convert(mode).save(path, quality=quality)
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert np.count_nonzero(grey) > 1.2 * DISC.sum()
    mask = pictures.read_mask(path)
    np.testing.assert_array_equal(mask.array, DISC * 255)
    between = np.count_nonzero((grey > 0) & (grey < 255))
    assert mask.notes[0].startswith("the mask is a JPEG")
    assert f": {between} of its pixels are neither black nor white" in mask.notes[0]


@pytest.mark.parametrize(
    ("picture", "match"),
    [
        (LABELS * 127, "grey areas beside black and white"),
        (LABELS, "whose brightest value is"),
        (np.where(DISC[..., None], [255, 0, 0], 0).astype(np.uint8), "a mask in colour"),
    ],
)
def test_a_jpeg_mask_of_several_values_is_refused(
    tmp_path: Path, picture: np.ndarray, match: str
) -> None:
    Image.fromarray(picture).save(tmp_path / "m.jpg", quality=90)
    with pytest.raises(DataError, match=match):
        pictures.read_mask(tmp_path / "m.jpg")


def test_a_mask_has_the_spacing_of_its_image(tmp_path: Path) -> None:
    """A scan in two axes with a spacing, as DICOM and NIfTI have it, and a mask drawn in a PNG."""
    Image.fromarray(DISC.astype(np.uint8)).save(tmp_path / "m.png")
    image = Volume.of(ROWS.astype(np.float32), (0.2, 0.1))
    mask = pictures.read_mask(tmp_path / "m.png", image)
    check_same_grid(image, mask)
    np.testing.assert_array_equal(mask.array != 0, DISC)
    other = Volume.of(np.zeros((3, 4)), (0.2, 0.1))
    assert pictures.read_mask(tmp_path / "m.png", other).spacing_mm == (1, 1)
