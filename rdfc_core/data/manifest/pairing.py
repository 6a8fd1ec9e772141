"""Which mask belongs to which image, by names alone; what is not certain is left out and told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rdfc_core.data.cells import counted, listed
from rdfc_core.data.manifest.files import IMAGE_WORDS, MASK_WORDS, key_of
from rdfc_core.interfaces.layout import Doubt, SeveralMasks

ADVICE = "Rename the files so that image and mask have one name, or write the row by hand."


@dataclass(frozen=True)
class ImageAndMask:
    """An image and a mask of it.

    Args:
        image: The image.
        mask: The mask.
        number: Of the mask, counted from 1, where an image has several; otherwise 0.
    """

    image: Path
    mask: Path
    number: int = 0


def pairs(
    images: Sequence[Path],
    masks: Sequence[Path],
    several: SeveralMasks,
    beside: Callable[[Path], object] = lambda _: None,
) -> tuple[list[ImageAndMask], list[Doubt]]:
    """Images with the mask of the same name, words such as ``image`` and ``mask`` left aside.

    Args:
        images: All images.
        masks: All masks.
        several: What is done about an image with several masks: it is left out, or each of them
            makes a case.
        beside: File → where it lies; only files of one place belong together.
    """
    images_of: dict[object, list[Path]] = defaultdict(list)
    masks_of: dict[object, list[Path]] = defaultdict(list)
    for path in images:
        images_of[beside(path), key_of(path, IMAGE_WORDS)].append(path)
    for path in masks:
        masks_of[beside(path), key_of(path, MASK_WORDS)].append(path)
    found: list[ImageAndMask] = []
    doubts: list[Doubt] = []
    for key, same in images_of.items():
        own = masks_of.pop(key, [])
        doubts += _doubts(same, own, several)
        if len(same) == 1 and len(own) == 1:
            found.append(ImageAndMask(same[0], own[0]))
        elif len(same) == 1 and own and several == "cases":
            found += [ImageAndMask(same[0], mask, place) for place, mask in enumerate(own, start=1)]
    for left in masks_of.values():
        doubts += [Doubt(str(one), "no image has the name of this mask", ADVICE) for one in left]
    return found, doubts


def _doubts(
    images: Sequence[Path], masks: Sequence[Path], several: SeveralMasks
) -> Iterator[Doubt]:
    names = listed([str(path.name) for path in images])
    if len(images) > 1:
        why = f"{counted(len(images), 'image')} have the same name ({names}), and it cannot be told"
        yield Doubt(str(images[0]), f"{why} whose masks are whose", ADVICE)
    elif not masks:
        yield Doubt(str(images[0]), "no mask has the name of this image", ADVICE)
    elif len(masks) > 1 and several == "leave-out":
        own = listed([path.name for path in masks])
        yield Doubt(
            str(images[0]),
            f"it has {counted(len(masks), 'mask')}: {own}",
            "Say --several-masks cases if each outlines a tumour of its own, or unite them.",
        )
