"""What ComBat has learnt: a scale and a shift by batch and feature, and effects that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rdfc_harmoniser_combat.effects import BatchEffect
from rdfc_harmoniser_combat.regression import LinearFit


@dataclass(frozen=True)
class CombatModel:
    """``y = scale · (x − kept) + shift + kept``, with what covariates add (``kept``).

    Args:
        batches: B names.
        scale: (B, F).
        shift: (B, F).
        effects: (C, F) of covariates.
        level: (F,) what batches have in common, or that of the reference.
        spread: (F,) standard deviation within batches; 0 of features that do not vary there, of
            which the levels alone are brought together.
    """

    batches: tuple[str, ...]
    scale: NDArray[np.float64]
    shift: NDArray[np.float64]
    effects: NDArray[np.float64]
    level: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def empty(cls) -> CombatModel:
        """Of nothing."""
        none = np.zeros((0, 0))
        return cls((), none, none, none, np.zeros(0), np.zeros(0))

    @classmethod
    def of(
        cls,
        batches: Sequence[str],
        linear: LinearFit,
        there: NDArray[np.bool_],
        batch: NDArray[np.int64],
        reference: int | None,
    ) -> CombatModel:
        """Before any batch's location and scale are known.

        Args:
            batches: B names.
            linear: Of all cases.
            there: (N, F) whether a case has a feature.
            batch: (N,) number of each case's batch.
            reference: The batch that stays, or None.
        """
        members = (batch[:, None] == np.arange(len(batches))).astype(float)
        known = ~np.isnan(linear.level)
        if reference is None:
            counts = members.T @ there.astype(float)
            total = np.maximum(counts.sum(axis=0), 1)
            level = (counts * np.where(known, linear.level, 0.0)).sum(axis=0) / total
        else:
            level = np.where(known[reference], linear.level[reference], 0.0)
        spread = np.sqrt(linear.variance)
        constant = spread <= 1e-12 * np.maximum(1.0, np.abs(level))
        shift = np.where(constant & known, level - linear.level, 0.0)
        if (
            reference is not None
        ):  # a feature that the reference lacks has no level to be brought to
            shift = np.where(known[reference], shift, 0.0)
        return cls(
            tuple(batches),
            np.ones_like(linear.level),
            shift,
            linear.effects,
            level,
            np.where(constant, 0.0, spread),
        )

    def standardised(
        self, values: NDArray[np.float64], covariates: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(N, F): without level and covariates, in standard deviations; 0 where nothing varies."""
        divisor = np.where(self.spread > 0, self.spread, np.inf)
        return np.asarray((values - self.level - covariates @ self.effects) / divisor)

    def with_effects(self, effects: Sequence[BatchEffect]) -> CombatModel:
        """With the location and scale of each batch."""
        rows = [self.affine_of(one) for one in effects]
        varies = self.spread > 0
        return replace(
            self,
            scale=np.stack([scale for scale, _ in rows]),
            shift=np.where(varies, np.stack([shift for _, shift in rows]), self.shift),
        )

    def affine_of(self, effect: BatchEffect) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scale and shift, (F,) each, that take a batch's location and scale out."""
        scale = 1 / effect.scale
        shift = self.level * (1 - scale) - self.spread * effect.location * scale
        return scale, shift

    def check(self) -> None:
        """Refuse arrays that do not belong together.

        Raises:
            ValueError: If they do not.
        """
        shape = (len(self.batches), len(self.level))
        if not (
            self.scale.shape == self.shift.shape == shape
            and self.level.shape == self.spread.shape
            and self.effects.ndim == 2
            and self.effects.shape[1] == len(self.level)
        ):
            raise ValueError("the scales of its batches do not belong together")
