"""Methods of several runs on the same folds, as Markdown: weighted F1 at each share of the labels,
and paired differences, which a run's own results have for its own methods alone.

    python tests/benchmarks/across_runs.py RUN[,RUN…]:METHOD[@CLASSIFIER]… [--less RUN:METHOD…]
        [--metric auroc] [--folds 3,4,5] [--needed]

Several runs, named with commas, are those of different folds of one study. A classifier tells
variants of a method apart, such as radiomics-logistic@logistic-C0.1. --folds keeps some folds.
Differences are to each of those named by --less. Intervals (95 %) are from resampled patients and
repetitions, the same for all methods; resamples in which a fold lacks a class are left out. At
100 % of the labels it is the table of all labels. --needed prints with how many labels each of
--less does what the runs' methods do with theirs.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from against_untrained import predictions

from rdfc_core.evaluation.bootstrap import Prediction, paired, resampled
from rdfc_core.evaluation.labels_needed import Reading, curve, interval_of_shares

RESAMPLES, CONFIDENCE, SEED = 2000, 0.95, 0
TABLES = ("label-efficiency", "supervised")


def judged(name: str, folds: str | None = None) -> dict[float, list[Prediction]]:
    """Share of the labels → what RUN:METHOD said of each split's test part."""
    runs, _, method = name.rpartition(":")
    method, _, classifier = method.partition("@")
    kept = {f"fold-{number}" for number in folds.split(",")} if folds else None
    table = [
        row
        for run in runs.split(",")
        for row in pq.read_table(Path(run) / "predictions.parquet").to_pylist()
        if kept is None or row["split"] in kept
    ]
    rows = [
        row
        for row in table
        if row["method"] == method
        and row["table"] in TABLES
        and classifier in ("", row["classifier"])
    ]
    if not rows:
        raise SystemExit(f"{runs} has no method {method!r} in its tables of labels.")
    classes = sorted({row["label"] for row in table})
    return {share: _predictions(rows, share, classes) for share in _column(rows, "label_fraction")}


def _predictions(
    rows: Sequence[dict[str, Any]], share: float, classes: Sequence[str]
) -> list[Prediction]:
    # The judged setting is the first of its method; those of a sweep have inputs of other names.
    chosen = [row for row in rows if row["label_fraction"] == share]
    chosen = [row for row in chosen if row["input"] == chosen[0]["input"]]
    chosen = [row for row in chosen if row["table"] == chosen[0]["table"]]
    return predictions(chosen, classes)


def _column(rows: Sequence[dict[str, Any]], name: str) -> list[Any]:
    return sorted({row[name] for row in rows})


def print_needed(
    found: dict[str, dict[float, list[Prediction]]], runs: Sequence[str], less: Sequence[str]
) -> None:
    """Print a line a run, share of the labels and reference: what the reference needs."""
    curves = {name: curve(own, RESAMPLES, SEED) for name, own in found.items()}
    print("| labels | run | reference | needs | times as many |\n" + "| --- " * 5 + "|")
    for name in runs:
        for other in less:
            reading = Reading(curves[other])
            for share, target in sorted(curves[name].items()):
                needed = reading.share_of(target)
                told = [needed[0], *interval_of_shares(needed, CONFIDENCE)]
                shares, times = (
                    "{:.3g} [{:.3g}, {:.3g}]".format(*(one / unit for one in told))
                    for unit in (1, share)
                )
                print(f"| {share:.0%} | {name} | {other} | {shares} | {times} |")


def main() -> None:
    """Print a line a run and share of the labels."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--less", nargs="*", default=[])
    parser.add_argument("--metric", default="f1_weighted")
    parser.add_argument("--folds")
    parser.add_argument("--needed", action="store_true")
    asked = parser.parse_args()
    found = {name: judged(name, asked.folds) for name in dict.fromkeys([*asked.runs, *asked.less])}
    if asked.needed:
        print_needed(found, asked.runs, asked.less)
        return
    drawn = {
        name: {
            share: resampled(predictions, RESAMPLES, SEED)[asked.metric]
            for share, predictions in own.items()
        }
        for name, own in found.items()
    }
    print(f"| labels | {asked.metric} | | {' | '.join(f'less {name}' for name in asked.less)} |")
    print("| --- " * (3 + len(asked.less)) + "|")
    for share in sorted({share for name in asked.runs for share in drawn[name]}):
        for name in asked.runs:
            if share not in drawn[name]:
                continue
            mine = drawn[name][share]
            low, high = np.nanquantile(mine[:, 1:], (0.025, 0.975))
            cells = [f"{mine[:, 0].mean():.3f} [{low:.2f}, {high:.2f}]"]
            for other in asked.less:
                theirs = drawn[other].get(share)
                if theirs is None:
                    cells.append("")
                    continue
                value, below, above, _ = paired(mine, theirs, CONFIDENCE, SEED)
                cells.append(f"{value:+.3f} [{below:+.2f}, {above:+.2f}]")
            print(f"| {share:.0%} | {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
