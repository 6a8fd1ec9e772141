"""Images and masks in folders: two folders side by side, or a folder a class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from rdfc_core.data.manifest.files import (
    IMAGE_WORDS,
    MASK_WORDS,
    files_below,
    is_mask_name,
    stem,
)
from rdfc_core.data.manifest.pairing import ImageAndMask, pairs
from rdfc_core.interfaces.layout import ONLY, Doubt, Found, FoundCase, LayoutOptions


class PairedFolders:
    """A folder of images and a folder of masks, in which a pair has one name."""

    name = "folders"
    title = "a folder of images beside a folder of masks"

    def recognises(self, root: Path) -> bool:
        """Whether two folders in it are called so, and no more than two."""
        return bool(_named(root, IMAGE_WORDS) and _named(root, MASK_WORDS))

    def find(self, root: Path, options: LayoutOptions) -> Found:
        """The pairs of the two folders, sub-folders included."""
        image_dir = options.image_dir or _named(root, IMAGE_WORDS) or root
        mask_dir = options.mask_dir or _named(root, MASK_WORDS) or root
        images = files_below(image_dir, options.only_images)
        masks = files_below(mask_dir, options.only_masks)

        def place(path: Path) -> Path:
            top = mask_dir if path.is_relative_to(mask_dir) else image_dir
            return path.relative_to(top).parent

        found, doubts = pairs(images, masks, options.several_masks, place)
        return Found(named(found, [image_dir]), doubts)


class ClassFolders:
    """A folder for each class, with images and masks in it, or in two folders below it."""

    name = "classes"
    title = "a folder for each class"

    def recognises(self, root: Path) -> bool:
        """Whether there are several folders that each hold an image with its mask."""
        inner = _folders(root)
        return len(inner) > 1 and all(_pairs(one, LayoutOptions())[0] for one in inner)

    def find(self, root: Path, options: LayoutOptions) -> Found:
        """The pairs of each folder, whose name is their class."""
        cases: list[FoundCase] = []
        doubts: list[Doubt] = []
        for folder in _folders(root):
            found, unclear = _pairs(folder, options)
            doubts += unclear
            if not found and not unclear:
                why, fix = "no image in it has a mask", "Name another folder, or leave it out."
                doubts.append(Doubt(str(folder), why, fix))
            cases += [replace(one, label=folder.name) for one in named(found, [folder])]
        return Found(_told_apart(cases), doubts)


def named(found: Sequence[ImageAndMask], tops: Sequence[Path]) -> list[FoundCase]:
    """Cases that are called as their image is; by its whole path where names repeat.

    Args:
        found: Images with masks.
        tops: Where paths begin.
    """

    def whole(path: Path) -> str:
        top = next((one for one in tops if path.is_relative_to(one)), path.parent)
        return "_".join((*path.relative_to(top).parent.parts, stem(path)))

    short = [stem(pair.image) for pair in found if pair.number < 2]
    call = stem if len(set(short)) == len(short) else whole
    return [
        FoundCase(
            call(pair.image) + (f"_{pair.number}" if pair.number else ""),
            {ONLY: pair.image},
            {ONLY: pair.mask},
            patient_id=call(pair.image) if pair.number else None,
        )
        for pair in found
    ]


def _told_apart(cases: Sequence[FoundCase]) -> list[FoundCase]:
    """The same cases; called by their class too where names repeat."""
    if len({case.case_id for case in cases}) == len(cases):
        return list(cases)
    return [
        replace(
            case,
            case_id=f"{case.label}_{case.case_id}",
            patient_id=case.patient_id and f"{case.label}_{case.patient_id}",
        )
        for case in cases
    ]


def _folders(root: Path) -> list[Path]:
    return sorted(
        path for path in root.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))
    )


def _named(root: Path, words: Sequence[str]) -> Path | None:
    """The one folder that is called by such a word; None if there is none, or several."""
    found = [path for path in _folders(root) if path.name.casefold() in words]
    return found[0] if len(found) == 1 else None


def _pairs(folder: Path, options: LayoutOptions) -> tuple[list[ImageAndMask], list[Doubt]]:
    """The pairs of one class: masks lie in a folder of their own, or are called so."""
    inner = _named(folder, IMAGE_WORDS), _named(folder, MASK_WORDS)
    if inner[0] and inner[1]:
        images = files_below(inner[0], options.only_images)
        masks = files_below(inner[1], options.only_masks)
    else:
        masks = files_below(folder, options.only_masks)
        if options.only_masks is None:
            masks = [path for path in masks if is_mask_name(path)]
        taken = set(masks)
        images = [path for path in files_below(folder, options.only_images) if path not in taken]
    return pairs(images, masks, options.several_masks, _place(folder))


def _place(folder: Path) -> Callable[[Path], object]:
    """File → the folder below its class that it lies in, those for images and masks left aside."""

    def place(path: Path) -> tuple[str, ...]:
        parts = path.relative_to(folder).parent.parts
        return tuple(one for one in parts if one.casefold() not in (*IMAGE_WORDS, *MASK_WORDS))

    return place
