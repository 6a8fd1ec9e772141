"""Draws the training's ratios beside what was aimed at, from the file that its benchmarks wrote.

python tests/benchmarks/training.py --json training.json
python tests/benchmarks/training.py --model resnet50 --size 196,160 --batch 16 --json training.json
python tests/benchmarks/checkpoints.py --json training.json
python tests/benchmarks/against_lightly.py --json training.json
python tests/benchmarks/training_figure.py training.json docs/figures/training-speed.svg
"""

from __future__ import annotations

from typing import Any

import figures
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PANELS = {
    "step": ("throughput of a whole step / of the bare encoder's", 0.95, "at least"),
    "checkpoint": ("time of an epoch with a checkpoint / without", 1.03, "at most"),
    "lightly": ("time of lightly's epoch / of rdfc's", 1.3, "at least"),
}
"""Benchmark → what the ratio is, what was aimed at, and on which side it should lie."""


def draw(found: dict[str, dict[str, float]]) -> Figure:
    """One panel a benchmark, one bar a measurement, the aim as a line."""
    shown = [name for name in PANELS if name in found]
    heights = [len(found[name]) + 1.2 for name in shown]
    figure = Figure(figsize=(7, 0.42 * sum(heights)), layout="constrained")
    panels: Any = figure.subplots(
        len(shown), squeeze=False, gridspec_kw={"height_ratios": heights}
    )[:, 0]
    for axes, name in zip(panels, shown, strict=True):
        _panel(axes, found[name], *PANELS[name])
    return figure


def _panel(axes: Axes, ratios: dict[str, float], title: str, aim: float, side: str) -> None:
    axes.barh(range(len(ratios)), list(ratios.values()), 0.6, color="#1f4e79")
    for place, ratio in enumerate(ratios.values()):
        axes.text(0, place, f" {ratio:.3g}", va="center", color="white", fontsize=9)
    axes.axvline(aim, color="#c0392b", linewidth=1.5)
    axes.set_yticks(range(len(ratios)), list(ratios), fontsize=9)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.15 * max(aim, *ratios.values()))
    axes.set_title(f"{title} (aim: {side} {aim})", fontsize=9, loc="right")
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)


if __name__ == "__main__":
    figures.write(draw)
