"""What a user says about the files that are to be listed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SeveralMasks = Literal["leave-out", "cases"]
SEVERAL_MASKS: dict[str, SeveralMasks] = {"leave-out": "leave-out", "cases": "cases"}
"""What may be done about an image with several masks, by the word that says so."""


@dataclass(frozen=True)
class LayoutOptions:
    """How files are told apart where their names leave it open.

    Args:
        image_dir: Where images lie, if not in the usual folder.
        mask_dir: Where masks lie, if not in the usual folder.
        only_images: Pattern of file names, as in ``*_T1w*``: other images are passed over.
        only_masks: The same of masks.
        several_masks: What is done about an image with several masks: ``leave-out`` and say so, or
            ``cases``, of each one.
    """

    image_dir: Path | None = None
    mask_dir: Path | None = None
    only_images: str | None = None
    only_masks: str | None = None
    several_masks: SeveralMasks = "leave-out"
