"""A case's files are read as views ask for them, each once, and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdfc_core.case.files import existing, mask_of, reader_of
from rdfc_core.case.image_grid import on_grid
from rdfc_core.case.tumour import (
    Needs,
    Tumour,
    WhatWasAsked,
    of_component,
    values_inside,
    voxels_inside,
)
from rdfc_core.errors import DataError
from rdfc_core.volume import Volume, check_finite, check_not_swapped

if TYPE_CHECKING:
    from rdfc_core.case.case import Case


class LoadedCase:
    """A case whose files are read as they are asked for, each once.

    Args:
        case: With a reader.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self._images: dict[str, Volume] = {}
        self._tumours: dict[str, Tumour] = {}

    def seen(self, needs: Needs) -> Tumour:
        """What a view with these needs gets.

        Raises:
            DataError: As `Case.load`.
        """
        case = self.case
        try:
            names, columns = case.names_of(needs), case.columns_of(needs)
            asked = WhatWasAsked("column", columns)
            if not names:
                return Tumour.without_image(asked)
            first = self._own(names[0])
            if needs.images is None:
                return replace(first, columns=asked) if needs.columns else first
            images = {names[0]: first}
            for name in names[1:]:
                images[name] = self._own(name) if needs.grid == "own" else self._beside(name, first)
        except DataError as error:
            raise DataError(f"Case {case.case_id}: {error}") from error
        return replace(first, images=WhatWasAsked("image", images), columns=asked)

    def _own(self, name: str) -> Tumour:
        """An image with its own mask."""
        if name not in self._tumours:
            case = self.case
            try:
                image = self._image(name)
                path = existing(reader_of(case), case.files_of(name)[1], "mask")
                mask = mask_of(reader_of(case), path, image)
                mask = case.mask_grid.fit(image, mask, case.mask_value)
                check_not_swapped(image, mask)
                inside = _inside(case, mask, path)
                notes = (*image.notes, *mask.notes)
                values = values_inside(mask, inside)
                self._tumours[name] = Tumour(check_finite(image), inside, values, notes)
            except DataError as error:
                raise _of_image(name, error, case.images) from error
        return self._tumours[name]

    def _beside(self, name: str, first: Tumour) -> Tumour:
        """An image on the grid of the first one, and with its mask."""
        try:
            image = on_grid(check_finite(self._image(name)), first.image, first.mask)
        except DataError as error:
            raise _of_image(name, error, self.case.images) from error
        return Tumour(image, first.mask, first.mask_values, image.notes)

    def _image(self, name: str) -> Volume:
        if name not in self._images:
            reader = reader_of(self.case)
            path = existing(reader, self.case.files_of(name)[0], "image")
            self._images[name] = reader.read_image(path)
        return self._images[name]


def _inside(case: Case, mask: Volume, path: Path) -> Any:
    try:
        inside = voxels_inside(mask, case.mask_value)
    except DataError as error:
        raise DataError(f"{error} It was read from {path}.") from error
    return of_component(inside, case.component)


def _of_image(name: str, error: DataError, images: Mapping[str, Path]) -> DataError:
    return DataError(f"image {name!r}: {error}" if len(images) > 1 else str(error))
