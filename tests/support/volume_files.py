"""Small volumes as real files, for the tests of what reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

ENDINGS = [".nii", ".nii.gz", ".nrrd", ".mha", ".nhdr", ".mhd"]


def noise(shape: tuple[int, ...] = (6, 20, 30)) -> np.ndarray:
    return np.random.default_rng(3).normal(0, 300, shape).astype(np.int16)


def write_volume(path: Path, array: np.ndarray, compress: bool = False) -> Path:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing([0.5, 0.75, 2.5][: image.GetDimension()])
    sitk.WriteImage(image, str(path), compress)
    return path


def payload_of(path: Path) -> Path:
    """The file that holds the samples: beside a detached header, or the file itself."""
    return next((p for p in path.parent.glob(f"{path.stem}.*raw*")), path)


def flip_bit(path: Path, at: float) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 0x10
    path.write_bytes(data)
