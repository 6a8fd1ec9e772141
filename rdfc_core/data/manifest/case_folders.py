"""A folder for each case, with one image or several, and one mask.

``case_00001/imaging.nii.gz`` with ``segmentation.nii.gz`` as in KiTS, or
``BraTS_001/BraTS_001_t1.nii.gz`` with ``…_flair.nii.gz`` and ``…_seg.nii.gz``.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from rdfc_core.data.cells import counted, listed
from rdfc_core.data.manifest.files import SEPARATORS, files_below, is_mask_name, stem
from rdfc_core.interfaces.layout import ONLY, Doubt, Found, FoundCase, LayoutOptions


class CaseFolders:
    """A folder for each case, with its images and one mask, which is called so."""

    name = "cases"
    title = "a folder for each case"

    def recognises(self, root: Path) -> bool:
        """Whether there are folders with files, and each has one mask and an image."""
        folders = _by_folder(root, LayoutOptions())
        found = [len(masks) == 1 and bool(images) for images, masks in folders.values()]
        return len(found) > 1 and root not in folders and all(found)

    def find(self, root: Path, options: LayoutOptions) -> Found:
        """Every folder with images and one mask."""
        folders = _by_folder(root, options)
        ids = _ids(root, list(folders))
        several = any(len(images) > 1 for images, _ in folders.values())
        cases, doubts = [], []
        for folder, (images, masks) in sorted(folders.items()):
            if len(masks) != 1 or not images:
                doubts.append(_doubt(folder, images, masks))
                continue
            names = _names(images, folder.name) if several else [ONLY]
            if len(set(names)) < len(images):
                doubts.append(_doubt(folder, images, masks))
                continue
            cases.append(
                FoundCase(ids[folder], dict(zip(names, images, strict=True)), {ONLY: masks[0]})
            )
        return Found(cases, doubts)


def _by_folder(root: Path, options: LayoutOptions) -> dict[Path, tuple[list[Path], list[Path]]]:
    """Folder → the images and the masks that lie in it."""
    found: dict[Path, tuple[list[Path], list[Path]]] = defaultdict(lambda: ([], []))
    masks = set(files_below(root, options.only_masks))
    if options.only_masks is None:
        masks = {path for path in masks if is_mask_name(path)}
    for path in masks | set(files_below(root, options.only_images)):
        found[path.parent][path in masks].append(path)
    return {folder: (sorted(images), sorted(own)) for folder, (images, own) in found.items()}


def _ids(root: Path, folders: Sequence[Path]) -> dict[Path, str]:
    """Each folder's name; by its whole path where names repeat."""
    counts = Counter(folder.name for folder in folders)
    whole = max(counts.values(), default=1) > 1
    return {
        folder: "_".join(folder.relative_to(root).parts) if whole else folder.name
        for folder in folders
    }


def _names(images: Sequence[Path], folder: str) -> list[str]:
    """What tells the images of a folder from each other: ``t1`` of ``BraTS_001_t1.nii.gz``."""
    words = [re.split(SEPARATORS, stem(path)) for path in images]
    shared = _leading([*words, re.split(SEPARATORS, folder)])
    if not shared and len(words) > 1:
        shared = _leading(words)
    rest = ["-".join(filter(None, own[shared:])) for own in words]
    plain = [re.sub(r"[^A-Za-z0-9_-]+", "-", one) for one in rest]
    return [one if one[:1].isalpha() else f"image{one and '-'}{one}" for one in plain]


def _leading(words: Sequence[Sequence[str]]) -> int:
    """How many words all begin with."""
    same = zip(*words, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda one: len(set(one)) == 1, same))


def _doubt(folder: Path, images: Sequence[Path], masks: Sequence[Path]) -> Doubt:
    if len(masks) > 1:
        why = f"it has {counted(len(masks), 'mask')}: {listed([path.name for path in masks])}"
        return Doubt(str(folder), why, "Say which by --only-masks, or unite them.")
    if not masks:
        return Doubt(str(folder), "no file in it is called a mask", "Say which by --only-masks.")
    if not images:
        return Doubt(str(folder), "it has a mask and no image", "Add the image.")
    names = listed([path.name for path in images])
    return Doubt(str(folder), f"its images cannot be told apart ({names})", "Use --only-images.")
