"""The view ``table``: chosen columns of the data set, through a small network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rdfc_core.case import Tumour
from rdfc_core.errors import DataError
from rdfc_core.interfaces import Prepared, Tower, View
from rdfc_view_table.config import TableViewConfig
from rdfc_view_table.encoding import Encoding
from rdfc_view_table.preparer import TablePreparer, cells_of


class TableView(View):
    """Columns as (F,) numbers: standardised, missing or not, and one a category.

    Means, spreads and categories are those of the pretext cases, and of no case of a test part.
    """

    def __init__(self, config: TableViewConfig) -> None:
        self.config = config
        self.needs = self.preparer().needs
        self._encoding = Encoding.of([], 0, 0)

    def recipe(self) -> dict[str, Any]:
        """Names and roles of the columns; the tower's options do not change what is kept."""
        return self.preparer().recipe()

    def prepare(self, tumour: Tumour) -> Prepared:
        """The cells of one case.

        Raises:
            DataError: If a column of numbers holds another text.
        """
        return self.preparer().prepare(tumour)

    def preparer(self) -> TablePreparer:
        """What reads the columns, without torch."""
        return TablePreparer(self.config.numbers, self.config.categories)

    def fit(self, prepared: Sequence[Prepared]) -> None:
        """Means, spreads, gaps and categories of the given cases.

        Raises:
            DataError: If there is no case, or no column tells one case from another.
        """
        if not prepared:
            raise DataError("There is no case to fit the columns on.")
        rows = cells_of(prepared)
        count, categories = len(self.config.numbers), len(self.config.categories)
        encoding = Encoding.of(rows, count, categories)
        if not len(encoding.groups):
            raise DataError(
                f"The columns {', '.join(self.needs.columns)} are empty in every pretext case. "
                "Leave them out of the view, or correct the list."
            )
        self._encoding = encoding

    def collate(self, prepared: Sequence[Prepared]) -> Tensor:
        """(N, F) float32: standardised numbers, what is missing, and a column a category."""
        return torch.from_numpy(self._encoding.apply(cells_of(prepared), self.config.clip))

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Columns of other cases and noise, as far as the study asks for them.

        A column is exchanged whole: its number with the mark that it is missing, or all of its
        categories.
        """
        if self.config.corruption:
            batch = self._corrupted(batch, generator)
        if self.config.noise:
            count = len(self.config.numbers)
            drawn = torch.randn((len(batch), count), generator=generator) * self.config.noise
            noise = nn.functional.pad(drawn, (0, batch.shape[1] - count))
            batch = batch + noise.to(batch.device, non_blocking=True)
        return batch

    def _corrupted(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        groups = torch.from_numpy(self._encoding.groups)
        shape = (len(batch), len(self.needs.columns))
        replaced = torch.rand(shape, generator=generator) < self.config.corruption
        donors = torch.randint(len(batch), shape, generator=generator)
        taken = batch.gather(0, donors[:, groups].to(batch.device))
        return torch.where(replaced[:, groups].to(batch.device), taken, batch)

    def tower(self) -> Tower:
        """A new tower for the fitted columns."""
        return TableTower(len(self._encoding.groups), self.config)

    def state(self) -> dict[str, NDArray[Any]]:
        """Means, spreads, gaps and categories."""
        return self._encoding.state()

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over means, spreads, gaps and categories.

        Raises:
            ValueError: If they are not of these columns.
        """
        encoding = Encoding.from_state(state)
        given = len(encoding.mean), len(encoding.words)
        if given != (len(self.config.numbers), len(self.config.categories)):
            raise ValueError(
                f"it is of {given[0]} columns of numbers and {given[1]} of categories, and the "
                f"study names {len(self.config.numbers)} and {len(self.config.categories)}"
            )
        self._encoding = encoding


class TableTower(Tower):
    """Fully connected layers, (B, F) → (B, width)."""

    def __init__(self, features: int, config: TableViewConfig) -> None:
        super().__init__()
        inputs = [features] + [config.width] * (config.layers - 1)
        for place, width in enumerate(inputs, start=1):
            block = nn.Sequential(
                nn.Linear(width, config.width),
                nn.BatchNorm1d(config.width),
                nn.ReLU(),
                nn.Dropout(config.dropout),
            )
            self.add_module(f"layer{place}", block)
        self.out_features = config.width

    def forward(self, batch: Tensor) -> Tensor:
        """(B, F) → (B, width)."""
        for block in self.children():
            batch = block(batch)
        return batch
