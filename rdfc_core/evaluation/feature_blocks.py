"""Handcrafted features, learnt ones and columns side by side, for one linear classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rdfc_core.models.members import LEARNT, STANDARD

RADIOMICS, IMAGE, COLUMNS = "radiomics", "image", "columns"

CONSTANT = {IMAGE: 1e-8, COLUMNS: 1e-3}
"""Spread below which a feature is taken as one that says nothing. Columns have unit spread among
the pretext cases: one that hardly varies among the labelled ones must not be blown up."""

Tables = Mapping[str, NDArray[np.float32]]
"""View name → (N, F) for the cases of a split."""


@dataclass(frozen=True)
class Block:
    """Features that count together as much as those of every other block.

    Args:
        table: (N, F), which is (source - mean) * factor.
        sources: What it is made of, by the names of `rdfc_core.models.members`, with the number of
            columns of each.
        mean: (F,) taken from the source; None: nothing.
        factor: (F,) by which the rest is multiplied.
    """

    table: NDArray[np.float32]
    sources: Mapping[str, int]
    mean: NDArray[np.float32] | None = None
    factor: NDArray[np.float32] | None = None


Blocks = dict[str, Block]
"""`RADIOMICS`, `IMAGE` and `COLUMNS`, as far as the study has them."""


def blocks(standard: Tables, learnt: Tables, columns: Tables, train: int) -> Blocks:
    """All at equal weight, however many features each has.

    Args:
        standard: The view of handcrafted features, standardised and clipped as it does, or none.
        learnt: The image view's learnt features, or none.
        columns: Of each view of columns what it makes of them.
        train: The first rows, which are the training part: learnt features and columns are
            standardised on all of them, which takes no label (of few labelled cases alone, scales
            would be noise).
    """
    found: Blocks = {}
    for name, table in standard.items():
        found[RADIOMICS] = Block(table, {f"{STANDARD}.{name}": table.shape[1]})
    beside = found[RADIOMICS].table.shape[1] if found else 0
    for block, kind, tables in ((IMAGE, LEARNT, learnt), (COLUMNS, STANDARD, columns)):
        if tables:
            sources = {f"{kind}.{name}": table.shape[1] for name, table in tables.items()}
            found[block] = _scaled(block, list(tables.values()), sources, beside, train)
    return found


def _scaled(
    block: str,
    tables: Sequence[NDArray[np.float32]],
    sources: Mapping[str, int],
    beside: int,
    train: int,
) -> Block:
    """A block whose features have unit spread, times what makes up for their number.

    Args:
        block: Its name.
        tables: (N, F) of each source.
        sources: Their names and widths.
        beside: Handcrafted features that it stands beside.
        train: The first rows, by which it is scaled.
    """
    table = tables[0] if len(tables) == 1 else np.concatenate(tables, axis=1)
    taught = table[:train]
    mean, weight = taught.mean(axis=0), ((beside or table.shape[1]) / table.shape[1]) ** 0.5
    factor = weight / np.maximum(taught.std(axis=0), CONSTANT[block])
    table = table - mean
    table *= factor  # where it lies: with 20,000 cases a copy takes 40 MB
    return Block(table, sources, mean, factor)
