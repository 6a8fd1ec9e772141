"""The report's colours, once, for its style sheet and its figures, by day and by night.

Class colours follow Okabe & Ito (2008), darkened until each has a contrast of at least 3 : 1 on
the page; classes differ in shape too, and series in dashes, so that no one needs the colours.
"""

from __future__ import annotations

from collections.abc import Sequence

LIGHT = {
    "page": "#fbfbf9",
    "card": "#ffffff",
    "ink": "#1c2529",
    "soft": "#55626a",
    "line": "#d5dbdd",
    "faint": "#eef1f2",
    "accent": "#434ab8",
    "control": "#66717a",
    "warn": "#a34700",
    "unlabelled": "#848e96",
    "class-0": "#0072b2",
    "class-1": "#d55e00",
    "class-2": "#00896a",
    "class-3": "#a8479b",
    "class-4": "#937000",
    "class-5": "#6b4c3b",
    "series-0": "#b8336a",
    "series-1": "#5c7a10",
    "series-2": "#0f7f8c",
    "series-3": "#7a5cc2",
}
DARK = {
    "page": "#12171a",
    "card": "#1a2125",
    "ink": "#e7ecee",
    "soft": "#a3b0b7",
    "line": "#364149",
    "faint": "#232c31",
    "accent": "#a3abff",
    "control": "#9aa6ae",
    "warn": "#ffb072",
    "unlabelled": "#7b868d",
    "class-0": "#4fb0e8",
    "class-1": "#ff8f45",
    "class-2": "#3ccba2",
    "class-3": "#e091d3",
    "class-4": "#dcb53a",
    "class-5": "#c7a38d",
    "series-0": "#ff83ae",
    "series-1": "#a9cc52",
    "series-2": "#57cbd8",
    "series-3": "#bda6ff",
}
CLASSES = sum(name.startswith("class-") for name in LIGHT)
SERIES = sum(name.startswith("series-") for name in LIGHT)

SHAPES = (
    "M0-4.6A4.6 4.6 0 1 0 0 4.6A4.6 4.6 0 1 0 0-4.6Z",  # circle
    "M0-5.6L5.2 3.8L-5.2 3.8Z",  # triangle
    "M-4.1-4.1H4.1V4.1H-4.1Z",  # square
    "M0-5.9L5.9 0L0 5.9L-5.9 0Z",  # diamond
    "M-1.7-5H1.7V-1.7H5V1.7H1.7V5H-1.7V1.7H-5V-1.7H-1.7Z",  # cross
    "M0 5.6L5.2-3.8L-5.2-3.8Z",  # triangle on its tip
)
"""Outlines of the map's points, of about equal area, as SVG paths around the origin."""
DASHES = ((), (5, 2), (1.5, 1.8), (6, 2, 1.5, 2))
"""Dashes of the series of a figure, in points."""


def class_colour(place: int) -> str:
    """The palette's name for the class at this place in the data set's order."""
    return f"class-{place % CLASSES}"


def class_shape(place: int) -> int:
    """Which of `SHAPES` marks the class; colour and shape together tell 30 classes apart."""
    return (place + place // CLASSES) % len(SHAPES)


def colour_of(label: str | None, classes: Sequence[str]) -> str:
    """The palette's name for a diagnosis; grey for none."""
    return class_colour(classes.index(label)) if label in classes else "unlabelled"


def shape_of(label: str | None, classes: Sequence[str]) -> int:
    """Which of `SHAPES` marks a diagnosis; a circle for none."""
    return class_shape(classes.index(label)) if label in classes else 0


def series_colour(place: int) -> str:
    """The palette's name for a figure's series."""
    return f"series-{place % SERIES}"


def variables(colours: dict[str, str]) -> str:
    """The colours as CSS custom properties."""
    return "".join(f"--{name}:{value};" for name, value in colours.items())
