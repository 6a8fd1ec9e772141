"""A matplotlib figure as inline SVG that follows the page: its colours, its letters, its width."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rdfc_core.report.palette import LIGHT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE = {
    "svg.fonttype": "none",  # letters stay letters: they can be searched, scaled and read aloud
    "svg.hashsalt": "rdfc",  # the same figure gives the same identifiers
    "text.parse_math": False,  # a class may be called "$x$"
    "font.size": 10.5,
    "axes.edgecolor": LIGHT["soft"],
    "axes.labelcolor": LIGHT["soft"],
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LIGHT["line"],
    "grid.linewidth": 0.6,
    "xtick.color": LIGHT["soft"],
    "ytick.color": LIGHT["soft"],
    "text.color": LIGHT["ink"],
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "lines.linewidth": 1.6,
}
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COLOURS = {value: f"var(--{name})" for name, value in LIGHT.items()}
_REFERENCE = re.compile(r"#([\w.-]+)")


@contextmanager
def house_style() -> Iterator[None]:
    """Matplotlib's own defaults with the report's style, whatever the user set; restored after."""
    from matplotlib import style  # loaded when the first figure is drawn: it takes its time

    with style.context(["default", STYLE]):
        yield


def printable(text: str) -> str:
    """The text without the characters that XML cannot hold."""
    return _NOT_IN_XML.sub("\ufffd", text)


def inline(figure: Figure, name: str, description: str) -> str:
    """The figure as an ``<svg>`` element.

    Args:
        figure: Drawn under `house_style`, with colours of `palette.LIGHT` only: they become the
            page's colours.
        name: Unique on the page; keeps the identifiers of several figures apart.
        description: Read out in place of the figure.
    """
    stream = io.StringIO()
    figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    root = ET.fromstring(stream.getvalue())
    for parent in root.iter():
        for child in list(parent):
            if _plain(child.tag) in ("metadata", "style"):
                parent.remove(child)
    referred = set(_REFERENCE.findall(" ".join(_links(root))))
    for element in root.iter():
        element.tag = _plain(element.tag)
        element.attrib = {
            _plain(key): _attribute(_plain(key), value, name)
            for key, value in element.attrib.items()
            if key != "id" or value in referred
        }
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "class": "plot",
        "role": "img",
        "aria-label": printable(description),
    }
    return ET.tostring(root, encoding="unicode")


def _links(root: ET.Element) -> Iterator[str]:
    for element in root.iter():
        for key, value in element.attrib.items():
            if _plain(key) in ("href", "clip-path"):
                yield value


def _plain(qualified: str) -> str:
    return qualified.rpartition("}")[2]


def _attribute(key: str, value: str, name: str) -> str:
    if key == "id":
        return f"{name}-{value}"
    if key in ("href", "clip-path"):
        return _REFERENCE.sub(rf"#{name}-\1", value)
    for colour, variable in _COLOURS.items():
        value = value.replace(colour, variable)
    return value
