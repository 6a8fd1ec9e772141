"""A tumour once it is loaded, what a view may ask of it, and which voxels of a mask are its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from rdfc_core.errors import DataError, PluginError, StudyError
from rdfc_core.volume import Volume, bounding_box

MOST_VALUES = 256
"""Values of a mask that are told apart."""

LABEL = "label"
"""What models are to tell; no view may see it."""

WhichComponent = Literal["all", "largest"] | int
"""All of a mask, its largest connected component, or the n-th largest, counted from 1."""

Asked = TypeVar("Asked")


@dataclass(frozen=True)
class Needs:
    """What a view needs of a case; it gets nothing else, and its results are stored under that.

    Args:
        images: Names of images; None: the one image of the case, whatever its name; empty: none.
        columns: Names of columns, such as ``age``. Never the label.
        grid: Of several images: ``own``, each with its mask as the files have them, or ``shared``,
            all on the grid of the first and with its mask.
        any_image: Where no image is named, one of several does: for what is shown to people.
        fit_columns: Names of columns that `View.fit` and `View.collate` see with what was prepared
            (`Prepared.columns`), such as ``scanner``. `View.prepare` does not get them, so that
            results are stored without them. Never the label.

    Raises:
        StudyError: If the label is asked for, or a name twice.
    """

    images: tuple[str, ...] | None = None
    columns: tuple[str, ...] = ()
    grid: Literal["own", "shared"] = "own"
    any_image: bool = False
    fit_columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        named = (self.images or (), "image"), (self.columns, "column"), (self.fit_columns, "column")
        for names, what in named:
            if isinstance(names, str) or not all(isinstance(name, str) for name in names):
                raise StudyError(f"needs: {what}s is {names!r}. Give a list of names.")
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise StudyError(f"needs: the {what} {twice!r} is named twice. Name it once.")
        for name in self.every_column:
            if is_label(name):
                raise StudyError(
                    f"The column {name!r} is the label, which models are to tell: no view may see "
                    "it. Leave it out of the view's columns."
                )

    @property
    def every_column(self) -> tuple[str, ...]:
        """The columns that `View.prepare` sees, and those that `View.fit` sees, each once."""
        return tuple(dict.fromkeys((*self.columns, *self.fit_columns)))

    @property
    def plain(self) -> bool:
        """Whether it is the one image and nothing else, as of every view that names nothing."""
        return self.images is None and not self.columns


ANY_IMAGE = Needs(any_image=True)
"""One image, whichever: of what is shown to people, or looked at for them."""


def is_label(name: str) -> bool:
    """Whether a column is called as the label is, however it is spelled."""
    return "".join(letter for letter in name.casefold() if letter.isalnum()) in (LABEL, "labels")


class WhatWasAsked(dict[str, Asked]):
    """Images or columns by name; another name is refused by a sentence that says which are there.

    Args:
        what: ``image`` or ``column``.
        content: Name → what it is.
    """

    def __init__(self, what: str, content: Mapping[str, Asked] | None = None) -> None:
        super().__init__(content or {})
        self.what = what

    def __missing__(self, name: str) -> Asked:
        raise PluginError(
            f"it looks at the {self.what} {name!r}, for which it has not asked (it asked for "
            f"{', '.join(self) or 'none'}). Name it in needs.{self.what}s."
        )

    def __reduce__(self) -> tuple[type, tuple[str, dict[str, Asked]]]:
        return WhatWasAsked, (self.what, dict(self))


@dataclass(frozen=True, eq=False)
class Tumour:
    """A loaded case as a view asked for it: image and mask on one grid, checked.

    Args:
        image: The image on its grid; of several the first that was asked for.
        mask: Of the image's shape, True inside the outline, at least one voxel.
        mask_values: The different values that the mask file holds inside, at most a few; empty
            where nobody has looked.
        notes: What the readers of the files had to decide, in sentences for the user.
        images: Name → that image with its mask, of the images that were asked for by name.
        columns: Name → text of the columns that were asked for; "" where there is no value.
    """

    image: Volume
    mask: NDArray[np.bool_]
    mask_values: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    images: Mapping[str, Tumour] = field(default_factory=lambda: WhatWasAsked("image"))
    columns: Mapping[str, str] = field(default_factory=lambda: WhatWasAsked("column"))

    @classmethod
    def without_image(cls, columns: Mapping[str, str]) -> Tumour:
        """What a view gets that asked for columns and for no image."""
        return _OfColumns(WhatWasAsked("column", columns))

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


class _OfColumns(Tumour):
    """A tumour of which no image was asked for."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        for name, value in (("images", WhatWasAsked("image")), ("columns", columns)):
            object.__setattr__(self, name, value)

    @property
    def image(self) -> Volume:
        raise PluginError("its needs name no image, and it looks at one. Name it in needs.images.")

    @property
    def mask(self) -> NDArray[np.bool_]:
        raise PluginError("its needs name no image, and it looks at one. Name it in needs.images.")


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


def components_of(inside: NDArray[np.bool_]) -> tuple[NDArray[np.integer[Any]], NDArray[np.int64]]:
    """The parts of a mask that hang together by faces, edges or corners.

    Returns:
        An array of the mask's shape that holds the number of the part of each voxel, 0 outside; and
        the numbers in order of size, largest first, of equal ones that which comes first in memory.
    """
    from scipy import ndimage  # loaded when asked for: most data sets never do

    labels, _ = ndimage.label(inside, np.ones((3,) * inside.ndim))
    sizes = np.bincount(labels.ravel())[1:]
    return labels, 1 + np.argsort(-sizes, kind="stable")


def of_component(inside: NDArray[np.bool_], component: WhichComponent) -> NDArray[np.bool_]:
    """The part of a mask that is the case's.

    Args:
        inside: The mask, with at least one voxel.
        component: ``all`` of it, the ``largest``, or the n-th largest.

    Raises:
        DataError: If it has fewer.
    """
    if component == "all":
        return inside
    labels, by_size = components_of(inside)
    place = 1 if component == "largest" else component
    if place > len(by_size):
        raise DataError(
            f"the mask has {len(by_size)} connected component{'s' * (len(by_size) > 1)}, and the "
            f"case is number {place} of them by size. Correct the case's component, or list the "
            "lesions of the mask anew."
        )
    return np.asarray(labels == by_size[place - 1])
