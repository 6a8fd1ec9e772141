"""Harmoniser: what scanners and sites add to handcrafted features is taken out of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Columns = Sequence[Mapping[str, str]]
"""Of each of N cases: name → text of the columns that a harmoniser asks for; "" is no value."""


@dataclass(frozen=True, eq=False)
class AffineBySite:
    """A harmonisation that is ``scale * value + shift``, each by site and feature.

    Args:
        column: The column that names the site.
        sites: S sites, as the column spells them once capitals and blanks are evened out.
        scale: (S, F).
        shift: (S, F).
    """

    column: str
    sites: tuple[str, ...]
    scale: NDArray[np.float64]
    shift: NDArray[np.float64]


class Harmoniser(ABC):
    """Takes differences of scanners or sites out of features. Built as ``Class(config)``.

    A view of handcrafted features fits it in each split on the pretext cases, the cases that the
    scale of the features is fitted on, and on no other; labels are never shown to it.

    Attributes:
        columns: Names of the columns that it is given of each case, such as ``("scanner",)``: the
            data set has to offer them to views. To be set in ``__init__``, before anything else.
    """

    columns: tuple[str, ...]

    @abstractmethod
    def fit(self, values: NDArray[np.float64], columns: Columns) -> None:
        """Learn what each site adds, from these cases and no others.

        Args:
            values: (N, F) features as they were measured, NaN where one is missing.
            columns: Of each case.

        Raises:
            DataError: If it cannot be learnt of these cases, such as a site with a single one.

        Called:
            Once a split, with the pretext cases, before the features' scale is fitted.
        """

    @abstractmethod
    def transform(self, values: NDArray[np.float64], columns: Columns) -> NDArray[np.float64]:
        """The features without what their sites add, (N, F) float64; NaN stays where it is.

        A case's row depends on the case alone, and on what `fit` and `adapt` have learnt.

        Args:
            values: (N, F).
            columns: Of each case.

        Raises:
            DataError: If a case is of a site that nothing is known of, or lacks a value.

        Called:
            Wherever features are used: in training, evaluation and prediction.
        """

    def adapt(self, values: NDArray[np.float64], columns: Columns) -> tuple[str, ...]:
        """Look at the cases of another place together; by default not at all.

        What is learnt replaces what an earlier call has learnt, is not part of `state`, and leaves
        what `fit` has learnt as it is.

        Args:
            values: (N, F).
            columns: Of each case.

        Returns:
            What was learnt of them, in sentences for the user.

        Called:
            With all cases of a list before they are predicted, embedded or validated, and with the
            labelled cases of a split.
        """
        return ()

    def affine(self) -> AffineBySite | None:
        """What `fit` has learnt as a scale and a shift by site, or None if it is not that.

        Called:
            Where a model is written for other programs.
        """
        return None

    @abstractmethod
    def state(self) -> dict[str, NDArray[Any]]:
        """What `fit` learnt, as plain arrays.

        Called:
            When a model is saved.
        """

    @abstractmethod
    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over what another harmoniser of the same options learnt.

        Raises:
            ValueError: If the arrays do not belong together.

        Called:
            Where a saved model is loaded, in place of `fit`.
        """
