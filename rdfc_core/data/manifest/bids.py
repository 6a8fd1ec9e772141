"""BIDS: ``sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz``, with masks there or under ``derivatives``.

Source: Brain Imaging Data Structure 1.10 (https://bids-specification.readthedocs.io), sections
"Common principles" and "Imaging data (derivative data)".
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from rdfc_core.data.cells import counted, listed
from rdfc_core.data.manifest.files import VOLUMES, files_below, stem
from rdfc_core.interfaces.layout import ONLY, Doubt, Found, FoundCase, LayoutOptions

MASKS = ("mask", "dseg")
PASSED_OVER = ("probseg", "bold", "sbref", "dwi", "events")
"""Suffixes of files that are neither an image of a tumour nor its mask."""

_ENTITY = re.compile(r"([A-Za-z]+)-([A-Za-z0-9+]+)")


@dataclass(frozen=True)
class _BidsFile:
    path: Path
    entities: dict[str, str]
    suffix: str

    @property
    def case_id(self) -> str:
        """Subject and session."""
        return "_".join(f"{k}-{self.entities[k]}" for k in ("sub", "ses") if k in self.entities)

    @property
    def name(self) -> str:
        """What tells an image from others of its session: ``T1w``, ``T1w-ce-gd``."""
        further = [
            f"-{key}-{value}" for key, value in self.entities.items() if key not in ("sub", "ses")
        ]
        return self.suffix + "".join(further)


class Bids:
    """A BIDS tree: a case is a session of a subject, with all of its images."""

    name = "bids"
    title = "a BIDS tree"

    def recognises(self, root: Path) -> bool:
        """Whether there are folders of subjects."""
        return any(path.is_dir() for path in root.glob("sub-*"))

    def find(self, root: Path, options: LayoutOptions) -> Found:
        """Every session that has images and one mask."""
        images: dict[str, list[_BidsFile]] = defaultdict(list)
        masks: dict[str, list[_BidsFile]] = defaultdict(list)
        for path in files_below(root, among=VOLUMES):
            one = _parsed(path)
            if one is None or one.suffix in PASSED_OVER:
                continue
            if one.suffix in MASKS:
                if options.only_masks is None or path.match(options.only_masks):
                    masks[one.case_id].append(one)
            elif "derivatives" not in path.relative_to(root).parts and (
                options.only_images is None or path.match(options.only_images)
            ):
                images[one.case_id].append(one)
        cases, doubts = [], []
        for case_id, own in sorted(images.items()):
            outlines = masks.pop(case_id, [])
            names = [one.name for one in own]
            if len(outlines) != 1 or len(set(names)) < len(names):
                doubts.append(_doubt(case_id, names, outlines))
                continue
            called = {one.name: one.path for one in own}
            called = {ONLY: own[0].path} if len(called) == 1 else called
            subject = f"sub-{own[0].entities['sub']}"
            cases.append(FoundCase(case_id, called, {ONLY: outlines[0].path}, subject))
        doubts += [
            Doubt(case_id, "it has a mask and no image", "Add the image, or leave it out.")
            for case_id in masks
        ]
        return Found(_with_all_named(cases), doubts)


def _with_all_named(cases: list[FoundCase]) -> list[FoundCase]:
    """Images keep their names everywhere if any case has several."""
    if all(list(case.images) == [ONLY] for case in cases):
        return cases
    named = []
    for case in cases:
        images = {
            name or (parsed.name if (parsed := _parsed(path)) else name): path
            for name, path in case.images.items()
        }
        named.append(FoundCase(case.case_id, images, case.masks, case.patient_id))
    return named


def _parsed(path: Path) -> _BidsFile | None:
    *parts, suffix = stem(path).split("_")
    found = [_ENTITY.fullmatch(part) for part in parts]
    entities = {one[1]: one[2] for one in found if one}
    if len(entities) < len(parts) or "sub" not in entities or not suffix.isalnum():
        return None
    return _BidsFile(path, entities, suffix)


def _doubt(case_id: str, names: list[str], masks: list[_BidsFile]) -> Doubt:
    if not masks:
        return Doubt(case_id, "it has no mask", "Add one (…_mask.nii.gz, …_dseg.nii.gz).")
    if len(masks) > 1:
        found = listed([one.path.name for one in masks])
        why = f"it has {counted(len(masks), 'mask')}: {found}"
        return Doubt(case_id, why, "Say which by --only-masks, such as '*label-lesion_mask*'.")
    twice = next(name for name in names if names.count(name) > 1)
    return Doubt(case_id, f"it has the image {twice} twice", "Say which by --only-images.")
