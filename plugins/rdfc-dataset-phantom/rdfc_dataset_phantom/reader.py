"""Reads phantoms: their paths name no files, and they are made when asked for."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any, ClassVar, Literal

from numpy.typing import NDArray

from rdfc_core.case import Volume
from rdfc_core.errors import DataError
from rdfc_core.interfaces import Reader
from rdfc_dataset_phantom.config import PhantomConfig
from rdfc_dataset_phantom.phantom import GENERATOR_VERSION, image_of, mask_of, spacing_of

Role = Literal["image", "mask"]
PATH = re.compile(r"phantom/[23]d/case_(\d+)/(image|mask)")


def path_of(config: PhantomConfig, index: int, role: Role) -> Path:
    """The path that stands for a phantom: ``phantom/2d/case_00012/image``."""
    return Path("phantom") / f"{config.dimensions}d" / f"case_{index:05d}" / role


class PhantomReader(Reader):
    """Makes the phantom that a path stands for."""

    needs_files: ClassVar[bool] = False
    known_as: ClassVar[str] = "rdfc_dataset_phantom.reader.PhantomReader"

    def __init__(self, config: PhantomConfig) -> None:
        self.config = config

    def reads(self, path: Path) -> bool:
        """Whether the path stands for a phantom."""
        return PATH.fullmatch(path.as_posix()) is not None

    def read_image(self, path: Path) -> Volume:
        """The image.

        Raises:
            DataError: If the path stands for no phantom.
        """
        return self._volume(image_of(self.config, self._index(path)))

    def read_mask(self, path: Path, image: Volume | None = None) -> Volume:
        """The mask, 1 inside the tumour.

        Raises:
            DataError: If the path stands for no phantom.
        """
        return self._volume(mask_of(self.config, self._index(path)))

    def fingerprint(self, path: Path) -> str:
        """The same for the same phantom; makes none.

        Raises:
            DataError: If the path stands for no phantom.
        """
        config = self.config
        # Of the kind mixed as before there were others: what is stored of them stays valid.
        kind: tuple[str, ...] = () if config.kind == "mixed" else (config.kind,)
        kind += () if config.label == "class" else (config.label,)
        content = (
            *kind,
            GENERATOR_VERSION[config.kind],
            config.seed,
            config.shape,
            config.classes,
            config.tumours_per_patient,
            config.difficulty,
            self._index(path),
            path.name,
        )
        return hashlib.sha256(repr(content).encode()).hexdigest()

    def _index(self, path: Path) -> int:
        found = PATH.fullmatch(path.as_posix())
        if found is None:
            raise DataError(f"{path} stands for no phantom. Write phantom/2d/case_00012/image.")
        return int(found.group(1))

    def _volume(self, array: NDArray[Any]) -> Volume:
        return Volume.of(array, spacing_of(self.config))
