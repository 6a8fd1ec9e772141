"""The view ``radial-profile``: how grey values change from the middle of a tumour outwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rdfc_core.case import Tumour
from rdfc_core.errors import DataError
from rdfc_core.interfaces import Prepared, Tower, View
from scipy import ndimage
from torch import nn

from rdfc_thirdparty_example.config import RadialProfileConfig


class RadialProfile(View):
    """Mean grey value in rings by depth beneath the outline; standardised over the cases.

    Depth is the distance to the outline in mm; the deepest point lies in the first ring. Rings
    beyond the outline are as wide as those within.
    """

    def __init__(self, config: RadialProfileConfig) -> None:
        self.config = config
        self._middle = self._scale = np.zeros(0)

    def recipe(self) -> dict[str, Any]:
        """Rings only: gain and tower come later."""
        return {
            "view": "radial-profile",
            "version": 1,
            "rings": self.config.rings,
            "outside": self.config.outside,
        }

    def prepare(self, tumour: Tumour) -> Prepared:
        """Means of the rings from inside out, (rings + outside,); NaN for an empty ring."""
        spacing = tumour.image.spacing_mm
        # A border of background: an outline at the image's edge has a distance, too.
        mask = np.pad(tumour.mask, 1)
        inner = (slice(1, -1),) * mask.ndim
        within = ndimage.distance_transform_edt(mask, spacing)[inner]
        beyond = ndimage.distance_transform_edt(~mask, spacing)[inner]
        deepest = within.max()
        depth = np.where(tumour.mask, deepest - within, deepest + beyond) / deepest
        place = np.floor(depth * self.config.rings).astype(int)
        place[tumour.mask] = place[tumour.mask].clip(max=self.config.rings - 1)
        grey = tumour.image.array.astype(np.float64)
        profile, missing = [], {}
        names = tuple(f"ring_{ring}" for ring in range(self.config.rings + self.config.outside))
        for ring, name in enumerate(names):
            inside = place == ring
            profile.append(grey[inside].mean() if inside.any() else np.nan)
            if not inside.any():
                missing[name] = "no sample of the image lies in this ring"
        return Prepared(np.array(profile), names, missing)

    def fit(self, prepared: Sequence[Prepared]) -> None:
        """Median and spread of each ring.

        Raises:
            DataError: If there is no case.
        """
        if not prepared:
            raise DataError("There is no case to fit the profiles on.")
        table = np.ma.masked_invalid(np.stack([one.array for one in prepared]))
        self._middle = np.ma.filled(np.ma.median(table, axis=0), 0.0).astype(np.float64)
        spread = np.ma.filled(table.std(axis=0), 0.0).astype(np.float64)
        self._scale = np.where(spread > 0, spread, 1.0)

    def collate(self, prepared: Sequence[Prepared]) -> torch.Tensor:
        """Standardised profiles, (N, R) float32; an empty ring is the median."""
        table = np.stack([one.array for one in prepared])
        filled = np.where(np.isnan(table), self._middle, table)
        return torch.from_numpy(((filled - self._middle) / self._scale).astype(np.float32))

    def augment(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Each profile stretched by its own factor around 1."""
        factor = 1 + self.config.gain * (2 * torch.rand(len(batch), 1, generator=generator) - 1)
        return batch * factor.to(batch.device)

    def tower(self) -> Tower:
        """A new tower for the fitted rings."""
        return ProfileTower(len(self._middle), self.config.width)

    def state(self) -> dict[str, NDArray[Any]]:
        """Medians and spreads."""
        return {"middle": self._middle, "scale": self._scale}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over medians and spreads."""
        self._middle, self._scale = state["middle"], state["scale"]


class ProfileTower(Tower):
    """A convolution along the profile and a fully connected layer, (B, R) → (B, width)."""

    def __init__(self, rings: int, width: int) -> None:
        super().__init__()
        self.along = nn.Conv1d(1, 8, kernel_size=3, padding=1)
        self.whole = nn.Linear(8 * rings, width)
        self.out_features = width

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """(B, R) → (B, width)."""
        along = torch.relu(self.along(batch[:, None]))
        return torch.relu(self.whole(along.flatten(start_dim=1)))
