"""Volumes on real files: what comes back from them, and what is no tumour's image."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from rdfc_core.data.readers.volumes import VolumeReader
from rdfc_core.errors import DataError
from rdfc_core.testing import check_reader
from tests.support.volume_files import ENDINGS, flip_bit, noise, payload_of, write_volume

volumes = VolumeReader()


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_it_keeps_what_every_reader_promises(tmp_path: Path, ending: str) -> None:
    image = write_volume(tmp_path / f"image{ending}", noise(), compress=True)
    mask = write_volume(tmp_path / f"mask{ending}", (noise() > 0).astype(np.uint8), compress=True)
    check_reader(volumes, image, mask)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("ending", ENDINGS)
def test_volumes_come_back_with_their_values_type_and_spacing(
    tmp_path: Path, ending: str, compress: bool
) -> None:
    path = write_volume(tmp_path / f"v{ending}", noise(), compress)
    volume = volumes.read_image(path)
    assert volume.array.dtype == np.int16
    np.testing.assert_array_equal(volume.array, noise())
    assert volume.spacing_mm == pytest.approx((2.5, 0.75, 0.5))


def test_a_gzip_of_several_members_is_read(tmp_path: Path) -> None:
    plain = write_volume(tmp_path / "v.nii", noise()).read_bytes()
    path = tmp_path / "members.nii.gz"
    path.write_bytes(gzip.compress(plain[:3000]) + gzip.compress(plain[3000:]))
    np.testing.assert_array_equal(volumes.read_image(path).array, noise())


KINDS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]


def samples_of(kind: str) -> np.ndarray:
    """All of the type's range, in 2 × 3 × 4 voxels."""
    if kind[0] == "f":
        return np.linspace(-1e6, 1e6, 24, dtype=kind).reshape(2, 3, 4)
    limits = np.iinfo(kind)
    spread = np.linspace(0, 1, 24).reshape(2, 3, 4)
    return np.clip(limits.min * (1 - spread) + limits.max * spread, *_inner(kind)).astype(kind)


def _inner(kind: str) -> tuple[float, float]:
    limits = np.iinfo(kind)
    return float(limits.min), float(limits.max // 2)  # its end may not be a float64


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_every_type_comes_back_as_simpleitk_reads_it(
    tmp_path: Path, ending: str, kind: str
) -> None:
    path = write_volume(tmp_path / f"v{ending}", samples_of(kind), compress=True)
    found = volumes.read_image(path).array
    assert found.dtype == np.dtype(kind)
    np.testing.assert_array_equal(found, samples_of(kind))
    np.testing.assert_array_equal(found, sitk.GetArrayFromImage(sitk.ReadImage(str(path))))
    found[0] = 0  # it may be written to


def nifti(samples: np.ndarray, order: str, slope: float, intercept: float) -> bytes:
    """A NIfTI file of the samples in this byte order."""
    code = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "u2": 512}[samples.dtype.str[1:]]
    header = bytearray(352)
    struct.pack_into(f"{order}i", header, 0, 348)
    struct.pack_into(f"{order}8h", header, 40, 3, *samples.shape[::-1], 1, 1, 1, 1)
    struct.pack_into(f"{order}2h", header, 70, code, 8 * samples.itemsize)
    struct.pack_into(f"{order}8f", header, 76, *[1.0] * 8)
    struct.pack_into(f"{order}3f", header, 108, 352, slope, intercept)
    header[344:348] = b"n+1\0"
    return bytes(header) + samples.astype(samples.dtype.newbyteorder(order)).tobytes()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u1", "i2", "i4", "u2", "f4", "f8"])
@pytest.mark.parametrize(
    ("slope", "intercept"),
    [
        (1.0, 0.0),
        (0.5, -3.0),
        (0.1, 0.7),
        (0.0, 5.0),
        (1.0, 7.0),
        (float("nan"), 5.0),
        (2.0, float("nan")),
    ],
)
def test_slope_and_intercept_of_a_nifti_are_applied_as_simpleitk_does(
    tmp_path: Path, slope: float, intercept: float, kind: str, order: str
) -> None:
    path = tmp_path / "v.nii"
    path.write_bytes(nifti(samples_of(kind), order, slope, intercept))
    expected = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    found = volumes.read_image(path).array
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["v.nrrd", "v.mha"])
@pytest.mark.parametrize("compress", [False, True])
def test_samples_with_the_most_significant_byte_first_are_turned(
    tmp_path: Path, name: str, compress: bool
) -> None:
    path = write_volume(tmp_path / name, noise(), compress)
    swapped = write_volume(tmp_path / f"swapped-{name}", noise().byteswap(), compress)
    content = swapped.read_bytes()
    little = b"endian: little" if name == "v.nrrd" else b"BinaryDataByteOrderMSB = False"
    big = b"endian: big" if name == "v.nrrd" else b"BinaryDataByteOrderMSB = True"
    assert little in content
    path.write_bytes(content.replace(little, big))
    found = volumes.read_image(path).array
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, noise())
    np.testing.assert_array_equal(found, sitk.GetArrayFromImage(sitk.ReadImage(str(path))))


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_complex_numbers_are_refused(tmp_path: Path, ending: str, kind: str) -> None:
    path = tmp_path / f"v{ending}"
    parts = sitk.GetImageFromArray(samples_of(kind))
    sitk.WriteImage(sitk.RealAndImaginaryToComplex(parts, parts), str(path))
    with pytest.raises(DataError, match=r"one number is needed|real numbers"):
        volumes.read_image(path)


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_a_fourth_axis_of_one_is_dropped_and_geometry_kept(tmp_path: Path, ending: str) -> None:
    turned = sitk.GetImageFromArray(noise())
    turned.SetSpacing((0.5, 0.75, 2.5))
    turned.SetOrigin((10.0, -20.0, 30.0))
    turned.SetDirection((0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0))
    path = tmp_path / f"v{ending}"
    sitk.WriteImage(sitk.JoinSeries([turned]), str(path))
    volume = volumes.read_image(path)
    np.testing.assert_array_equal(volume.array, noise())
    assert volume.spacing_mm == pytest.approx((2.5, 0.75, 0.5))
    back = volume.to_sitk()
    assert back.GetOrigin() == pytest.approx(turned.GetOrigin())
    assert back.GetDirection() == pytest.approx(turned.GetDirection(), abs=1e-6)


@pytest.mark.parametrize("ending", [".nii", ".nrrd", ".mha"])
def test_volumes_over_time_and_with_channels_are_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"v{ending}"
    sitk.WriteImage(sitk.JoinSeries([sitk.GetImageFromArray(noise())] * 2), str(path))
    with pytest.raises(DataError, match=r"30 x 20 x 6 x 2.*time point"):
        volumes.read_image(path)
    colours = np.zeros((4, 5, 6, 3), np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(colours, isVector=True), str(path))
    with pytest.raises(DataError, match=r"vector of 8-bit.*channel or layer that is meant"):
        volumes.read_image(path)


@pytest.mark.parametrize("ending", [".nii", ".nrrd", ".mha"])
def test_one_slice_stays_a_volume_and_two_axes_are_a_picture(tmp_path: Path, ending: str) -> None:
    assert volumes.read_image(
        write_volume(tmp_path / f"one{ending}", noise((1, 20, 30)))
    ).array.shape == (1, 20, 30)
    picture = volumes.read_image(write_volume(tmp_path / f"two{ending}", noise((20, 30))))
    assert picture.array.shape == (20, 30)
    assert picture.spacing_mm == pytest.approx((0.75, 0.5))


def test_headers_with_impossible_geometry_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.nrrd"
    header = "NRRD0004\ntype: short\ndimension: 3\nsizes: 4 3 2\nencoding: raw\nendian: little\n"
    path.write_bytes(f"{header}spacings: -1 1 1\n\n".encode() + bytes(48))
    with pytest.raises(DataError, match=r"spacing \(-1.0, 1.0, 1.0\) mm.*positive"):
        volumes.read_image(path)
    tilted = "space: left-posterior-superior\nspace directions: (1,0,0) (0.5,1,0) (0,0,1)\n"
    path.write_bytes(f"{header}{tilted}\n".encode() + bytes(48))
    with pytest.raises(DataError, match="right angles"):
        volumes.read_image(path)


def test_a_missing_volume_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.nii\.gz.*does not exist"):
        volumes.read_image(tmp_path / "gone.nii.gz")


@pytest.mark.parametrize("ending", [".mhd", ".nhdr"])
def test_the_fingerprint_follows_the_samples_beside_a_detached_header(
    tmp_path: Path, ending: str
) -> None:
    path = write_volume(tmp_path / f"v{ending}", noise())
    before = volumes.fingerprint(path)
    flip_bit(payload_of(path), 0.5)
    assert volumes.fingerprint(path) != before


def test_volume_names_are_known_in_small_and_capital_letters() -> None:
    for name in ("a.nii", "a.NII.GZ", "a.nrrd", "a.nhdr", "a.mha", "a.mhd"):
        assert volumes.reads(Path(name))
    for name in ("a.gz", "a.png", "nii", "a.img"):
        assert not volumes.reads(Path(name))
