"""The figure of query strategies: a metric over the number of labels that were bought."""

from __future__ import annotations

from collections.abc import Sequence

from rdfc_core.report.figures import MARKERS, WIDE, Curve, empty_axes
from rdfc_core.report.palette import DASHES, LIGHT
from rdfc_core.report.svg import house_style, inline, printable

ROOM_FOR_NAMES = 1.3
"""Of the usual height, so that the names below the axes take nothing from them."""
COLUMNS = 3


def bought(curves: Sequence[Curve], metric: str, name: str, description: str) -> str:
    """A metric over the number of labels, on a logarithmic axis, as inline SVG.

    Args:
        curves: One a strategy; the first is drawn thickest.
        metric: Its name.
        name: Unique on the page.
        description: Read out in place of the figure.
    """
    with house_style():
        figure, axes = empty_axes((WIDE[0], WIDE[1] * ROOM_FOR_NAMES), "Labels", metric)
        axes.set_xscale("log")
        for place, curve in enumerate(curves):
            colour = LIGHT[curve.colour]
            (line,) = axes.plot(
                curve.x,
                curve.y,
                color=colour,
                linewidth=1.5 if place else 2.4,
                marker=MARKERS[place % len(MARKERS)],
                markersize=4,
                zorder=2 if place else 3,
            )
            if DASHES[curve.dashes]:
                line.set_dashes(DASHES[curve.dashes])
            if curve.band is not None:
                axes.fill_between(curve.x, *curve.band, color=colour, alpha=0.1, linewidth=0)
        counts = sorted({float(x) for curve in curves for x in curve.x})
        axes.set_xticks(counts, [f"{count:g}" for count in counts])
        axes.set_xticks([], minor=True)
        labels = [printable(curve.label) for curve in curves]
        figure.legend(axes.lines, labels, loc="outside lower center", ncols=COLUMNS, fontsize=9)
        return inline(figure, name, description)
