"""Figures of predicted numbers: against the true ones, and their differences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_core.report.figures import SQUARE, WIDE, empty_axes
from rdfc_core.report.palette import LIGHT
from rdfc_core.report.svg import house_style, inline

LIMITS = 1.96
"""Standard deviations to either side of the mean difference that hold 95 % of normal ones."""
ROOM = 0.05
"""Of the axes, beside the outermost point."""


def scatter(
    truth: NDArray[np.float64], said: NDArray[np.float64], name: str, description: str
) -> str:
    """Predicted over true number, as inline SVG; on the diagonal they agree.

    Args:
        truth: (N,).
        said: (N,).
        name: Of the figure, unique on the page.
        description: Read out in place of the figure.
    """
    with house_style():
        figure, axes = empty_axes(SQUARE, "Label", "Predicted")
        both = np.concatenate([truth, said])
        room = ROOM * (float(np.ptp(both)) or 1.0)
        low, high = float(both.min()) - room, float(both.max()) + room
        axes.plot([low, high], [low, high], color=LIGHT["line"], linewidth=1)
        axes.scatter(truth, said, s=14, color=LIGHT["accent"], alpha=0.6, linewidths=0)
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
        axes.set_aspect("equal")
        return inline(figure, name, description)


def bland_altman(
    truth: NDArray[np.float64], said: NDArray[np.float64], name: str, description: str
) -> str:
    """Predicted less true number over their mean, with mean and limits of agreement, as SVG.

    Args:
        truth: (N,).
        said: (N,).
        name: Of the figure, unique on the page.
        description: Read out in place of the figure.

    Source: Bland & Altman 1986.
    """
    mean, low, high = agreement(truth, said)
    with house_style():
        figure, axes = empty_axes(WIDE, "Mean of label and predicted", "Predicted less label")
        axes.axhline(0, color=LIGHT["line"], linewidth=1)
        axes.axhline(mean, color=LIGHT["ink"], linewidth=1.2)
        for limit in (low, high):
            axes.axhline(limit, color=LIGHT["soft"], linewidth=1, dashes=(5, 2))
        axes.scatter(
            (truth + said) / 2, said - truth, s=14, color=LIGHT["accent"], alpha=0.6, linewidths=0
        )
        return inline(figure, name, description)


def agreement(truth: NDArray[np.float64], said: NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean of predicted less true number, and the limits that hold 95 % of such differences."""
    differences = said - truth
    mean = float(differences.mean())
    half = LIMITS * float(differences.std(ddof=1)) if len(differences) > 1 else 0.0
    return mean, mean - half, mean + half
