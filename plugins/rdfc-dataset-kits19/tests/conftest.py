"""KiTS19's layout, written small: slices first, with the affine of the official files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from rdfc_dataset_kits19.config import Kits19Config
from rdfc_dataset_kits19.dataset import Kits19

PUBLISHED = {
    "clear_cell_rcc": 143,
    "papillary": 21,
    "chromophobe": 19,
    "oncocytoma": 10,
    "angiomyolipoma": 17,
}
"""Subtype → cases; the last stands for all that the paper does not classify."""
SPACING_MM = (3.0, 0.7, 0.7)
"""Of slices, rows and columns."""


class Layout:
    """A folder that is filled as the official one is."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.data = root / "data"
        self.data.mkdir(parents=True)
        names = [name for name, count in PUBLISHED.items() for _ in range(count)]
        # 37 and 210 have no common factor: subtypes are spread over the numbers.
        self.subtypes = {f"case_{37 * i % 210:05d}": name for i, name in enumerate(names)}
        self.entries: list[dict[str, Any]] = [
            {
                "case_id": case_id,
                "gender": "female",
                "body_mass_index": 24.5,
                "comorbidities": {"aids": False},
                "age_when_quit_smoking": None,
                "malignant": name != "oncocytoma",
                "tumor_histologic_subtype": name,
            }
            for case_id, name in sorted(self.subtypes.items())
        ]
        self.write_list()

    def write_list(self, folder: Path | None = None) -> None:
        (folder or self.data).joinpath("kits.json").write_text(json.dumps(self.entries))

    def of(self, subtype: str, count: int | None = None) -> list[str]:
        """The first cases of a subtype."""
        return sorted(c for c, name in self.subtypes.items() if name == subtype)[:count]

    def touch(self, case_ids: Iterable[str] | None = None) -> None:
        """Files that are there and empty: listing opens none."""
        for case_id in self.subtypes if case_ids is None else case_ids:
            (self.data / case_id).mkdir()
            for name in ("imaging", "segmentation"):
                (self.data / case_id / f"{name}.nii.gz").touch()

    def write(self, case_id: str, image: NDArray[np.int16], mask: NDArray[np.uint8]) -> None:
        """Image and mask, (slices, height, width) as nibabel shows them."""
        folder = self.data / case_id
        folder.mkdir()
        for name, array in (("imaging", image), ("segmentation", mask)):
            volume = sitk.GetImageFromArray(np.transpose(array, (2, 1, 0)).copy())
            volume.SetSpacing(SPACING_MM)
            # Slices run from head to foot, rows to the back, columns to the left.
            volume.SetDirection((0, 0, 1, 0, 1, 0, -1, 0, 0))
            sitk.WriteImage(volume, str(folder / f"{name}.nii.gz"))

    def write_small(self, case_id: str, seed: int = 0) -> None:
        """Noise, with a kidney (1) and in it a tumour (2) of 3 × 6 × 8 voxels."""
        noise = np.random.default_rng(seed).normal(50, 60, (8, 20, 24)).astype(np.int16)
        mask = np.zeros(noise.shape, np.uint8)
        mask[1:7, 3:15, 5:20] = 1
        mask[3:6, 5:11, 8:16] = 2
        self.write(case_id, noise, mask)

    def dataset(self, **options: Any) -> Kits19:
        return Kits19(Kits19Config(root=self.root, **options))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """kits.json alone, without any scan."""
    return Layout(tmp_path / "kits19")


@pytest.fixture
def some(layout: Layout) -> Callable[..., None]:
    """Puts so many cases of each subtype there."""

    def put(*counts: int) -> None:
        for name, count in zip(PUBLISHED, counts, strict=True):
            layout.touch(layout.of(name, count))

    return put
