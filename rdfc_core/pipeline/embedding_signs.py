"""How a pretext's embeddings of test cases lie, for a run's record."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from rdfc_core.results.vocabulary import EMBEDDING
from rdfc_core.training.collapse import collapse_signs

Outputs = Mapping[str, Mapping[str, NDArray[np.float32]]]
"""What `Model.outputs` gives."""

Signs = dict[str, dict[str, float]]
"""Pretext → `collapse_signs` of its embeddings of test cases, and how many these are."""


def signs_of(outputs: Outputs, tested: range) -> dict[str, float]:
    """How many cases, and `collapse_signs` of their embeddings; none where a pretext has none."""
    place = slice(tested.start, tested.stop)
    rows = {name: torch.from_numpy(one[place]) for name, one in outputs[EMBEDDING].items()}
    if not rows or len(tested) < 2 or len({one.shape[1] for one in rows.values()}) > 1:
        return {}
    return {"cases": len(tested), **collapse_signs(rows)}
