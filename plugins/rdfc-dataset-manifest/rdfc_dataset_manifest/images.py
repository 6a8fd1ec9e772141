"""The columns of a case's files: ``image`` and ``mask``, or ``image.NAME`` for each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rdfc_core.case import IMAGE_NAME
from rdfc_core.data.cells import find_column, is_missing, tidy
from rdfc_core.errors import did_you_mean
from rdfc_core.interfaces import Problem
from rdfc_dataset_manifest.table import ManifestRow


@dataclass(frozen=True)
class FileColumns:
    """The columns of files, as the header writes them.

    Args:
        image: Of the one image; "" where images have names.
        mask: Of the mask that all images share; "" where each has its own.
        images: Name of an image → its column.
        masks: Name of an image → the column of its own mask.
    """

    image: str = ""
    mask: str = ""
    images: Mapping[str, str] = field(default_factory=dict)
    masks: Mapping[str, str] = field(default_factory=dict)

    @property
    def all(self) -> list[str]:
        """Every column of files."""
        found = [self.image, self.mask, *self.images.values(), *self.masks.values()]
        return [column for column in found if column]

    def named(self, row: ManifestRow) -> dict[str, tuple[str, str]]:
        """Name of each image that a row has → the cells of its image and mask ("" without)."""
        found = {}
        for name, column in self.images.items():
            image = row.cells[column]
            if is_missing(image):
                continue
            masks = [row.cells[c] for c in (self.masks.get(name), self.mask) if c]
            found[name] = image, next((text for text in masks if not is_missing(text)), "")
        return found

    def first(self, row: ManifestRow) -> tuple[str, str]:
        """The cells of the row's image and mask, of several of the first that it has."""
        if not self.images:
            return row.cells[self.image], row.cells[self.mask]
        return next(iter(self.named(row).values()), ("", ""))


def find_files(header: Sequence[str], main: str | None) -> tuple[FileColumns | None, list[Problem]]:
    """The columns of images and masks; None with the problems where they do not fit together.

    Args:
        header: The names of the columns.
        main: The image that the option ``main_image`` names.
    """
    images, masks = _named(header, "image"), _named(header, "mask")
    one, shared = find_column(header, "image"), find_column(header, "mask")
    if not images:
        absent = [
            _missing(name, header) for name in ("image", "mask") if not find_column(header, name)
        ]
        absent += [_without_image(name, column) for name, column in masks.items()]
        if main is not None:
            message = f"main_image is {main!r}, and the list has one image a case, without a name"
            absent.append(Problem("", "main_image", message, "Leave it out."))
        return (None, absent) if absent else (FileColumns(str(one), str(shared)), [])
    problems = [
        Problem("", column, f"the column {column!r} names no image: {RULE}", "Rename it.")
        for name, column in images.items()
        if not IMAGE_NAME.fullmatch(name)
    ]
    problems += [_without_image(n, column) for n, column in masks.items() if n not in images]
    if one is not None:
        shown = ", ".join(images.values())
        message = f"the list has the column {one!r} beside {shown}"
        problems.append(Problem("", "image", message, "Give each image a name: image.NAME."))
    if shared is None:
        problems += [
            Problem(
                "", "mask", f"{column} has no mask: {_neither(name)}", "Add one of the two columns."
            )
            for name, column in images.items()
            if name not in masks
        ]
    if main is not None and main not in images:
        message = f"main_image is {main!r}, and the images are {', '.join(images)}"
        fix = f"{did_you_mean(main, tuple(images))} Name one of them.".lstrip()
        problems.append(Problem("", "main_image", message, fix))
    return (None, problems) if problems else (FileColumns("", shared or "", images, masks), [])


RULE = "a name is of letters, digits, _ and -, and begins with a letter"


def _neither(name: str) -> str:
    return f"the list has neither mask.{name} nor mask"


def _named(header: Sequence[str], what: str) -> dict[str, str]:
    """Name → column, of the columns ``image.NAME``."""
    found = {}
    for column in header:
        prefix, dot, name = tidy(column).partition(".")
        if dot and prefix.strip().casefold() == what:
            found[name.strip()] = column
    return found


def _without_image(name: str, column: str) -> Problem:
    message = f"the list has the column {column!r} and none called 'image.{name}'"
    return Problem("", "mask", message, "Rename one of the two, or drop it.")


def _missing(name: str, header: Sequence[str]) -> Problem:
    message = f"the list has no column {name!r}; it has {', '.join(header)}"
    return Problem("", name, message, f"{did_you_mean(name, header)} Add it.".lstrip())
