"""The median of each site is brought to that of all cases."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core import DataError
from rdfc_core.interfaces import Harmoniser

from .config import ExampleConfig


class Example(Harmoniser):
    """Shifts each feature of a site by the difference of two medians."""

    def __init__(self, config: ExampleConfig) -> None:
        self.config = config
        self.columns = (config.site,)
        self._shifts: dict[str, NDArray[np.float64]] = {}

    def fit(self, values: NDArray[np.float64], columns: Sequence[Mapping[str, str]]) -> None:
        """Learn the shift of each site."""
        sites = [row[self.config.site] for row in columns]
        if not sites:
            raise DataError("There is no case to learn the sites of.")
        for name, count in Counter(sites).items():
            if not name or count < self.config.min_cases:
                raise DataError(
                    f"There are {count} cases of the {self.config.site} {name!r}. Leave them out, "
                    "or lower min_cases."
                )
        whole = np.nanmedian(values, axis=0)
        self._shifts = {
            name: whole - np.nanmedian(values[[site == name for site in sites]], axis=0)
            for name in sorted(set(sites))
        }

    def transform(
        self, values: NDArray[np.float64], columns: Sequence[Mapping[str, str]]
    ) -> NDArray[np.float64]:
        """Add the shift of each case's site."""
        sites = [row[self.config.site] for row in columns]
        unknown = next((site for site in sites if site not in self._shifts), None)
        if unknown is not None:
            raise DataError(
                f"No pretext case is of the {self.config.site} {unknown!r}. Leave the case out."
            )
        return values + np.stack([self._shifts[site] for site in sites])

    def state(self) -> dict[str, NDArray[Any]]:
        """The sites and their shifts."""
        names = np.frombuffer(json.dumps(list(self._shifts)).encode(), np.uint8)
        return {"sites": names, "shifts": np.array(list(self._shifts.values()))}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over sites and shifts."""
        if not {"sites", "shifts"} <= set(state):
            raise ValueError("it lacks sites or shifts")
        names = json.loads(np.asarray(state["sites"], np.uint8).tobytes())
        self._shifts = dict(zip(names, np.asarray(state["shifts"]), strict=True))
