"""A case: one tumour as files on disk, and the tumour once it is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rdfc_core.errors import DataError
from rdfc_core.mask_grid import MaskGrid
from rdfc_core.volume import Volume, bounding_box, check_finite, check_not_swapped

__all__ = ["Case", "ReadsFiles", "Tumour", "Volume"]

MOST_VALUES = 256
"""Values of a mask that are told apart."""


@dataclass(frozen=True, eq=False)
class Tumour:
    """A loaded case: image and mask on one grid, checked.

    Args:
        image: The image on its grid.
        mask: Of the image's shape, True inside the outline, at least one voxel.
        mask_values: The different values that the mask file holds inside, at most a few; empty
            where nobody has looked.
        notes: What the readers of the files had to decide, in sentences for the user.
    """

    image: Volume
    mask: NDArray[np.bool_]
    mask_values: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ndim(self) -> int:
        """2 for pictures, 3 for volumes."""
        return self.mask.ndim

    @cached_property
    def box(self) -> tuple[slice, ...]:
        """The smallest box around the mask."""
        return bounding_box(self.mask)

    def crop(self, margin: int = 0) -> Tumour:
        """The tumour's box, widened by ``margin`` samples where the image goes that far."""
        box = tuple(
            slice(max(0, s.start - margin), min(n, s.stop + margin))
            for s, n in zip(self.box, self.mask.shape, strict=True)
        )
        return Tumour(self.image.crop(box), self.mask[box])


class ReadsFiles(Protocol):
    """What a case needs of its reader; `rdfc_core.interfaces.Reader` is the full interface."""

    def read_image(self, path: Path) -> Volume:
        """The image in the file."""

    def read_mask(self, path: Path) -> Volume:
        """The mask in the file, with its own values."""

    def identity(self, path: Path) -> str:
        """What decides, besides its content, what becomes of the file."""

    def mask_identity(self, path: Path) -> str:
        """As `identity`, of a file that is read as a mask."""

    def files(self, path: Path) -> Sequence[Path]:
        """The files that are read for the path."""

    def fingerprint(self, path: Path) -> str:
        """The same for the same content."""


@dataclass(frozen=True)
class Case:
    """One tumour: where its image and mask are, whose it is, and its label if it has one.

    Args:
        case_id: Unique within the data set.
        patient_id: Cases of one patient are never split between training and test.
        image: The image file.
        mask: The mask file.
        label: The class, or None for a case without a diagnosis.
        mask_value: The value in the mask that marks the tumour; None takes every value but 0.
        component: ``all`` of the mask, or only its ``largest`` connected component.
        columns: Whatever else the data set says about the case.
        reader: Reads the two files; a study fills it in where the data set leaves it open.
        mask_grid: What is done about a mask on another grid; a study's feature extractor says it.
    """

    case_id: str
    patient_id: str
    image: Path
    mask: Path
    label: str | None = None
    mask_value: int | None = None
    component: Literal["all", "largest"] = "all"
    columns: Mapping[str, str] = field(default_factory=dict)
    reader: ReadsFiles | None = None
    mask_grid: MaskGrid = field(default_factory=MaskGrid)

    def load(self) -> Tumour:
        """Read image and mask and check, once and here, that they fit.

        Raises:
            DataError: If a file is missing or damaged, the grids differ, image and mask have
                changed places, the mask is empty, or the image holds NaN or infinite samples. The
                message starts with the case.
        """
        try:
            reader = self._reader()
            image = reader.read_image(self._existing(self.image, "image"))
            mask = reader.read_mask(self._existing(self.mask, "mask"))
            mask = self.mask_grid.fit(image, mask, self.mask_value)
            check_not_swapped(image, mask)
            inside = self._inside(mask)
            notes = (*image.notes, *mask.notes)
            return Tumour(check_finite(image), inside, values_inside(mask, inside), notes)
        except DataError as error:
            raise DataError(f"Case {self.case_id}: {error}") from error

    def fingerprint(self, files: MutableMapping[tuple[int, Path], str] | None = None) -> str:
        """Changes when image or mask, what the mask means, or how the files are read, changes.

        Args:
            files: (Reader's id, file) → fingerprint of the file, taken just before for other cases;
                those that are taken are added.

        Raises:
            DataError: If a file is missing.
        """
        files = {} if files is None else files
        try:
            reader = self._reader()
            for role, path in (("image", self.image), ("mask", self.mask)):
                if (id(reader), path) not in files:
                    files[id(reader), path] = reader.fingerprint(self._existing(path, role))
            parts = (
                files[id(reader), self.image],
                files[id(reader), self.mask],
                reader.identity(self.image),
                reader.mask_identity(self.mask),
                str(self.mask_value),
                self.component,
            )
        except DataError as error:
            raise DataError(f"Case {self.case_id}: {error}") from error
        return hashlib.sha256("|".join(parts).encode()).hexdigest()

    def file_states(self) -> list[tuple[int, ...]]:
        """What the system notes of the files that are read: it changes whenever one is replaced.

        Unlike the fingerprint, it does not come back when the earlier content does.
        """
        reader = self._reader()
        return [
            (*_state(path, follow=False), *(n for file in reader.files(path) for n in _state(file)))
            for path in (self.image, self.mask)
        ]

    def _reader(self) -> ReadsFiles:
        if self.reader is None:
            raise DataError("no reader is set. Give the case one, or let a study choose it.")
        return self.reader

    def _existing(self, path: Path, role: str) -> Path:
        # A reader may serve paths that are no files (a generated data set): it then says so itself.
        fault = nothing_at(path) if getattr(self.reader, "needs_files", True) else None
        if fault is not None:
            raise DataError(f"the {role} {path} {fault}. Correct the path, or drop the case.")
        return path

    def _inside(self, mask: Volume) -> NDArray[np.bool_]:
        try:
            inside = voxels_inside(mask, self.mask_value)
        except DataError as error:
            raise DataError(f"{error} It was read from {self.mask}.") from error
        return largest_component(inside) if self.component == "largest" else inside


def _state(path: Path, follow: bool = True) -> tuple[int, ...]:
    """Device, number, size and times of the last change; of a link itself unless it is followed."""
    try:
        found = path.stat(follow_symlinks=follow)
    except OSError:  # generated data has none
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def nothing_at(path: Path) -> str | None:
    """Why there is nothing to read at the path, or None if there is.

    Pipes and devices count as nothing: reading one may never end.
    """
    try:
        if path.is_file() or path.is_dir():
            return None
        return "is neither a file nor a folder" if path.exists() else "does not exist"
    except OSError as error:
        return f"cannot be found ({(error.strerror or str(error)).lower()})"


def voxels_inside(mask: Volume, mask_value: int | None) -> NDArray[np.bool_]:
    """True where the mask has the value, or any value but 0 if None is asked for.

    Raises:
        DataError: If that is nowhere, or if the mask holds NaN.
    """
    values = mask.array
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise DataError("the mask holds NaN. Replace it by 0 outside the tumour and 1 inside.")
    inside: NDArray[np.bool_] = values != 0 if mask_value is None else values == mask_value
    if not inside.any():
        found = np.unique(values)[:8].tolist()
        wanted = "" if mask_value is None else f" at value {mask_value}"
        remedy = "Correct the mask" if mask_value is None else "Correct the mask or mask_value"
        raise DataError(
            f"the mask is empty{wanted} (it holds {found}). {remedy}, or drop the case."
        )
    return inside


def values_inside(mask: Volume, inside: NDArray[np.bool_]) -> tuple[float, ...]:
    """The different values of a mask inside the outline, smallest first, `MOST_VALUES` at most."""
    values = mask.array[inside]
    if (values == values[0]).all():  # as in nearly every mask: sorting them takes much longer
        return (float(values[0]),)
    return tuple(np.unique(values)[:MOST_VALUES].astype(float).tolist())


def largest_component(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest part of the mask that hangs together by faces, edges or corners."""
    from scipy import ndimage  # loaded when asked for: most data sets never do

    labels, count = ndimage.label(inside, np.ones((3,) * inside.ndim))
    if count < 2:
        return inside
    sizes = np.bincount(labels.ravel())[1:]
    return np.asarray(labels == 1 + int(np.argmax(sizes)))
