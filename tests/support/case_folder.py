"""Small cases as real files, sound or with a fault."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813
from PIL import Image

from rdfc_core.case import Case
from rdfc_core.data.readers.pictures import PictureReader
from rdfc_core.data.readers.volumes import VolumeReader


class CaseFolder:
    """Writes cases, each with an image and a block of 6 x 5 pixels of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def case(
        self,
        case_id: str,
        label: str | None = "benign",
        image: np.ndarray | None = None,
        mask: np.ndarray | None = None,
        ending: str = ".png",
    ) -> Case:
        noise = np.random.default_rng(list(case_id.encode())).integers(0, 256, (20, 30), np.uint8)
        paths = self.folder / f"{case_id}.png", self.folder / f"{case_id}_mask{ending}"
        Image.fromarray(noise if image is None else image).save(paths[0])
        Image.fromarray(block_of(case_id) if mask is None else mask).save(paths[1])
        return Case(case_id, case_id, *paths, label=label, reader=PictureReader())

    def volume(self, case_id: str, image: np.ndarray, mask: np.ndarray, spacing: float) -> Case:
        paths = self.folder / f"{case_id}.nrrd", self.folder / f"{case_id}_mask.nrrd"
        for array, path, side in zip((image, mask), paths, (1.0, spacing), strict=True):
            volume = sitk.GetImageFromArray(array)
            volume.SetSpacing((side, 1.0, 1.0))
            sitk.WriteImage(volume, str(path))
        return Case(case_id, case_id, *paths, label="malignant", reader=VolumeReader())


def block_of(case_id: str) -> np.ndarray:
    """The block where no other case has it."""
    down, right = divmod(sum(case_id.encode()) % 390, 26)
    return np.roll(block(), (down - 5, right - 10), axis=(0, 1))


def block() -> np.ndarray:
    mask = np.zeros((20, 30), np.uint8)
    mask[5:11, 10:15] = 255
    return mask


def with_a_volume(pictures: Path, own: Path, case_id: str) -> Path:
    """A copy of the pictures of which one case is a volume."""
    folder = Path(shutil.copytree(pictures, own))
    for kind in ("images", "masks"):
        file = folder / kind / f"{case_id}.png"
        planes = np.repeat(np.array(Image.open(file))[None], 4, axis=0)
        sitk.WriteImage(sitk.GetImageFromArray(planes), str(file.with_suffix(".mha")))
        file.unlink()
    manifest = folder / "manifest.csv"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace(f"{case_id}.png", f"{case_id}.mha"), encoding="utf-8")
    return folder
