"""The layout of nnU-Net: ``imagesTr/CASE_0000.nii.gz``, ``labelsTr/CASE.nii.gz``, ``dataset.json``.

Source: Isensee et al. 2021, and the documentation of nnU-Net (dataset_format.md), versions 1 and 2.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rdfc_core.data.manifest.files import files_below, stem
from rdfc_core.errors import DataError
from rdfc_core.interfaces.layout import ONLY, Doubt, Found, FoundCase, LayoutOptions

_CHANNEL = re.compile(r"(.+)_(\d{4})")
IMAGES, LABELS, ABOUT = "imagesTr", "labelsTr", "dataset.json"


class NnUNet:
    """A data set of nnU-Net: one case of ``imagesTr`` is all of its channels."""

    name = "nnunet"
    title = "a data set of nnU-Net"

    def recognises(self, root: Path) -> bool:
        """Whether there are ``imagesTr`` and ``labelsTr``."""
        return (root / IMAGES).is_dir() and (root / LABELS).is_dir()

    def find(self, root: Path, options: LayoutOptions) -> Found:
        """Every case of the training part with its label map as the mask."""
        about = _about(root / ABOUT)
        names = {int(number): str(name) for number, name in _channels(about).items()}
        images: dict[str, dict[int, Path]] = defaultdict(dict)
        doubts: list[Doubt] = []
        for path in files_below(root / IMAGES, options.only_images):
            found = _CHANNEL.fullmatch(stem(path))
            if found is None:
                why = "its name does not end with the number of a channel, such as _0000"
                doubts.append(Doubt(str(path), why, "Rename it, or leave it out."))
            else:
                images[found[1]][int(found[2])] = path
        masks = {stem(path): path for path in files_below(root / LABELS, options.only_masks)}
        every = sorted({number for own in images.values() for number in own})
        cases = []
        for case_id, own in sorted(images.items()):
            mask = masks.pop(case_id, None)
            if mask is None:
                why = f"there is no {LABELS}/{case_id} for it"
                doubts.append(Doubt(case_id, why, "Add the label map, or leave the case out."))
                continue
            if len(every) == 1:
                cases.append(FoundCase(case_id, {ONLY: own[every[0]]}, {ONLY: mask}))
            else:
                called = {_name(number, names): path for number, path in sorted(own.items())}
                cases.append(FoundCase(case_id, called, {ONLY: mask}))
        doubts += [Doubt(str(m), "no image belongs to it", "Leave it out.") for m in masks.values()]
        values = ", ".join(f"{value} {name}" for name, value in about.get("labels", {}).items())
        say = f"The masks hold label maps ({values}): say which value the tumour has by mask_value."
        return Found(cases, doubts, [say] if values else [])


def _about(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}). Correct it, or move it away.") from error
    return about if isinstance(about, Mapping) else {}


def _channels(about: Mapping[str, Any]) -> Mapping[str, Any]:
    found = about.get("channel_names", about.get("modality", {}))
    return found if isinstance(found, Mapping) else {}


def _name(number: int, names: Mapping[int, str]) -> str:
    """``T1 Gd`` → ``T1-Gd``: letters, digits, ``-`` and ``_``, and a letter first."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", names.get(number, "")).strip("-")
    return plain if plain[:1].isalpha() else f"c{number}{plain and '-'}{plain}"
