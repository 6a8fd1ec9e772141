"""Volumes that were cut, damaged or edited: each is refused by name."""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from rdfc_core.data.readers.config import VolumeReaderConfig
from rdfc_core.data.readers.volumes import VolumeReader
from rdfc_core.errors import DataError
from rdfc_core.volume import check_finite
from tests.support.volume_files import ENDINGS, flip_bit, noise, payload_of, write_volume

volumes = VolumeReader()


def cut(path: Path, missing: int) -> None:
    path.write_bytes(path.read_bytes()[:-missing])


@pytest.mark.parametrize("missing", [1, 9, 1500])
@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_cut_volume_is_refused_by_name(
    tmp_path: Path, ending: str, compress: bool, missing: int
) -> None:
    path = write_volume(tmp_path / f"v{ending}", noise(), compress)
    samples = payload_of(path)
    cut(samples, missing)
    with pytest.raises(DataError, match=f"{samples.name} .*(cut short|damaged)"):
        volumes.read_image(path)


def test_simpleitk_alone_reads_a_cut_nifti_without_an_error(tmp_path: Path) -> None:
    # The reason for the guard above; when this fails, the guard has lost it.
    path = write_volume(tmp_path / "v.nii", noise())
    cut(path, 1500)
    assert not np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))), noise())


@pytest.mark.parametrize("at", [0.5, 0.9])
@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha", ".nhdr", ".mhd"])
def test_a_flipped_bit_in_compressed_samples_is_refused(
    tmp_path: Path, ending: str, at: float
) -> None:
    # Large enough that SimpleITK reads the header of the .nii.gz without meeting the damage.
    path = write_volume(tmp_path / f"v{ending}", noise((9, 80, 90)), compress=True)
    flip_bit(payload_of(path), at)
    with pytest.raises(DataError, match="damaged"):
        volumes.read_image(path)


def test_a_wrong_checksum_in_a_gzip_is_refused(tmp_path: Path) -> None:
    path = write_volume(tmp_path / "v.nii.gz", noise((9, 80, 90)), compress=True)
    data = bytearray(path.read_bytes())
    data[-8] ^= 0xFF  # the CRC-32 stands in the last eight bytes; the samples are intact
    path.write_bytes(data)
    with pytest.raises(DataError, match="damaged"):
        volumes.read_image(path)


def test_a_metaimage_that_claims_another_compressed_size_is_refused(tmp_path: Path) -> None:
    path = write_volume(tmp_path / "v.mha", noise(), compress=True)
    lines = path.read_bytes().split(b"\n", 20)
    (size,) = (line for line in lines if line.startswith(b"CompressedDataSize"))
    shorter = b"%s = %d" % (size.split(b" = ")[0], int(size.split(b" = ")[1]) // 2)
    path.write_bytes(path.read_bytes().replace(size, shorter))
    sitk.ReadImage(str(path))  # reads on without a word, whatever stands in memory
    with pytest.raises(DataError, match=r"claims \d+ compressed bytes and it holds \d+"):
        volumes.read_image(path)


def nifti_claiming(shape: tuple[int, int, int]) -> bytes:
    """A valid int16 NIfTI header of 352 bytes without any sample."""
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *shape, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 4, 16)
    struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", header, 108, 352)
    header[344:348] = b"n+1\0"
    return bytes(header)


def mha_claiming(shape: tuple[int, int, int]) -> bytes:
    size = " ".join(map(str, shape))
    return (
        f"ObjectType = Image\nNDims = 3\nBinaryData = True\nCompressedData = True\n"
        f"DimSize = {size}\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    ).encode()


def nrrd_claiming(shape: tuple[int, int, int], encoding: str = "gzip") -> bytes:
    size = " ".join(map(str, shape))
    return (
        f"NRRD0004\ntype: short\ndimension: 3\nsizes: {size}\nencoding: {encoding}\n"
        "endian: little\n\n"
    ).encode()


FEW_SAMPLES = bytes(1000)


def tiny_files_that_claim(shape: tuple[int, int, int]) -> dict[str, bytes]:
    return {
        "v.nii.gz": gzip.compress(nifti_claiming(shape)),
        "v.nii": nifti_claiming(shape),
        "v.mha": mha_claiming(shape) + zlib.compress(FEW_SAMPLES),
        "v.nrrd": nrrd_claiming(shape) + gzip.compress(FEW_SAMPLES),
    }


@pytest.mark.parametrize("name", ["v.nii.gz", "v.nii", "v.mha", "v.nrrd"])
def test_a_claim_of_more_voxels_than_the_limit_is_refused_from_the_header(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(tiny_files_that_claim((2000, 2000, 1000))[name])
    with pytest.raises(DataError, match=r"2000 x 2000 x 1000 voxels.*limit.*max_voxels"):
        volumes.read_image(path)


@pytest.mark.parametrize("name", ["v.nii.gz", "v.nii", "v.mha", "v.nrrd"])
def test_a_claim_within_the_limit_that_the_file_does_not_hold_is_refused(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(tiny_files_that_claim((1000, 1000, 1000))[name])
    with pytest.raises(DataError, match=r"claims 200000\d\d\d\d bytes and it holds \d{1,4}\."):
        volumes.read_image(path)


def test_the_voxel_limit_is_an_option(tmp_path: Path) -> None:
    path = write_volume(tmp_path / "v.nii", noise((2, 10, 10)))
    VolumeReader(VolumeReaderConfig(max_voxels=200)).read_image(path)
    with pytest.raises(DataError, match="limit of 199"):
        VolumeReader(VolumeReaderConfig(max_voxels=199)).read_image(path)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_a_file_that_holds_more_than_its_header_claims_is_refused(
    tmp_path: Path, ending: str, compress: bool
) -> None:
    path = write_volume(tmp_path / f"v{ending}", noise((9, 20, 30)), compress)
    data = path.read_bytes()
    if ending in (".nii", ".nii.gz"):
        content = bytearray(gzip.decompress(data) if ending == ".nii.gz" else data)
        struct.pack_into("<h", content, 46, 8)  # one slice fewer
        path.write_bytes(gzip.compress(bytes(content)) if ending == ".nii.gz" else content)
    else:
        path.write_bytes(data.replace(b"30 20 9", b"30 20 8"))
    with pytest.raises(DataError, match=r"does not fit its header, which claims \d+ bytes"):
        volumes.read_image(path)


def test_a_gzip_bomb_is_left_as_soon_as_it_exceeds_the_claim(tmp_path: Path) -> None:
    bomb = gzip.compress(nifti_claiming((2, 2, 2)) + bytes(64 * 2**20))
    path = tmp_path / "v.nii.gz"
    path.write_bytes(bomb[:-8] + b"no check")  # would be noticed by reading to the end
    with pytest.raises(DataError, match="claims 368 bytes: it holds more"):
        volumes.read_image(path)


@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("compress", [False, True])
def test_nan_in_a_nifti_stays_nan_though_simpleitk_would_read_zeros(
    tmp_path: Path, kind: str, byte_order: str, compress: bool
) -> None:
    samples = np.linspace(-1000, 1000, 24).astype(f"{byte_order}{kind}")
    samples[[3, 5, 23]] = np.nan, np.inf, -np.inf
    header = bytearray(352)
    order = byte_order
    struct.pack_into(f"{order}i", header, 0, 348)
    struct.pack_into(f"{order}8h", header, 40, 3, 4, 3, 2, 1, 1, 1, 1)
    struct.pack_into(f"{order}2h", header, 70, *{"f4": (16, 32), "f8": (64, 64)}[kind])
    struct.pack_into(f"{order}8f", header, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into(f"{order}f", header, 108, 352)
    header[344:348] = b"n+1\0"
    path = tmp_path / ("v.nii.gz" if compress else "v.nii")
    data = bytes(header) + samples.tobytes()
    path.write_bytes(gzip.compress(data) if compress else data)
    assert np.isfinite(sitk.GetArrayFromImage(sitk.ReadImage(str(path)))).all()
    volume = volumes.read_image(path)
    np.testing.assert_array_equal(volume.array.ravel(), samples)
    with pytest.raises(DataError, match="holds 3 NaN or infinite voxels"):
        check_finite(volume)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("v.nrrd", nrrd_claiming((4, 3, 2), "ascii") + b"0 " * 24, "encoding: ascii"),
        ("v.nrrd", nrrd_claiming((4, 3, 2), "bzip2"), "encoding: bzip2"),
        (
            "v.mha",
            mha_claiming((4, 3, 2)).replace(b"BinaryData = True", b"BinaryData = False"),
            "BinaryData",
        ),
        ("v.mhd", mha_claiming((4, 3, 2)).replace(b"LOCAL", b"s%02d.raw 1 2 1"), "several data"),
        ("v.mhd", mha_claiming((4, 3, 2)).replace(b"LOCAL", b"gone.raw"), "gone.raw.*not exist"),
        ("v.nii", b"", "does not begin with a NIfTI header"),
        ("v.nii.gz", b"not a gzip at all", "does not begin with a NIfTI header"),
        ("v.mha", b"ObjectType = Image\n" * 5, "cannot be read|ElementDataFile"),
        ("v.nrrd", b"NRRD0004\n" + b"# no end\n" * 200_000, "cannot be read|no end of its header"),
    ],
)
def test_what_cannot_be_checked_or_understood_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        volumes.read_image(path)
    assert name in str(caught.value)
    assert "0x" not in str(caught.value)  # nothing of SimpleITK's own sources
    assert ".cxx" not in str(caught.value)


def with_line(path: Path, line: bytes) -> Path:
    """A sound volume with one more line, the second, in its header."""
    first, rest = write_volume(path, noise()).read_bytes().split(b"\n", 1)
    path.write_bytes(first + b"\n" + line + b"\n" + rest)
    return path


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        ("v.mha", b"NDims = 100", "how many axes"),
        ("v.mha", b"NDims = -5", "how many axes"),
        ("v.mha", b"Name = " + b"9" * 400, "line of 407 characters"),
        ("v.mha", b"Comment = a\rNDims = 100", "no text"),
        ("v.nrrd", b"content: " + b"x" * 5000, "line of 5009 characters"),
        ("v.nrrd", b"#" + b"x" * 900 + b"\r" + b"y" * 900, "no text"),
    ],
)
def test_a_header_that_overwrites_the_program_is_refused_before_simpleitk_sees_it(
    tmp_path: Path, name: str, line: bytes, reason: str
) -> None:
    with pytest.raises(DataError, match=rf"{name} .*{reason}"):
        volumes.read_image(with_line(tmp_path / name, line))


def test_the_first_line_of_a_nrrd_is_looked_through_as_well(tmp_path: Path) -> None:
    path = write_volume(tmp_path / "v.nrrd", noise())
    path.write_bytes(path.read_bytes().replace(b"\n", b"\rcontent: " + b"x" * 2000 + b"\n", 1))
    with pytest.raises(DataError, match=r"v\.nrrd .*no text"):
        volumes.read_image(path)


def test_a_name_that_is_no_text_has_a_fingerprint(tmp_path: Path) -> None:
    plain = write_volume(tmp_path / "v.nrrd", noise())
    odd = Path(os.fsdecode(bytes(tmp_path) + b"/v\xff.nrrd"))
    odd.write_bytes(plain.read_bytes())
    assert volumes.fingerprint(odd) == volumes.fingerprint(plain)


def test_a_nrrd_whose_path_does_not_fit_into_a_message_is_refused(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["d" * 200] * 3)
    folder.mkdir(parents=True)
    path = write_volume(folder / "v.nrrd", noise())
    with pytest.raises(DataError, match="too long a path"):
        volumes.read_image(path)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("v.mha", b"Comment = " + b"x" * 240),
        ("v.nrrd", b"# " + b"x" * 5000),
        ("v.nrrd", b"protocol:=" + b"x" * 5000),
    ],
)
def test_long_remarks_are_read_over(tmp_path: Path, name: str, line: bytes) -> None:
    volume = volumes.read_image(with_line(tmp_path / name, line))
    np.testing.assert_array_equal(volume.array, noise())


@pytest.mark.parametrize("offset", [float("nan"), float("inf"), 1e9, 0.0, -400.0])
@pytest.mark.parametrize("compress", [False, True])
def test_an_offset_that_does_not_fit_is_refused(
    tmp_path: Path, offset: float, compress: bool
) -> None:
    header = bytearray(write_volume(tmp_path / "v.nii", noise()).read_bytes())
    struct.pack_into("<f", header, 108, offset)
    path = tmp_path / ("w.nii.gz" if compress else "w.nii")
    path.write_bytes(gzip.compress(bytes(header)) if compress else bytes(header))
    with pytest.raises(DataError, match=r"w\.nii"):
        volumes.read_image(path)


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_damage_to_a_volume_raises_anything_but_a_data_error(
    tmp_path: Path, ending: str
) -> None:
    path = write_volume(tmp_path / f"v{ending}", noise((3, 6, 7)), compress=True)
    intact = path.read_bytes()
    caught = []
    random = np.random.default_rng(5)
    for _ in range(60):
        damaged = bytearray(intact)
        for place in random.integers(0, len(damaged), 3):
            damaged[place] = random.integers(0, 256)
        path.write_bytes(damaged[: random.integers(1, len(damaged) + 1)])
        try:
            volumes.read_image(path)
        except DataError as error:
            caught.append(str(error))
    assert len(caught) > 30
    assert all(path.name in message or payload_of(path).name in message for message in caught)
