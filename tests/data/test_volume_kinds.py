"""Sound volumes of rarer kinds: NIfTI-2, odd capitals, sheared axes, Slicer's layers, scaling."""

from __future__ import annotations

import gzip
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from scipy.spatial.transform import Rotation

from rdfc_core.case import Case
from rdfc_core.data.readers.grid import Grid
from rdfc_core.data.readers.nifti_header import read_nifti_header
from rdfc_core.data.readers.volumes import VolumeReader
from rdfc_core.errors import DataError
from tests.support.volume_files import noise

volumes = VolumeReader()
SAMPLES = noise((5, 6, 7))
SOUND = "rdfc_core.readers.volumes.VolumeReader 1"


def nifti(
    affine: np.ndarray,
    samples: np.ndarray = SAMPLES,
    slope: float = 1.0,
    codes: tuple[int, int] = (0, 1),
    units: int = 2,
    flip: float = 1.0,
) -> bytes:
    """A NIfTI-1 with the affine as its sform, and its rotation (flipped or not) as its qform."""
    spacing = np.linalg.norm(affine[:, :3], axis=0)
    rotation = affine[:, :3] / spacing
    x, y, z, w = Rotation.from_matrix(rotation * [1, 1, flip]).as_quat()
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *samples.shape[::-1], 1, 1, 1, 1)
    kind = {"i2": (4, 16), "u1": (2, 8), "f4": (16, 32)}[samples.dtype.str[1:]]
    struct.pack_into("<2h", header, 70, *kind)
    struct.pack_into("<8f", header, 76, flip, *spacing, 1, 1, 1, 1)
    struct.pack_into("<3f", header, 108, 352, slope, 0)
    header[123] = units
    struct.pack_into("<2h", header, 252, *codes)
    quaternion = np.array([x, y, z]) * (1 if w >= 0 else -1)
    struct.pack_into("<6f", header, 256, *quaternion, *affine[:, 3])
    struct.pack_into("<12f", header, 280, *affine.ravel())
    header[344:348] = b"n+1\0"
    return bytes(header) + samples.tobytes()


def nifti_2(affine: np.ndarray, order: str) -> bytes:
    header = bytearray(544)
    struct.pack_into(f"{order}i8s", header, 0, 540, b"n+2\0\r\n\x1a\n")
    struct.pack_into(f"{order}2h8q", header, 12, 4, 16, 3, *SAMPLES.shape[::-1], 1, 1, 1, 1)
    struct.pack_into(f"{order}8d", header, 104, 1, *np.linalg.norm(affine[:, :3], axis=0), *[0] * 4)
    struct.pack_into(f"{order}q2d", header, 168, 544, 1, 0)
    struct.pack_into(f"{order}2i", header, 344, 0, 1)
    struct.pack_into(f"{order}12d", header, 400, *affine.ravel())
    struct.pack_into(f"{order}i", header, 500, 2)
    return bytes(header) + SAMPLES.astype(f"{order}i2").tobytes()


def turned(seed: int, flip: float = 1.0) -> np.ndarray:
    """A random affine without shear, (3, 4)."""
    random = np.random.default_rng(seed)
    rotation = Rotation.random(random_state=seed).as_matrix() * [1, 1, flip]
    return np.column_stack([rotation * random.uniform(0.5, 3, 3), random.normal(size=3) * 50])


@pytest.mark.parametrize("codes", [(0, 0), (1, 0), (0, 1), (1, 1), (2, 1)])
@pytest.mark.parametrize("units", [0, 1, 2, 3])
@pytest.mark.parametrize("flip", [1.0, -1.0])
def test_headers_say_what_simpleitk_takes_from_them(
    tmp_path: Path, codes: tuple[int, int], units: int, flip: float
) -> None:
    path = tmp_path / "v.nii"
    for seed in range(3):
        path.write_bytes(nifti(turned(seed, flip), codes=codes, units=units, flip=flip))
        image = sitk.ReadImage(str(path))
        grid = Grid.of_nifti(path, read_nifti_header(path))
        assert grid.size == image.GetSize()
        np.testing.assert_allclose(grid.spacing_mm, image.GetSpacing(), rtol=1e-6)
        np.testing.assert_allclose(grid.origin_mm, image.GetOrigin(), rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(grid.direction.ravel(), image.GetDirection(), atol=1e-5)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".NII"])
def test_nifti_2_is_read_as_the_same_nifti_1(tmp_path: Path, ending: str, order: str) -> None:
    affine = turned(4)
    path, first = tmp_path / f"v{ending}", tmp_path / "first.nii"
    content = nifti_2(affine, order)
    path.write_bytes(gzip.compress(content) if ending.endswith("gz") else content)
    first.write_bytes(nifti(affine))
    read, expected = volumes.read_image(path), volumes.read_image(first)
    np.testing.assert_array_equal(read.array, SAMPLES)
    np.testing.assert_allclose(read.spacing_mm, expected.spacing_mm, rtol=1e-6)
    np.testing.assert_allclose(read.origin_mm, expected.origin_mm, rtol=1e-6)
    np.testing.assert_allclose(read.direction, expected.direction, atol=1e-6)


@pytest.mark.parametrize("name", ["v.Nii", "v.nii.GZ", "v.Nii.Gz", "a.b.NII.gz"])
def test_a_nifti_with_odd_capitals_in_its_ending_is_read(tmp_path: Path, name: str) -> None:
    content = nifti(turned(5))
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.lower().endswith("gz") else content)
    np.testing.assert_array_equal(volumes.read_image(path).array, SAMPLES)


def test_a_sheared_nifti_is_refused_for_its_axes_and_not_as_damaged(tmp_path: Path) -> None:
    affine = np.diag([0.8, 0.8, 2, 1.0])[:3]
    affine[0, 1] = 0.05
    path = tmp_path / "v.nii.gz"
    path.write_bytes(gzip.compress(nifti(affine)))
    with pytest.raises(DataError, match=r"axes that are not at right angles \(off by 0.0624") as no:
        volumes.read_image(path)
    assert "damaged" not in str(no.value)


def test_axes_that_are_off_by_rounding_alone_are_read(tmp_path: Path) -> None:
    affine = np.diag([1.0, 1.0, 1.0, 1.0])[:3]
    affine[0, 1] = 5e-4
    path = tmp_path / "v.nii"
    path.write_bytes(nifti(affine))
    with pytest.raises(RuntimeError, match="orthonormal"):
        sitk.ReadImage(str(path))
    np.testing.assert_array_equal(volumes.read_image(path).array, SAMPLES)


def slicer_segmentation(path: Path, layers: np.ndarray) -> Path:
    """As 3D Slicer writes layers, (Z, Y, X, layers), of 1 x 1 x 2 mm."""
    sizes = " ".join(map(str, layers.shape[::-1]))
    header = (
        f"NRRD0004\ntype: unsigned char\ndimension: 4\nspace: left-posterior-superior\n"
        f"sizes: {sizes}\nspace directions: none (1,0,0) (0,1,0) (0,0,2)\n"
        "kinds: list domain domain domain\nencoding: gzip\nspace origin: (1,2,3)\n\n"
    )
    path.write_bytes(header.encode() + gzip.compress(layers.tobytes()))
    return path


def test_a_segmentation_of_one_layer_is_a_mask(tmp_path: Path) -> None:
    mask = (SAMPLES > 0).astype(np.uint8)
    read = volumes.read_mask(slicer_segmentation(tmp_path / "m.seg.nrrd", mask[..., None]))
    np.testing.assert_array_equal(read.array, mask)
    assert read.spacing_mm == (2.0, 1.0, 1.0)
    assert read.origin_mm == (1.0, 2.0, 3.0)


def test_a_segmentation_of_two_layers_is_refused_by_name(tmp_path: Path) -> None:
    layers = np.stack([SAMPLES > 0, SAMPLES > 9], axis=-1).astype(np.uint8)
    with pytest.raises(DataError, match="Save the channel or layer that is meant"):
        volumes.read_mask(slicer_segmentation(tmp_path / "m.seg.nrrd", layers))


LABELS = np.random.default_rng(1).integers(0, 4, (5, 6, 7))


@pytest.mark.parametrize(("stored", "slope"), [(LABELS * 10, 0.1), (LABELS * 3, 1 / 3)])
def test_a_scaled_label_map_has_integers_again(
    tmp_path: Path, stored: np.ndarray, slope: float
) -> None:
    mask, image = tmp_path / "m.nii", tmp_path / "v.nii"
    mask.write_bytes(nifti(np.eye(3, 4), stored.astype(np.uint8), slope))
    image.write_bytes(nifti(np.eye(3, 4)))
    raw = volumes.read_image(mask).array
    np.testing.assert_array_equal(volumes.read_mask(mask).array, LABELS)
    case = Case("a", "a", image, mask, mask_value=3, reader=volumes)
    np.testing.assert_array_equal(case.load().mask, LABELS == 3)
    changed = not np.array_equal(raw, LABELS)
    assert volumes.mask_identity(mask) == (f"{SOUND}; rounded" if changed else SOUND)


def test_floats_are_rounded_where_all_are_near_integers_and_kept_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "m.nii"
    near = (LABELS + np.random.default_rng(2).uniform(-1e-4, 1e-4, LABELS.shape)).astype(np.float32)
    path.write_bytes(nifti(np.eye(3, 4), near))
    np.testing.assert_array_equal(volumes.read_mask(path).array, LABELS)
    assert volumes.mask_identity(path).endswith("; rounded")
    np.testing.assert_array_equal(volumes.read_image(path).array, near)
    probabilities = np.random.default_rng(3).uniform(size=LABELS.shape).astype(np.float32)
    path.write_bytes(nifti(np.eye(3, 4), probabilities))
    np.testing.assert_array_equal(volumes.read_mask(path).array, probabilities)
    path.write_bytes(nifti(np.eye(3, 4), LABELS.astype(np.float32)))
    assert volumes.mask_identity(path) == volumes.identity(path) == SOUND


@pytest.mark.parametrize("name", ["sheared.nii", "two.nii.gz", "odd.Nii", "cut.nii.gz", "cut.mha"])
def test_raw_lines_of_libraries_do_not_reach_the_terminal(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    affine = np.eye(3, 4)
    if name == "sheared.nii":
        affine[0, 1] = 0.2
    content = nifti_2(affine, "<") if name == "two.nii.gz" else nifti(affine)
    content = gzip.compress(content) if name.endswith("gz") else content
    if name == "cut.mha":
        sitk.WriteImage(sitk.GetImageFromArray(SAMPLES), str(path))
        content = path.read_bytes().replace(b"MET_SHORT", b"MET_NONE!")
    path.write_bytes(content[:-50] if name.startswith("cut") else content)
    code = (
        "import contextlib, sys; from pathlib import Path\n"
        "from rdfc_core.errors import DataError; from rdfc_core.data.readers.volumes import *\n"
        "with contextlib.suppress(DataError): VolumeReader().read_image(Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_case_of_former_kinds_keeps_its_fingerprint(tmp_path: Path) -> None:
    """The store of before goes on: nothing of these files is read otherwise than it was."""
    image, mask = tmp_path / "v.nii", tmp_path / "m.nii"
    image.write_bytes(nifti(turned(1)))
    mask.write_bytes(nifti(turned(1), (LABELS > 0).astype(np.uint8)))
    case = Case("a", "a", image, mask, reader=volumes)
    former = replace(case, reader=Former())
    assert case.fingerprint() == former.fingerprint()


class Former(VolumeReader):
    """The identity of before."""

    def identity(self, path: Path) -> str:
        return SOUND

    mask_identity = identity


SHEAR = np.array([[0, 0, 0.5, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
LONGER = np.diag([2.0, 2, 2, 0])[:3]
TURNED = np.array([[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]]) - np.eye(3, 4)


@pytest.mark.parametrize("codes", [(1, 1), (1, 2), (2, 1), (1, 4)])
@pytest.mark.parametrize("change", [SHEAR, LONGER, TURNED, np.diag([0, 0, -1.0, 0])[:3]])
def test_geometries_that_contradict_each_other_are_told_of_and_read_as_simpleitk_does(
    tmp_path: Path, codes: tuple[int, int], change: np.ndarray
):
    """The sform is changed; which of both SimpleITK takes depends on their codes."""
    plain = np.eye(3, 4)
    data = bytearray(nifti(plain, codes=codes))
    path = tmp_path / "a.nii"
    struct.pack_into("<12f", data, 280, *(plain + change).ravel())
    path.write_bytes(data)
    volume = volumes.read_image(path)
    expected = sitk.ReadImage(str(path))
    assert volume.spacing_mm == pytest.approx(expected.GetSpacing()[::-1])
    direction = np.reshape(expected.GetDirection(), (3, 3))[:, ::-1]
    np.testing.assert_allclose(volume.direction, direction, atol=1e-6)
    [note] = volume.notes
    assert "contradict each other" in note
    qform = np.diag([-1.0, -1, 1])[:, ::-1]
    used = "qform" if np.allclose(direction * volume.spacing_mm, qform, atol=1e-6) else "sform"
    assert f"the {used} is used" in note
    if change is SHEAR:
        assert used == "qform"


@pytest.mark.parametrize("codes", [(0, 0), (1, 0), (0, 1), (1, 1), (2, 1)])
def test_geometries_that_agree_but_for_rounding_are_not_told_of(tmp_path: Path, codes):
    path = tmp_path / "a.nii"
    for seed in range(5):
        path.write_bytes(nifti(turned(seed), codes=codes))
        assert volumes.read_image(path).notes == ()


def test_axes_that_are_no_numbers_are_called_so(tmp_path: Path):
    affine = np.eye(3, 4)
    affine[0, 0] = np.nan
    data = bytearray(nifti(np.eye(3, 4), codes=(0, 1)))
    struct.pack_into("<12f", data, 280, *affine.ravel())
    (tmp_path / "a.nii").write_bytes(data)
    with pytest.raises(DataError, match=r"must be positive|no number"):
        volumes.read_image(tmp_path / "a.nii")
