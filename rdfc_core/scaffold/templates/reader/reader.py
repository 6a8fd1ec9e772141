"""A reader of NumPy archives: ``case.npz`` with ``array`` and ``spacing_mm``."""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path

import numpy as np

from rdfc_core import DataError, Volume
from rdfc_core.interfaces import Reader

from .config import ExampleConfig


class Example(Reader):
    """Reads ``.npz`` files that hold ``array``, (H, W) or (Z, Y, X), and ``spacing_mm``."""

    def __init__(self, config: ExampleConfig) -> None:
        self.config = config

    def reads(self, path: Path) -> bool:
        """Whether the name ends in ``.npz``; the file itself is not opened."""
        return path.suffix.lower() == ".npz"

    def read_image(self, path: Path) -> Volume:
        """The array on its grid, with the axes along the patient's.

        Raises:
            DataError: If the file is damaged, too large, or holds something else.
        """
        try:
            self._check_claim(path)
            # Without pickles: a file from elsewhere must not run code.
            with np.load(path, allow_pickle=False) as archive:
                array, spacing_mm = archive["array"], archive["spacing_mm"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise DataError(
                f"{path} cannot be read ({error}). Save it again with "
                "numpy.savez(path, array=…, spacing_mm=…)."
            ) from error
        if array.ndim not in (2, 3) or spacing_mm.shape != (array.ndim,):
            raise DataError(
                f"{path} holds an array of shape {array.shape} and spacing_mm of shape "
                f"{spacing_mm.shape}. Save two or three axes, and one spacing for each."
            )
        return Volume.of(array, tuple(float(step) for step in spacing_mm))

    def _check_claim(self, path: Path) -> None:
        # The header is read first: a small file may claim an array larger than the memory.
        with zipfile.ZipFile(path) as archive, archive.open("array.npy") as stream:
            version = np.lib.format.read_magic(stream)
            read_header = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }[version]
            shape = read_header(stream)[0]
        if math.prod(shape) > self.config.max_voxels:
            raise DataError(
                f"{path} claims {shape} voxels, more than max_voxels ({self.config.max_voxels}). "
                "Raise the option if that is right."
            )
