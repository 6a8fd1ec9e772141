"""Small sound files and texts, from which malformed ones are made."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813
from PIL import Image

from rdfc_core.case import Case, Tumour, Volume
from rdfc_dataset_phantom.config import PhantomConfig
from rdfc_dataset_phantom.dataset import Phantoms
from tests.support.small_study import SMALL_STUDY

PICTURES = (".png", ".jpg", ".tif", ".bmp")
VOLUMES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
COMPRESSED = (".gz", ".nhdr", ".mha")
LOSSLESS = {".jpg": ".png"}
"""What a mask is written as where the image's format would blur it."""

MANIFEST = (
    "case_id,patient_id,image,mask,label,mask_value,split\n"
    "a,p,image.png,mask.png,benign,255,train\n"
    "b,q,image.png,mask.png,malignant,,test\n"
    'c,q,"image.png",other/../mask.png,malignant,255.0,\n'
)
STUDY = {
    **copy.deepcopy(SMALL_STUDY),
    "dataset": {"name": "manifest", "root": "data"},
    "split": {"kind": "folds", "folds": 5},
    "readers": {"pictures": {"max_pixels": 1000}},
    "evaluate": {"bootstrap": 200, "compare": {"simclr": {"name": "simclr", "width": 8}}},
    "seed": 3,
}


@cache
def tumour(dimensions: int) -> Tumour:
    """A phantom's tumour in its box, of at most 12 samples along each axis."""
    size = (32,) * dimensions
    case = Phantoms(PhantomConfig(cases=2, dimensions=dimensions, image_size=size)).cases()[0]
    cropped = case.load().crop()
    few = (slice(0, 12),) * dimensions
    return Tumour(cropped.image.crop(few), cropped.mask[few])


def sound_case(folder: Path, ending: str) -> Case:
    """Image and mask in the format of the ending, in place of any that were there."""
    for old in (*folder.glob("image.*"), *folder.glob("mask.*")):
        old.unlink()
    image, mask = folder / f"image{ending}", folder / f"mask{LOSSLESS.get(ending, ending)}"
    _write(image, "image")
    _write(mask, "mask")
    return Case("one", "one", image, mask, label="benign")


def _write(path: Path, role: str) -> None:
    sound = tumour(2 if path.suffix in PICTURES else 3)
    array = sound.image.array if role == "image" else sound.mask.astype(np.uint8)
    if path.suffix in PICTURES:
        Image.fromarray(array.astype(np.uint8) * (1 if role == "image" else 255)).save(path)
        return
    volume = Volume(array, sound.image.spacing_mm, sound.image.origin_mm, sound.image.direction)
    sitk.WriteImage(volume.to_sitk(), str(path), path.suffix in COMPRESSED)
