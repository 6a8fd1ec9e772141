"""What a study's feature extractors say of the masks' grid holds for all of its views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rdfc_core.case import Needs, Tumour
from rdfc_core.errors import StudyError
from rdfc_core.extraction.needs import needs_of
from rdfc_core.interfaces.prepared import Prepared, Preparer
from rdfc_core.mask_grid import MaskGrid


@dataclass(frozen=True)
class OnMaskGrid:
    """A preparer that works on masks which another view has had corrected: stored under that.

    Args:
        preparer: Prepares.
        mask_grid: What is done about masks on another grid.
    """

    preparer: Preparer
    mask_grid: MaskGrid

    def recipe(self) -> dict[str, Any]:
        """The preparer's, and what is done about masks on another grid."""
        return {**self.preparer.recipe(), "mask_grid": self.mask_grid.described()}

    @property
    def needs(self) -> Needs:
        """The preparer's."""
        return needs_of(self.preparer)

    def prepare(self, tumour: Tumour) -> Prepared:
        """As the preparer does."""
        return self.preparer.prepare(tumour)


def mask_grid_of(preparers: Mapping[str, Preparer]) -> MaskGrid | None:
    """What the preparers say of masks on another grid, or None where none says anything.

    Raises:
        StudyError: If two of them say different things.
    """
    stated = {
        name: grid
        for name, preparer in preparers.items()
        if (grid := getattr(preparer, "mask_grid", None)) is not None
    }
    if len(set(stated.values())) > 1:
        raise StudyError(
            f"The views {' and '.join(map(repr, stated))} differ in correctMask, "
            "geometryTolerance or resample_masks, and a case has one mask for all views. Set both "
            "alike."
        )
    return next(iter(stated.values()), None)


def on_mask_grid(preparers: Mapping[str, Preparer]) -> dict[str, Preparer]:
    """The preparers, those that state nothing of the masks' grid bound to what another states.

    Raises:
        StudyError: If two of them state different things.
    """
    grid = mask_grid_of(preparers)
    if grid is None:
        return dict(preparers)
    return {
        name: preparer
        if getattr(preparer, "mask_grid", None) is not None or needs_of(preparer).images == ()
        else OnMaskGrid(preparer, grid)
        for name, preparer in preparers.items()
    }
