"""Phantoms as files, for trying things by hand and for examples."""

from __future__ import annotations

import csv
from pathlib import Path

from rdfc_core.case import Case, Volume
from rdfc_core.errors import DataError
from rdfc_dataset_phantom.config import PhantomConfig
from rdfc_dataset_phantom.dataset import Phantoms

COLUMNS = ("case_id", "patient_id", "image", "mask", "label")


def write(config: PhantomConfig, folder: Path) -> Path:
    """Write every phantom as PNG (2D) or NIfTI (3D), and a ``manifest.csv`` that lists them.

    Args:
        config: Which phantoms.
        folder: Is made if it does not exist.

    Returns:
        The manifest, as the data set ``manifest`` reads it.

    Raises:
        DataError: If the folder holds a manifest already.
    """
    manifest = folder / "manifest.csv"
    if manifest.exists():
        raise DataError(f"{manifest} exists. Choose another folder, or delete it first.")
    for role in ("image", "mask"):
        (folder / role).mkdir(parents=True, exist_ok=True)
    rows = [_write_case(case, folder) for case in Phantoms(config).cases()]
    with manifest.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([COLUMNS, *rows])
    return manifest


def _write_case(case: Case, folder: Path) -> tuple[str, ...]:
    if case.reader is None:
        raise DataError(f"Case {case.case_id}: no reader is set.")
    image, mask = case.reader.read_image(case.image), case.reader.read_mask(case.mask)
    ending = ".png" if image.array.ndim == 2 else ".nii.gz"
    names = [f"{role}/{case.case_id}{ending}" for role in ("image", "mask")]
    for volume, name in zip((image, mask), names, strict=True):
        _write_volume(volume, folder / name)
    return case.case_id, case.patient_id, *names, case.label or ""


def _write_volume(volume: Volume, path: Path) -> None:
    if volume.array.ndim == 2:
        from PIL import Image

        Image.fromarray(volume.array).save(path)
    else:
        import SimpleITK as sitk  # noqa: N813

        sitk.WriteImage(volume.to_sitk(), str(path), True)
