"""Draws how many times faster the native extractor is than PyRadiomics, from the benchmark's file.

python tests/benchmarks/radiomics_speed.py --json speed.json
python tests/benchmarks/radiomics_figure.py speed.json docs/figures/radiomics-speed.svg
"""

from __future__ import annotations

from typing import Any

import figures
from matplotlib.figure import Figure

BARS = {
    ("5000", "whole"): 500,
    ("5000", "crop"): 14,
    ("50000", "whole"): 150,
    ("50000", "crop"): 15,
    ("300000", "whole"): 40,
    ("300000", "crop"): 15,
    ("2d", "whole"): 20,
}
"""What was aimed at."""

SIDES = {
    "whole": ("PyRadiomics as its users run it", "#1f4e79"),
    "crop": ("PyRadiomics on a correct crop", "#8fb4d9"),
}


def draw(rows: list[dict[str, Any]]) -> Figure:
    """Ratios as bars, on a logarithmic axis, with what was aimed at as a line."""
    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(rows):
        sides = [side for side in SIDES if side in row]
        for k, side in enumerate(sides):
            height = 0.8 / len(sides)
            y = place - 0.4 + (k + 0.5) * height
            ratio = row[side] / row["native"]
            label = SIDES[side][0] if place == 0 else None
            axes.barh(y, ratio, height * 0.9, color=SIDES[side][1], label=label)
            aim = BARS[row["case"], side]
            shown = f"{ratio:,.0f} ×" if ratio >= 100 else f"{ratio:.3g} ×"
            axes.text(max(ratio, aim) * 1.06, y, shown, va="center", fontsize=9)
            told = "aim" if place == k == 0 else None
            axes.vlines(aim, y - height * 0.45, y + height * 0.45, color="#c0392b", label=told)
    axes.set_xscale("log")
    axes.set_xlim(1, 3000)
    axes.set_yticks(range(len(rows)), [_name(row) for row in rows])
    axes.invert_yaxis()
    axes.set_xlabel("times as fast, one core")
    axes.legend(loc="lower right", fontsize=8, frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure


def _name(row: dict[str, Any]) -> str:
    kind = "picture, {:,} pixels" if row["case"] == "2d" else "CT, {:,} voxels"
    return kind.format(row["voxels"]) + f"\n{row['features']:,} features"


if __name__ == "__main__":
    figures.write(draw)
