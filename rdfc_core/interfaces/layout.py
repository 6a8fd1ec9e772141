"""Layout: how images and masks lie in folders, and the cases that are found there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

ONLY = ""
"""The name of a case's image where it has a single one, and of the mask that all images share."""

SeveralMasks = Literal["leave-out", "cases"]


class Layout(Protocol):
    """A way in which people lay out images and masks.

    Args:
        name: By which the user names it.
        title: What it is, in a few words.
    """

    name: str
    title: str

    def recognises(self, root: Path) -> bool:
        """Whether a folder looks like it."""

    def find(self, root: Path, options: LayoutOptions) -> Found:
        """The cases below the folder, and what would have to be guessed."""


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
        by_folder: Where several images could have an outline, take the one whose folder is nearest.
    """

    image_dir: Path | None = None
    mask_dir: Path | None = None
    only_images: str | None = None
    only_masks: str | None = None
    several_masks: SeveralMasks = "leave-out"
    by_folder: bool = False


@dataclass(frozen=True)
class FoundCase:
    """One row of the list that is made.

    Args:
        case_id: Unique among the cases.
        images: Name → file; `ONLY` for the single image of a case.
        masks: Name of an image → its mask; `ONLY` for the mask of all of them.
        patient_id: Whose tumour it is, as far as the names say so.
        label: The class, where the place of a file or a table says so.
        columns: Whatever else is known, column → text.
    """

    case_id: str
    images: Mapping[str, Path]
    masks: Mapping[str, Path]
    patient_id: str | None = None
    label: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Doubt:
    """Something that is left out, since it would have to be guessed.

    Args:
        what: The file, or the id.
        why: What was found there.
        fix: What to do about it.
    """

    what: str
    why: str
    fix: str


@dataclass(frozen=True)
class Found:
    """Everything that was found.

    Args:
        cases: In the order of their ids.
        doubts: What is left out.
        notes: What was decided, in sentences.
    """

    cases: Sequence[FoundCase]
    doubts: Sequence[Doubt] = ()
    notes: Sequence[str] = ()
