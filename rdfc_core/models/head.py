"""The head of a network: from the features of its views to the classes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rdfc_core.errors import StudyError

HIDDEN = 256
"""Width to which the paper's head brings each view's features."""


class Head(nn.Module):
    """Each view's features to at most 256 numbers, joined, to the classes; all of it linear.

    Args:
        widths: F of each view.
        classes: C.
        direct: No layer a view: the joined features go straight to the classes.
    """

    def __init__(self, widths: list[int], classes: int, direct: bool) -> None:
        super().__init__()
        self.widths = widths
        # As published, only features wider than the head's 256 are brought down to it.
        self.branches = nn.ModuleList(
            nn.Identity() if direct or width <= HIDDEN else nn.Linear(width, HIDDEN)
            for width in widths
        )
        total = sum(width if direct else min(width, HIDDEN) for width in widths)
        self.classes = nn.Linear(total, classes)

    def begin_with(self, weight: NDArray[np.float64], bias: NDArray[np.float64]) -> None:
        """Take over a linear map, (C, sum of F) and (C,), for training to go on from.

        Where a layer brings a view down to 256, its first C numbers are the view's own part of the
        logits, and the classes add these up.

        Raises:
            StudyError: If there are more classes than such a layer has numbers.
        """
        count = len(bias)
        if count > HIDDEN:
            raise StudyError(
                f"evaluate.supervised: a head of {HIDDEN} numbers a view can not begin with the "
                f"probe of {count} classes. Use head_init: fresh."
            )
        columns = []
        parts = torch.from_numpy(weight).float().split(self.widths, dim=1)
        with torch.no_grad():
            for branch, part in zip(self.branches, parts, strict=True):
                if isinstance(branch, nn.Linear):
                    branch.weight[:count] = part
                    branch.bias[:count] = 0
                    columns.append(torch.eye(count, HIDDEN))
                else:
                    columns.append(part)
            self.classes.weight.copy_(torch.cat(columns, dim=1))
            # A class that no case has is never said, by a number that weight decay can work on.
            self.classes.bias.copy_(torch.from_numpy(bias).clamp(min=-1e4))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(B, sum of F) → (B, C) logits."""
        pieces = inputs.split(self.widths, dim=1)
        joined = [branch(piece) for branch, piece in zip(self.branches, pieces, strict=True)]
        logits: torch.Tensor = self.classes(torch.cat(joined, dim=1))
        return logits
