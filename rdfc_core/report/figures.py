"""The report's line figures: training, label efficiency, ROC, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rdfc_core.report.palette import DASHES, LIGHT
from rdfc_core.report.svg import house_style, inline, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (4.6, 3.0)
"""In inches; the page scales figures to its columns, which are about this wide."""
SQUARE = (4.2, 4.0)
WIDE = (5.2, 3.4)
LEGEND_WIDTH = 50
"""Letters of a line of a legend: one that is wider than its figure leaves it no room."""

INSIDE = 3
"""Curves of a ROC whose names still find room inside the axes."""
MARKERS = ("o", "s", "^", "D", "v", "P")
LABELLED = "labelled"
MOST_POINTS = 400
"""Longer curves are thinned: no more can be seen, and the page stays light."""


class Plot(NamedTuple):
    """A figure with its words; a course is a curve's name and where it starts and ends."""

    title: str
    svg: str
    caption: str
    courses: tuple[tuple[str, str], ...] = ()


class Curve(NamedTuple):
    """One line.

    Args:
        label: For the legend; "" for none.
        x: (P,).
        y: (P,), NaN where there is a gap.
        colour: A name of the palette.
        dashes: Which of `DASHES`.
        faint: Whether it stands behind the others, one split among several.
        band: Lower and upper bound (P,) each, shaded or drawn as bars.
    """

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    colour: str
    dashes: int = 0
    faint: bool = False
    band: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None


def training(curves: Sequence[Curve], name: str, description: str, from_zero: bool = False) -> str:
    """A quantity over the epochs, as inline SVG."""
    from matplotlib.ticker import MaxNLocator

    with house_style():
        figure, axes = empty_axes(SIZE, "Epoch", "")
        for curve in curves:
            _draw(axes, curve)
        axes.margins(x=0.02)
        if from_zero:
            low, high = axes.get_ylim()
            bottom = min(0.0, low)
            # Room above the line, as much as the longer axis asks for, and below it: a line at
            # either end would be cut in half.
            axes.set_ylim(bottom - 0.02 * (high - bottom), high + 0.06 * (high - bottom))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, steps=[1, 2, 5, 10]))
        _legend(axes, curves)
        return inline(figure, name, description)


def label_efficiency(
    curves: Sequence[Curve],
    published: Sequence[tuple[float, float]],
    metric: str,
    name: str,
    description: str,
) -> str:
    """A metric over the share of labels, on a logarithmic axis, as inline SVG.

    Each curve has a marker of its own and its name at its right end.

    Args:
        curves: One a method.
        published: Shares of labels and published values, drawn as hollow diamonds.
        metric: Its name.
        name: Unique on the page.
        description: Read out in place of the figure.
    """
    with house_style():
        figure, axes = empty_axes(WIDE, "Share of training labels", metric)
        axes.set_xscale("log")
        for place, curve in enumerate(curves):
            _draw(axes, curve, marker=MARKERS[place % len(MARKERS)])
        for x, y in published:
            axes.plot(x, y, "D", markersize=7, color=LIGHT["ink"], fillstyle="none")
        shares = sorted({float(x) for curve in curves for x in curve.x})
        axes.set_xticks(shares, [f"{100 * share:.3g} %" for share in shares])
        axes.set_xticks([], minor=True)
        _name_ends(axes, curves)
        return inline(figure, name, description)


def labels_needed(curves: Sequence[Curve], name: str, description: str) -> str:
    """Shares of the labels that references need, over the method's own; the diagonal is equality.

    Args:
        curves: One a reference; values above 1 are drawn as arrows: all labels are not enough.
        name: Unique on the page.
        description: Read out in place of the figure.
    """
    with house_style():
        figure, axes = empty_axes(
            WIDE, "Share of labels of the method", "Share that the other needs"
        )
        axes.set_xscale("log")
        axes.set_yscale("log")
        shares = sorted({float(x) for curve in curves for x in curve.x})
        axes.plot([shares[0], 1], [shares[0], 1], color=LIGHT["line"], linewidth=1)
        for place, curve in enumerate(curves):
            # Side by side: intervals of several references at one share would hide each other.
            x = curve.x * 1.06 ** (place - (len(curves) - 1) / 2)
            beyond = curve.y > 1
            shown = curve._replace(x=x, y=np.where(beyond, np.nan, curve.y))
            _draw(axes, shown, marker=MARKERS[place % len(MARKERS)], bars=True)
            axes.plot(x[beyond], np.full(beyond.sum(), 1.15), "^", color=LIGHT[curve.colour])
        axes.set_xticks(shares, [f"{100 * share:.3g} %" for share in shares])
        axes.set_yticks(shares, [f"{100 * share:.3g} %" for share in shares])
        axes.set_xticks([], minor=True)
        axes.set_yticks([], minor=True)
        axes.set_ylim(shares[0] / 1.3, 1.4)
        _legend(axes, curves, "lower right")
        return inline(figure, name, description)


def _name_ends(axes: Axes, curves: Sequence[Curve]) -> None:
    """Each curve's name beside its right end, moved up or down until none covers another."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    ends = [float(curve.y[np.isfinite(curve.y)][-1]) for curve in curves]
    places = _apart(ends, 0.075 * (high - low))
    for curve, end, place in zip(curves, ends, places, strict=True):
        axes.annotate(
            printable(curve.label),
            xy=(float(curve.x[-1]), end),
            xytext=(1.04, (place - low) / (high - low)),
            textcoords="axes fraction",
            va="center",
            color=LIGHT[curve.colour],
            fontsize=9.5,
            arrowprops={"arrowstyle": "-", "color": LIGHT[curve.colour], "linewidth": 0.6},
            annotation_clip=False,
        )


def _apart(values: Sequence[float], least: float) -> list[float]:
    """The values in their order, moved as little as it takes to stand this far from each other."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    groups: list[tuple[float, list[int]]] = []  # middle, members
    for i in order:
        groups.append((values[i], [i]))
        while len(groups) > 1:
            (below, lower), (above, upper) = groups[-2:]
            room = least * (len(lower) + len(upper)) / 2
            if above - below >= room:
                break
            members = lower + upper
            groups[-2:] = [(float(np.mean([values[m] for m in members])), members)]
    places = [0.0] * len(values)
    for middle, members in groups:
        for rank, member in enumerate(members):
            places[member] = middle + least * (rank - (len(members) - 1) / 2)
    return places


def roc(curves: Sequence[Curve], name: str, description: str) -> str:
    """Sensitivity over 1 − specificity, as inline SVG; the diagonal is chance."""
    with house_style():
        figure, axes = empty_axes(SQUARE, "1 − specificity", "Sensitivity")
        axes.plot([0, 1], [0, 1], color=LIGHT["line"], linewidth=1)
        for curve in curves:
            _draw(axes, curve)
        _unit_square(axes)
        labels = [fill(printable(curve.label), LEGEND_WIDTH) for curve in curves]
        lines = sum(label.count("\n") + 1 for label in labels)
        if len(curves) == lines <= INSIDE:
            _legend(axes, curves, "lower right")
        else:  # it would lie over the curves
            figure.set_size_inches(SQUARE[0], SQUARE[1] + 0.2 * lines)
            figure.legend(axes.lines[1:], labels, loc="outside lower left", fontsize=9.5)
        return inline(figure, name, description)


def calibration(
    curves: Sequence[Curve], shares: Mapping[str, NDArray[np.float64]], name: str, description: str
) -> str:
    """Observed over predicted probability, as inline SVG; the diagonal is perfect.

    Args:
        curves: One a class, with the intervals of the observed shares as their bands.
        shares: Palette colour → all predicted probabilities, drawn as ticks along the axis.
        name: Unique on the page.
        description: Read out in place of the figure.
    """
    with house_style():
        figure, axes = empty_axes(SQUARE, "Predicted probability", "Observed share")
        axes.plot([0, 1], [0, 1], color=LIGHT["line"], linewidth=1)
        for curve in curves:
            _draw(axes, curve, marker="o", bars=True)
        for row, (colour, values) in enumerate(shares.items()):
            ticks = np.unique(np.round(values, 3))
            height = np.full(len(ticks), 0.012 + 0.024 * row)
            axes.scatter(ticks, height, marker="|", s=16, linewidths=0.6, color=LIGHT[colour])
        _unit_square(axes)
        _legend(axes, curves, "upper left")
        return inline(figure, name, description)


def decision(curves: Sequence[Curve], name: str, description: str) -> str:
    """Net benefit over the threshold, as inline SVG; acting on none is the line at 0."""
    with house_style():
        figure, axes = empty_axes(SQUARE, "Threshold", "Net benefit")
        axes.axhline(0, color=LIGHT["line"], linewidth=1)
        for curve in curves:
            _draw(axes, curve)
        highest = max(float(curve.y.max()) for curve in curves)
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(-0.3 * highest - 0.01, 1.1 * highest + 0.01)  # far below 0 says no more
        _legend(axes, curves)
        return inline(figure, name, description)


def empty_axes(size: tuple[float, float], x: str, y: str) -> tuple[Figure, Axes]:
    """A figure with one pair of axes, named."""
    from matplotlib.figure import Figure  # no pyplot: it would keep figures and choose a screen

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel(printable(x))
    axes.set_ylabel(printable(y))
    axes.tick_params(length=0)
    return figure, axes


def _draw(axes: Axes, curve: Curve, marker: str = "", bars: bool = False) -> None:
    keep = np.unique(np.linspace(0, len(curve.x) - 1, MOST_POINTS).round().astype(int))
    x, y, colour = curve.x[keep], curve.y[keep], LIGHT[curve.colour]
    (line,) = axes.plot(
        x,
        y,
        color=colour,
        linewidth=0.8 if curve.faint else 1.7,
        alpha=0.4 if curve.faint else 1.0,
        marker=marker or ("o" if len(x) == 1 else ""),
        markersize=5 if marker else 4,
    )
    if curve.label:
        line.set_gid(LABELLED)
    if DASHES[curve.dashes]:
        line.set_dashes(DASHES[curve.dashes])
    if curve.band is not None:
        low, high = curve.band[0][keep], curve.band[1][keep]
        if bars:
            axes.vlines(x, low, high, color=colour, linewidth=1, alpha=0.6)
        else:
            axes.fill_between(x, low, high, color=colour, alpha=0.1, linewidth=0)


def _legend(
    axes: Axes,
    curves: Sequence[Curve],
    place: Literal["best", "lower right", "upper left"] = "best",
) -> None:
    # Handed over one by one: matplotlib would leave out a class whose name begins with "_".
    lines = [line for line in axes.lines if line.get_gid() == LABELLED]
    labels = [printable(curve.label) for curve in curves if curve.label]
    if labels:
        axes.legend(lines, labels, loc=place, fontsize=9.5)


def _unit_square(axes: Axes) -> None:
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    axes.set_aspect("equal")
