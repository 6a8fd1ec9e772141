"""What the three tasks have in common: one image view, whose tower they train."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from rdfc_core.errors import StudyError
from rdfc_core.interfaces import Batch, Pretext, Tower
from rdfc_pretext_baselines.config import PictureConfig


class PicturePretext(Pretext):
    """A task on one image view; the study's other views are left as they are."""

    task: str
    tower: Tower

    def __init__(self, config: PictureConfig) -> None:
        super().__init__()
        self.view = config.view or ""

    def build(self, towers: Mapping[str, Tower], cases: int, generator: torch.Generator) -> None:
        """Take the tower of the image view and make the head on top of it.

        Args:
            towers: View name → its tower, in the study's order.
            cases: N, the number of pretext cases; no task here depends on it.
            generator: On the CPU; not used: heads follow torch's own initialisation.

        Raises:
            StudyError: If it is not clear which view is meant, or the task cannot be done on it.
        """
        self.view = image_view(towers, self.view or None, self.task)
        self.tower = towers[self.view]
        self.build_head(self.tower)

    @abstractmethod
    def build_head(self, tower: Tower) -> None:
        """Make what the task puts on top of the tower.

        Raises:
            StudyError: If the task cannot be done on this tower's pictures.
        """

    def held_back_metrics(self, batch: Batch) -> Mapping[str, Tensor]:
        """The task's own loss on cases that nobody trained on."""
        return {"loss": self(batch).loss}

    def encoders(self) -> Mapping[str, Tower]:
        """The one view that is trained."""
        return {self.view: self.tower}


def image_view(towers: Mapping[str, Tower], wanted: str | None, task: str) -> str:
    """The view that a task trains.

    Args:
        towers: View name → its tower.
        wanted: The name that the study gives; None: the only image view, or the one called
            ``image``.
        task: The task's name, for the message.

    Raises:
        StudyError: If there is no such view, or it shows no picture.
    """
    pictures = [name for name, tower in towers.items() if tower.picture_shape]
    named = f"the study has {', '.join(towers)}" if towers else "the study has no view"
    if not pictures:
        raise StudyError(f"pretext: {task} needs an image view, and {named}. Add one.")
    choice = f"Use one of: {', '.join(pictures)}."
    if wanted is not None:
        if wanted not in towers:
            raise StudyError(f"pretext.view: there is no view {wanted!r}; {named}. {choice}")
        if wanted not in pictures:
            raise StudyError(f"pretext.view: the view {wanted!r} shows no picture. {choice}")
        return wanted
    if len(pictures) > 1 and "image" not in pictures:
        raise StudyError(
            f"pretext.view: {task} trains one image view, and the study has several. {choice}"
        )
    return pictures[0] if len(pictures) == 1 else "image"


def unit_rows(features: Tensor) -> Tensor:
    """(B, F) → rows of unit length, float32, without gradient."""
    return F.normalize(features.detach().float(), dim=1)
