"""Handcrafted features of a perturbed tumour. Free of torch: worker processes load this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rdfc_core.case import Needs, Tumour
from rdfc_core.interfaces.prepared import Prepared
from rdfc_core.mask_grid import MaskGrid
from rdfc_core.radiomics.perturbation import VERSION, Perturbation
from rdfc_core.views.preparers import FeaturePreparer


@dataclass(frozen=True)
class PerturbedPreparer:
    """Measures what `inner` does, of the tumour as a perturbation leaves it.

    Args:
        inner: Measures.
        perturbation: Changes the tumour before.
    """

    inner: FeaturePreparer
    perturbation: Perturbation

    @property
    def needs(self) -> Needs:
        """What the features are measured of."""
        return self.inner.needs

    @property
    def mask_grid(self) -> MaskGrid | None:
        """As of the features of the tumour itself."""
        return self.inner.mask_grid

    @property
    def in_colour(self) -> bool:
        """Whether the colours of a picture decide what it prepares."""
        return self.inner.in_colour

    def recipe(self) -> dict[str, Any]:
        """The recipe of the features, and which perturbation it is."""
        asked = self.perturbation
        return {
            "view": "perturbed features",
            "version": VERSION,
            "chain": asked.chain,
            "seed": asked.seed,
            "number": asked.number,
            "features": self.inner.recipe(),
        }

    def prepare(self, tumour: Tumour) -> Prepared:
        """The features of the perturbed tumour, (F,) float64.

        Raises:
            DataError: If the perturbed tumour cannot be measured.
            PluginError: If the extractor breaks a promise.
        """
        return self.inner.prepare(self.perturbation.of(tumour))


def perturbed_preparers(
    inner: FeaturePreparer, chain: str, seed: int, count: int
) -> dict[str, PerturbedPreparer]:
    """As many perturbations as are asked for, by names for `extract`."""
    return {
        f"perturbation {number}": PerturbedPreparer(inner, Perturbation(chain, seed, number))
        for number in range(count)
    }
