"""Files that may be images or masks, by their names."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

VOLUMES = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
ENDINGS = (*VOLUMES, *PICTURES)

MASK_WORDS = (
    *("mask", "masks", "seg", "segs", "segmentation", "segmentations", "label", "labels", "roi"),
    *("rois", "gt", "groundtruth", "ground_truth", "annotation", "annotations", "contour"),
    *("outline", "outlines", "lesion_mask", "tumor_mask", "tumour_mask"),
)
IMAGE_WORDS = ("image", "images", "img", "imgs", "scan", "scans", "orig", "original")

SEPARATORS = r"[\s._\-()]+"


def stem(path: Path) -> str:
    """The name without the ending of an image; ``.nii.gz`` counts as one."""
    lower = path.name.lower()
    ending = next((one for one in ENDINGS if lower.endswith(one)), path.suffix)
    return path.name[: len(path.name) - len(ending)] if ending else path.name


def files_below(
    folder: Path, pattern: str | None = None, among: Sequence[str] = ENDINGS
) -> list[Path]:
    """Every file below the folder that may be an image or a mask, in order of their paths.

    Hidden files and folders are passed over, such as those that macOS writes into archives.

    Args:
        folder: Looked through, links to folders left out.
        pattern: The file's name has to match it, as in ``*_T1w*``; None: any.
        among: Endings.
    """
    return sorted(_walk(folder, pattern, tuple(among)))


def _walk(folder: Path, pattern: str | None, among: tuple[str, ...]) -> Iterator[Path]:
    for place, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if not name.startswith((".", "__MACOSX"))]
        for name in names:
            wanted = pattern is None or fnmatch.fnmatchcase(name, pattern)
            if wanted and not name.startswith(".") and name.lower().endswith(among):
                yield Path(place, name)


def is_mask_name(path: Path) -> bool:
    """Whether the name is a word for masks, or begins or ends with one: ``A_mask.png``."""
    whole = key_of(path, ())
    return whole in MASK_WORDS or key_of(path, MASK_WORDS) != whole


def key_of(path: Path, words: Iterable[str]) -> str:
    """The name in small letters without words at its ends, by which image and mask are one.

    ``benign (1)_mask_1`` and ``benign (1)`` have the same key if ``mask`` is a word: a number
    behind the word counts the masks of an image.
    """
    name = stem(path).casefold()
    choice = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    if choice:
        name = re.sub(rf"(?:^|{SEPARATORS})(?:{choice})(?:{SEPARATORS}?\d+)?$", "", name) or name
        name = re.sub(rf"^(?:{choice}){SEPARATORS}", "", name) or name
    return re.sub(SEPARATORS, " ", name).strip()
