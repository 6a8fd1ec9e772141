"""ComBat (Johnson, Li and Rabinovic 2007), fitted on some cases and applied to others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core import DataError
from rdfc_core.interfaces import AffineBySite, Harmoniser
from rdfc_harmoniser_combat.columns import Columns, Covariates, as_bytes, from_bytes, words_of
from rdfc_harmoniser_combat.config import ComBatConfig
from rdfc_harmoniser_combat.effects import BatchEffect, effect_of
from rdfc_harmoniser_combat.model import CombatModel
from rdfc_harmoniser_combat.regression import confounded, fit_linear


class ComBat(Harmoniser):
    """Location and scale of each batch are taken out of each feature.

    What is learnt of the pretext cases is a scale and a shift by batch and feature, and the effects
    of covariates, which are kept. Other cases are transformed by these and change none of them.
    """

    def __init__(self, config: ComBatConfig) -> None:
        self.config = config
        self.columns = (config.batch, *config.numbers, *config.categories)
        self._model = CombatModel.empty()
        self._covariates = Covariates.of([], (), ())
        self._new: dict[str, BatchEffect | str] = {}

    def fit(self, values: NDArray[np.float64], columns: Columns) -> None:
        """Levels, spread and covariates of all cases, then location and scale of each batch.

        Raises:
            DataError: If there is one batch alone, a batch has too few cases, the reference is none
                of them, or covariates say the same as batches.
        """
        config = self.config
        said = words_of(columns, config.batch)
        batches = self._batches(said)
        batch = np.array([batches.index(word) for word in said])
        covariates = Covariates.of(columns, config.numbers, config.categories)
        table = covariates.table(columns)
        self._require_separable(batch, table, len(batches))
        reference = None if config.reference is None else batches.index(_word(config.reference))
        linear = fit_linear(values, batch, table, len(batches), reference)
        model = CombatModel.of(batches, linear, (~np.isnan(values)), batch, reference)
        standard = model.standardised(values, table)
        effects = []
        for place in range(len(batches)):
            if place == reference:
                effects.append(BatchEffect.none(values.shape[1]))
            else:
                effects.append(self._effect(standard[batch == place], model, batches[place]))
        self._model, self._covariates, self._new = model.with_effects(effects), covariates, {}

    def adapt(self, values: NDArray[np.float64], columns: Columns) -> tuple[str, ...]:
        """Location and scale of batches that no pretext case has, where the study asks for it."""
        self._new, told = {}, []
        if self.config.new_sites == "refuse":
            return ()
        said = [" ".join(row[self.config.batch].split()).casefold() for row in columns]
        for name, count in sorted(Counter(said).items()):
            if not name or name in self._model.batches:
                continue
            if self.config.new_sites == "pooled":
                self._new[name] = BatchEffect.none(values.shape[1])
                told.append(
                    f"{count} cases are of the {self.config.batch} {name!r}, which no pretext case "
                    "has; their features are left as they are (new_sites: pooled)."
                )
            elif count < self.config.min_new_cases:
                self._new[name] = (
                    f"there are {count} cases of it here, and new_sites: own takes location and "
                    f"scale of at least {self.config.min_new_cases}"
                )
            else:
                rows = [place for place, word in enumerate(said) if word == name]
                table = self._covariates.table([columns[row] for row in rows])
                standard = self._model.standardised(values[rows], table)
                self._new[name] = self._effect(standard, self._model, name)
                told.append(
                    f"{count} cases are of the {self.config.batch} {name!r}, which no pretext case "
                    "has; its location and scale were taken of these cases together, without their "
                    "labels (new_sites: own), so that what is said of one depends on the others."
                )
        return tuple(told)

    def transform(self, values: NDArray[np.float64], columns: Columns) -> NDArray[np.float64]:
        """The features without their batch's location and scale, (N, F).

        Raises:
            DataError: If a batch is not known, or a value is missing.
        """
        said = words_of(columns, self.config.batch)
        scale, shift = np.empty_like(values), np.empty_like(values)
        for name in dict.fromkeys(said):
            rows = [place for place, word in enumerate(said) if word == name]
            scale[rows], shift[rows] = self._of_batch(name)
        kept = self._covariates.table(columns) @ self._model.effects
        return np.asarray(scale * (values - kept) + shift + kept, np.float64)

    def affine(self) -> AffineBySite | None:
        """Scale and shift by batch; None where covariates are kept."""
        if len(self._model.effects):
            return None
        model = self._model
        return AffineBySite(self.config.batch, model.batches, model.scale, model.shift)

    def state(self) -> dict[str, NDArray[Any]]:
        """Batches, their scales and shifts, and what the two were made of."""
        model = self._model
        return {
            "batches": as_bytes(model.batches),
            "scale": model.scale,
            "shift": model.shift,
            "effects": model.effects,
            "level": model.level,
            "spread": model.spread,
            **self._covariates.state(),
        }

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over batches, scales and shifts.

        Raises:
            ValueError: If they do not belong together.
        """
        config = self.config
        try:
            self._covariates = Covariates.from_state(state, config.numbers, config.categories)
            batches = from_bytes(state["batches"], lambda one: tuple(map(str, one)))
            self._model = CombatModel(
                batches,
                *(
                    np.asarray(state[key], np.float64)
                    for key in ("scale", "shift", "effects", "level", "spread")
                ),
            )
        except KeyError as error:
            raise ValueError(f"it lacks what ComBat has learnt ({error})") from error
        self._model.check()
        self._new = {}

    def _batches(self, said: Sequence[str]) -> tuple[str, ...]:
        config, counts = self.config, Counter(said)
        if not counts:
            raise DataError("There is no case to fit ComBat on.")
        few = [
            f"{n!r} ({count})" for n, count in sorted(counts.items()) if count < config.min_cases
        ]
        if few:
            raise DataError(
                f"ComBat needs {config.min_cases} pretext cases of each {config.batch}, and there "
                f"are fewer of {', '.join(few)}. Join them with another, leave them out, or lower "
                "min_cases."
            )
        if len(counts) < 2:
            raise DataError(
                f"All pretext cases are of the {config.batch} {min(counts)!r}: there "
                "is nothing to harmonise. Leave harmonise out of the view, or name another column."
            )
        if config.reference is not None and _word(config.reference) not in counts:
            raise DataError(
                f"No pretext case is of the {config.batch} {config.reference!r}, the reference. "
                f"Take one of {', '.join(sorted(counts))}."
            )
        return tuple(sorted(counts))

    def _require_separable(
        self, batch: NDArray[np.int64], table: NDArray[np.float64], batches: int
    ) -> None:
        named = ", ".join((*self.config.numbers, *self.config.categories))
        if len(batch) <= batches + table.shape[1]:
            raise DataError(
                f"{len(batch)} pretext cases are too few to fit {batches} batches and "
                f"{table.shape[1]} effects. Join batches, or leave covariates out."
            )
        if table.shape[1] and confounded(batch, table, batches):
            raise DataError(
                f"The covariates ({named}) follow from each other or from the {self.config.batch} "
                "among the pretext cases, so that ComBat cannot tell their effects from those of "
                "the batches. Leave a covariate out."
            )

    def _effect(self, standard: NDArray[np.float64], model: CombatModel, name: str) -> BatchEffect:
        config, usable = self.config, model.spread > 0
        varying = int(usable.sum())
        if config.empirical_bayes and varying < 2:
            raise DataError(
                f"Empirical Bayes needs several features that vary, and there are {varying}. Set "
                "empirical_bayes: false."
            )
        try:
            return effect_of(standard, usable, config.empirical_bayes, config.mean_only)
        except ArithmeticError as error:
            raise DataError(
                f"ComBat found no location and scale of the {config.batch} {name!r} in {error}. "
                "Set empirical_bayes: false, or leave the batch out."
            ) from error

    def _of_batch(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        model, column = self._model, self.config.batch
        if name in model.batches:
            place = model.batches.index(name)
            return model.scale[place], model.shift[place]
        new = self._new.get(name)
        if isinstance(new, BatchEffect):
            return model.affine_of(new)
        why = f": {new}" if new else ""
        remedy = "" if new else ", or set new_sites to pooled or own"
        raise DataError(
            f"No pretext case is of the {column} {name!r} (they are of {', '.join(model.batches)})"
            f"{why}. Leave such cases out{remedy}."
        )


def _word(text: str) -> str:
    return " ".join(text.split()).casefold()
