"""Paths as any system writes them, and names of cases that have none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from rdfc_core.case import Case
from rdfc_dataset_manifest.columns import Columns
from rdfc_dataset_manifest.table import ManifestRow


def portable(path: str) -> str:
    """A path as Windows programs write it works elsewhere too."""
    return path.replace("\\", "/")


def named_by_files(
    sound: Sequence[tuple[ManifestRow, Case]], columns: Columns
) -> list[tuple[ManifestRow, Case]]:
    """Each case named by its image, or by as much more as makes all names different."""

    def image(row: ManifestRow) -> str:
        return portable(columns.files.first(row)[0])

    def whole(row: ManifestRow) -> str:
        return "_".join(PurePosixPath(_stem(image(row))).parts).strip("/_.")

    def with_mask(row: ManifestRow) -> str:
        return f"{whole(row)}_{_stem(PurePosixPath(portable(columns.files.first(row)[1])).name)}"

    def with_value(row: ManifestRow) -> str:
        return f"{with_mask(row)}_{row.cells[columns.mask_value] if columns.mask_value else ''}"

    ways: list[Callable[[ManifestRow], str]] = [
        lambda row: _stem(PurePosixPath(image(row)).name),
        whole,
        with_mask,
        with_value,
    ]
    names: list[str] = []
    for name in ways:
        names = [name(row) for row, _ in sound]
        if len(set(names)) == len(names):
            break
    return [
        (row, replace(case, case_id=name)) for name, (row, case) in zip(names, sound, strict=True)
    ]


def _stem(path: str) -> str:
    """Without the ending, ``.nii.gz`` counting as one."""
    path = path.removesuffix(".gz")
    return path.removesuffix(PurePosixPath(path).suffix)
