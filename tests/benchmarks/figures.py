"""Writes a benchmark's figure from the numbers that it kept."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure


def write(draw: Callable[[Any], Figure]) -> None:
    """Draw the JSON file named first on the command line into the SVG file named second."""
    source, target = map(Path, sys.argv[1:3])
    target.parent.mkdir(parents=True, exist_ok=True)
    # Text as text and no date: the same numbers give the same small file.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "rdfc"}):
        draw(json.loads(source.read_text("utf-8"))).savefig(target, metadata={"Date": None})
