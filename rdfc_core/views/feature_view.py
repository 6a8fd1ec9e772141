"""The view of handcrafted features: any feature extractor, and the tower on its numbers."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Tumour
from rdfc_core.errors import DataError, RdfcError
from rdfc_core.interfaces import FeatureExtractor, Harmoniser, Prepared, View
from rdfc_core.views.harmonised import HarmonisedFeatures
from rdfc_core.views.measured_features import MeasuredFeatures
from rdfc_core.views.options import FeatureViewConfig
from rdfc_core.views.preparers import FeaturePreparer

if TYPE_CHECKING:  # features are measured in environments that have no torch
    import torch

    from rdfc_core.views.feature_tower import FeatureTower

COLUMNS, ROWS = 64, 1000
"""Features, and cases, of which there is a table in double precision at one time."""

MEASURED = "measured"
"""In a saved state: the names of all features that are measured, where some are left out."""


class FeatureView(View):
    """Standardised handcrafted features and a fully connected tower, (B, F) → (B, width)."""

    def __init__(
        self,
        config: FeatureViewConfig,
        extractor: FeatureExtractor,
        harmonise: Harmoniser | None = None,
    ) -> None:
        self.config = config
        self.extractor = extractor
        self.harmonise = harmonise
        self._features = HarmonisedFeatures(harmonise)
        self.needs = self.preparer().needs
        self._names: tuple[str, ...] = ()
        self._measured: tuple[str, ...] = ()
        self._columns: NDArray[np.int64] | None = None
        self._wanted: frozenset[str] | None = None
        self._median = self._mean = self._scale = np.zeros(0)

    def recipe(self) -> dict[str, Any]:
        """The extractor's recipe: the tower's options do not change the features."""
        return self.preparer().recipe()

    def prepare(self, tumour: Tumour) -> Prepared:
        """The features of one tumour, (F,) float64.

        Raises:
            DataError: If the tumour cannot be measured.
            PluginError: If not all promised features came back.
        """
        return self.preparer().prepare(tumour)

    def preparer(self) -> FeaturePreparer:
        """The extractor, without the tower."""
        config = self.config
        return FeaturePreparer(
            self.extractor,
            config.image,
            config.images,
            config.channels,
            self._features.columns,
        )

    def keep(self, names: Collection[str] | None) -> None:
        """Leave out, from the next `fit` on, all features but these; None: keep all."""
        self._wanted = None if names is None else frozenset(names)

    def fit(self, prepared: Sequence[Prepared]) -> None:
        """Median (for missing values), mean and standard deviation of the given cases.

        Before them, what a harmoniser takes out of the features, of the same cases.

        Raises:
            DataError: If there are no cases, their features differ, or they cannot be harmonised.
        """
        if not prepared:
            raise DataError("There is no case to fit the features' scale on.")
        self._measured = prepared[0].names
        self._check_names(prepared)
        wanted = self._wanted
        kept = [n for n, name in enumerate(self._measured) if wanted is None or name in wanted]
        self._names = tuple(self._measured[place] for place in kept)
        self._columns = None if wanted is None else np.array(kept, np.int64)
        self._features.fit(prepared)
        whole = None if self.harmonise is None else self._features.table(prepared)
        # Some columns at a time: a table of 20,000 cases and its copies take half a gigabyte.
        parts = -(-len(self._names) // COLUMNS) or 1
        found = [
            _statistics(
                np.stack([one.array[part] for one in prepared]) if whole is None else whole[:, part]
            )
            for part in np.array_split(np.array(kept, np.int64), parts)
            if part.size
        ]
        self._median, self._mean, self._scale = (
            np.concatenate([one[place] for one in found] or [np.zeros(0)]) for place in range(3)
        )

    def collate(self, prepared: Sequence[Prepared]) -> torch.Tensor:
        """Standardised features, (N, F) float32; missing ones are the fitted median.

        Raises:
            DataError: If a case has other features than those the view was fitted on, or is of a
                site that its harmoniser does not know.
        """
        import torch

        self._check_names(prepared)
        standard = np.empty((len(prepared), len(self._names)), np.float32)
        for start in range(0, len(prepared), ROWS):
            table = self.measured(prepared)[start : start + ROWS]
            values = (np.where(np.isnan(table), self._median, table) - self._mean) / self._scale
            if self.config.clip is not None:
                values = values.clip(-self.config.clip, self.config.clip)
            standard[start : start + ROWS] = values
        return torch.from_numpy(standard)

    def adapt(self, prepared: Sequence[Prepared]) -> tuple[str, ...]:
        """Let the harmoniser look at cases of another place together, if there is one."""
        self._check_names(prepared)
        return self._features.adapt(prepared)

    def measured(self, prepared: Sequence[Prepared]) -> MeasuredFeatures:
        """The features that the view keeps, on their own scale: as measured, or harmonised."""
        harmonised = None if self.harmonise is None else self._features
        return MeasuredFeatures(prepared, harmonised, self._columns)

    def accepts(self, ndim: int) -> bool:
        """Whether the extractor promises the fitted features of such tumours."""
        try:
            return self.preparer().names(ndim) == self._measured
        except RdfcError:  # it measures only pictures, or only volumes
            return False

    def augment(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Some features taken from another case of the batch (their marginals), if asked for.

        Source of the idea: Bahri et al. 2022, SCARF.
        """
        if not self.config.corruption:
            return batch
        import torch

        from rdfc_core.views.augmentation import sent

        replaced = torch.rand(batch.shape, generator=generator) < self.config.corruption
        donors = torch.randint(len(batch), batch.shape, generator=generator)
        taken = batch.gather(0, sent(donors, batch.device))
        return torch.where(sent(replaced, batch.device), taken, batch)

    def tower(self) -> FeatureTower:
        """A new tower for the fitted features."""
        from rdfc_core.views.feature_tower import FeatureTower

        return FeatureTower(len(self._names), self.config)

    @property
    def measures(self) -> bool:
        """Whether it measures an image; False for features of columns alone."""
        return self.needs.images != ()

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, in the order of the columns of `collate`."""
        return self._names

    def state(self) -> dict[str, NDArray[Any]]:
        """Names, medians, means and scales, what a harmoniser has learnt, and what is left out."""
        measured = "\n".join(self._measured).encode()
        left_out = {} if self._columns is None else {MEASURED: np.frombuffer(measured, np.uint8)}
        return {
            **left_out,
            **self._features.state(),
            "names": np.frombuffer("\n".join(self._names).encode(), np.uint8),
            "median": self._median,
            "mean": self._mean,
            "scale": self._scale,
        }

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over fitted names, medians, means and scales.

        Raises:
            ValueError: If there are not as many numbers as names, or what a harmoniser has learnt
                is not among them.
        """
        self._names = _as_names(state["names"])
        self._measured, self._columns, self._wanted = self._names, None, None
        if MEASURED in state:
            self._measured, self._wanted = _as_names(state[MEASURED]), frozenset(self._names)
            place = {name: column for column, name in enumerate(self._measured)}
            if not self._wanted <= place.keys():
                raise ValueError("it keeps features that it does not measure")
            self._columns = np.array([place[name] for name in self._names], np.int64)
        self._median, self._mean, self._scale = (
            np.asarray(state[key], np.float64) for key in ("median", "mean", "scale")
        )
        self._features.load_state(state)
        if not self._median.shape == self._mean.shape == self._scale.shape == (len(self._names),):
            raise ValueError(f"its scale is not that of its {len(self._names)} features")

    def _check_names(self, prepared: Sequence[Prepared]) -> None:
        for one in prepared:
            if one.names != self._measured:
                unlike = sorted(set(one.names) ^ set(self._measured))
                raise DataError(
                    f"The cases have different features: {len(one.names)} against "
                    f"{len(self._measured)}, for example {', '.join(unlike[:3])}. "
                    "Keep pictures and volumes in separate studies."
                )


def _as_names(stored: NDArray[Any]) -> tuple[str, ...]:
    return tuple(np.asarray(stored, np.uint8).tobytes().decode().split("\n"))


def _statistics(
    table: NDArray[np.number[Any]],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Median (0 where no case has the feature), mean and scale of each column of (N, F)."""
    table = table.astype(np.float64, copy=False)
    with warnings.catch_warnings():
        # A feature that no case has: its median is NaN.
        warnings.simplefilter("ignore", RuntimeWarning)
        median = np.nan_to_num(np.nanmedian(table, axis=0))
    filled = np.where(np.isnan(table), median, table)
    mean, spread = filled.mean(axis=0), filled.std(axis=0)
    # A constant feature carries nothing; dividing by rounding noise would blow it up.
    constant = spread <= 1e-12 * np.maximum(1.0, np.abs(mean))
    return median, mean, np.where(constant, np.inf, spread)
