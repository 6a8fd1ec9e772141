"""FeatureExtractor: a tumour becomes a vector of named, handcrafted features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Needs, Tumour
from rdfc_core.mask_grid import MaskGrid

__all__ = ["FeatureExtractor", "Features", "MaskGrid"]


@dataclass(frozen=True, eq=False)
class Features:
    """The features of one tumour.

    Args:
        values: (F,) float64 in the order of `FeatureExtractor.names`; NaN where missing.
        missing: Name of each missing feature → why this tumour cannot have it.
    """

    values: NDArray[np.float64]
    missing: Mapping[str, str] = field(default_factory=dict)


class FeatureExtractor(ABC):
    """Computes handcrafted features. Built as ``Class(config)``; pickled for worker processes.

    The same tumour, options and version must give the same values: they are stored and reused.

    Attributes:
        needs: What of a case `extract` gets, such as columns; by default one image. An extractor
            that names no image is run on each image that the view names.
        in_colour: Whether `extract` looks at the colours of a picture (`Volume.colour`). Where it
            does not, ``channels: rgb`` of the view runs it on red, green and blue.
    """

    needs: Needs = Needs()
    in_colour: bool = False

    @property
    def mask_grid(self) -> MaskGrid | None:
        """What is done about masks on another grid than their image; None: they are refused.

        It holds for all views of a study. What it says belongs into the `recipe`.

        Called:
            Once a command, before cases are read.
        """
        return None

    @abstractmethod
    def names(self, ndim: int) -> tuple[str, ...]:
        """The names of the F features of tumours with ``ndim`` axes (2 or 3), in order.

        Names follow PyRadiomics where a feature has a counterpart there:
        ``<image type>_<class>_<feature>``.

        Called:
            With each extraction in worker processes, and wherever its columns are named.
        """

    @abstractmethod
    def extract(self, tumour: Tumour) -> Features:
        """The features of one tumour, (F,).

        Raises:
            DataError: If the tumour cannot be measured at all, with the reason and what to do;
                core adds the case's name.

        Called:
            In a worker process, once a case ever: the result is stored under the `recipe`.
        """

    def check(self, tumour: Tumour) -> None:
        """Refuse what `extract` refuses, for ``rdfc datasets check``; by default by measuring.

        An extractor that knows sooner says so here, by the code that `extract` runs first.

        Raises:
            DataError: As `extract`.

        Called:
            By `rdfc datasets check`, in a worker process, once a case.
        """
        self.extract(tumour)

    @abstractmethod
    def recipe(self) -> dict[str, Any]:
        """Everything that determines the values, as JSON: name, version, parameters.

        Stored with the features; a changed recipe means a fresh extraction.

        Called:
            In the main process, before each extraction and where a trained model is used.
        """
