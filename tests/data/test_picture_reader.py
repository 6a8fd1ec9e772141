"""Pictures on real files: written, then cut, damaged or edited."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from rdfc_core.data.readers.config import PictureReaderConfig
from rdfc_core.data.readers.pictures import PictureReader
from rdfc_core.errors import DataError
from rdfc_core.testing import check_reader

pictures = PictureReader()
GREY = np.random.default_rng(1).integers(0, 256, (40, 50), np.uint8)
COLOUR = np.random.default_rng(2).integers(0, 256, (40, 50, 3), np.uint8)


@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif", ".bmp"])
def test_it_keeps_what_every_reader_promises(tmp_path: Path, ending: str) -> None:
    paths = tmp_path / f"image{ending}", tmp_path / f"mask{ending}"
    Image.fromarray(GREY).save(paths[0])
    mask = np.zeros(GREY.shape, np.uint8)
    mask[9:31, 12:40] = 255
    Image.fromarray(mask).save(paths[1])
    check_reader(pictures, *paths)


def cut(path: Path, missing: int) -> None:
    path.write_bytes(path.read_bytes()[:-missing])


@pytest.mark.parametrize("name", ["p.png", "p.PNG", "p.bmp", "p.tif", "p.tiff"])
def test_grey_pictures_keep_their_values_and_have_spacing_one(tmp_path: Path, name: str) -> None:
    Image.fromarray(GREY).save(tmp_path / name, dpi=(300, 300))
    picture = pictures.read_image(tmp_path / name)
    np.testing.assert_array_equal(picture.array, GREY)
    assert picture.array.dtype == np.uint8
    assert picture.spacing_mm == (1.0, 1.0)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("p.png", np.uint16), ("p.tif", np.uint16), ("p.tif", np.int32), ("p.tif", np.float32)],
)
def test_deep_pictures_keep_values_and_type(tmp_path: Path, name: str, dtype: type) -> None:
    deep = (GREY.astype(np.float64) * 250.5).astype(dtype)
    Image.fromarray(deep).save(tmp_path / name)
    picture = pictures.read_image(tmp_path / name)
    assert picture.array.dtype == dtype
    assert picture.array.dtype.isnative
    np.testing.assert_array_equal(picture.array, deep)


def test_a_big_endian_tiff_becomes_native(tmp_path: Path) -> None:
    # Written by hand: one strip of 2 x 3 samples of 16 bits, "MM" byte order.
    tags = [(256, 3, 3), (257, 3, 2), (258, 3, 16), (259, 3, 1), (262, 3, 1)]
    tags += [(273, 4, 8), (277, 3, 1), (278, 3, 2), (279, 4, 12)]
    entries = b"".join(
        struct.pack(">HHI", tag, kind, 1)
        + (struct.pack(">HH", value, 0) if kind == 3 else struct.pack(">I", value))
        for tag, kind, value in tags
    )
    samples = np.array([[1, 2, 3], [400, 500, 60000]])
    path = tmp_path / "p.tif"
    path.write_bytes(
        b"MM\0*" + struct.pack(">I", 20) + samples.astype(">u2").tobytes()
        + struct.pack(">H", len(tags)) + entries + bytes(4)
    )  # fmt: skip
    picture = pictures.read_image(path)
    assert picture.array.dtype.isnative
    np.testing.assert_array_equal(picture.array, samples)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colour_becomes_luminance(tmp_path: Path, mode: str) -> None:
    picture = Image.fromarray(COLOUR).convert(mode)
    picture.save(tmp_path / "p.png")
    rgb = np.asarray(picture.convert("RGB"), np.float64)
    expected = rgb @ [0.299, 0.587, 0.114]
    read = pictures.read_image(tmp_path / "p.png").array
    assert read.dtype == np.uint8
    assert np.abs(read - expected).max() <= 0.51


def test_grey_saved_as_rgb_keeps_its_values(tmp_path: Path) -> None:
    Image.fromarray(np.dstack([GREY] * 3)).save(tmp_path / "p.png")
    np.testing.assert_array_equal(pictures.read_image(tmp_path / "p.png").array, GREY)
    np.testing.assert_array_equal(pictures.read_mask(tmp_path / "p.png").array, GREY)


def test_black_and_white_is_0_and_255_as_image_and_0_and_1_as_mask(tmp_path: Path) -> None:
    black_white = GREY > 127
    Image.fromarray(black_white).save(tmp_path / "p.png")
    np.testing.assert_array_equal(pictures.read_image(tmp_path / "p.png").array, black_white * 255)
    np.testing.assert_array_equal(pictures.read_mask(tmp_path / "p.png").array, black_white)


def test_a_palette_mask_keeps_its_indices(tmp_path: Path) -> None:
    indices = (GREY // 64).astype(np.uint8)  # 0 … 3
    mask = Image.fromarray(indices)
    mask.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    mask.save(tmp_path / "m.png")
    np.testing.assert_array_equal(pictures.read_mask(tmp_path / "m.png").array, indices)


def test_a_coloured_mask_has_its_packed_colour_as_value(tmp_path: Path) -> None:
    mask = np.zeros((4, 5, 3), np.uint8)
    mask[1, 1] = (255, 0, 0)
    mask[2, 2] = (0, 0, 7)
    Image.fromarray(mask).save(tmp_path / "m.png")
    values = pictures.read_mask(tmp_path / "m.png").array
    assert values[1, 1] == 16711680
    assert values[2, 2] == 7
    assert np.count_nonzero(values) == 2


def test_transparent_pixels_of_a_mask_are_outside(tmp_path: Path) -> None:
    mask = np.full((4, 5, 4), 255, np.uint8)  # white everywhere …
    mask[..., 3] = 0  # … and seen nowhere
    mask[1:3, 2, 3] = 255
    Image.fromarray(mask).save(tmp_path / "m.png")
    inside = pictures.read_mask(tmp_path / "m.png").array
    assert np.argwhere(inside).tolist() == [[1, 2], [2, 2]]


@pytest.mark.parametrize("name", ["p.png", "p.jpg", "p.bmp", "p.tif"])
@pytest.mark.parametrize("missing", [20, 600])
@pytest.mark.parametrize("lenient", [False, True])
def test_a_cut_picture_is_refused_even_where_pillow_was_made_lenient(
    tmp_path: Path, name: str, missing: int, lenient: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)
    path = tmp_path / name
    Image.fromarray(GREY).save(path)
    cut(path, missing)
    with pytest.raises(DataError, match=f"{name} cannot be read"):
        pictures.read_image(path)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is lenient


def test_a_flipped_bit_in_a_png_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    Image.fromarray(GREY).save(path)
    data = bytearray(path.read_bytes())
    data[-20] ^= 1  # the end of the zlib stream, where decoding alone notices nothing
    path.write_bytes(data)
    with pytest.raises(DataError, match="checksum"):
        pictures.read_image(path)


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    size = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_a_picture_that_claims_too_many_pixels_is_refused_from_its_header(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    path.write_bytes(png_claiming(9000, 9000))
    with pytest.raises(DataError, match=r"9000 x 9000 pixels.*limit of 67108864.*max_pixels"):
        pictures.read_image(path)
    path.write_bytes(png_claiming(60_000, 60_000))
    with pytest.raises(DataError, match=r"p\.png cannot be read: .*3600000000 pixels"):
        pictures.read_image(path)


def test_the_pixel_limit_is_an_option(tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "p.png")
    with pytest.raises(DataError, match="limit of 1999"):
        PictureReader(PictureReaderConfig(max_pixels=1999)).read_image(tmp_path / "p.png")


def test_a_picture_without_pixels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(png_claiming(0, 5))
    with pytest.raises(DataError, match=r"p\.png cannot be read"):
        pictures.read_image(tmp_path / "p.png")


def test_a_tiff_of_several_pages_is_refused(tmp_path: Path) -> None:
    page = Image.fromarray(GREY)
    page.save(tmp_path / "p.tif", save_all=True, append_images=[page, page])
    with pytest.raises(DataError, match="holds 3 pictures, and one is needed"):
        pictures.read_image(tmp_path / "p.tif")


@pytest.mark.parametrize(
    ("name", "options"), [("p.tif", {}), ("p.tif", {"compression": "tiff_lzw"}), ("p.png", {})]
)
def test_a_picture_is_turned_as_its_exif_data_say(
    tmp_path: Path, name: str, options: dict[str, str]
) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    Image.fromarray(GREY).save(tmp_path / name, exif=turned, **options)
    read = pictures.read_image(tmp_path / name).array
    np.testing.assert_array_equal(read, np.rot90(GREY, -1))


def test_a_program_named_as_a_picture_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    with pytest.raises(DataError, match="it is no PNG, JPEG, TIFF or BMP picture"):
        pictures.read_image(path)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")  # Pillow's, of damage
@pytest.mark.parametrize("name", ["p.png", "p.jpg", "p.bmp", "p.tif"])
def test_no_damage_to_a_picture_raises_anything_but_a_data_error(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Image.fromarray(GREY[:12, :14]).save(path)
    intact = path.read_bytes()
    caught = []
    random = np.random.default_rng(6)
    for _ in range(150):
        damaged = bytearray(intact)
        damaged[random.integers(0, len(damaged))] = random.integers(0, 256)
        path.write_bytes(damaged[: random.integers(1, 2 * len(damaged))])
        try:
            pictures.read_image(path)
        except DataError as error:
            caught.append(str(error))
    assert len(caught) > 30
    assert all(name in message for message in caught)
