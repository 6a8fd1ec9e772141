"""Volumes on real files: what comes back from them, and what is no tumour's image."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from volume_files import ENDINGS, flip_bit, noise, payload_of, write_volume

from rdfc_core.errors import DataError
from rdfc_core.readers.volumes import VolumeReader
from rdfc_core.testing import check_reader

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


def test_slope_and_intercept_of_a_nifti_are_applied(tmp_path: Path) -> None:
    path = write_volume(tmp_path / "v.nii", noise())
    header = bytearray(path.read_bytes())
    struct.pack_into("<2f", header, 112, 0.5, -3.0)
    path.write_bytes(header)
    np.testing.assert_allclose(volumes.read_image(path).array, noise() * 0.5 - 3.0)


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
    with pytest.raises(DataError, match=r"vector of 8-bit.*channel that is meant"):
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
