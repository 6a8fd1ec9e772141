"""Methods of several runs on the same folds, as Markdown: weighted F1 at each share of the labels,
and paired differences, which a run's own results have for its own methods alone.

    python tests/benchmarks/across_runs.py [NAME=]RUN[,RUN…]:METHOD[@CLASSIFIER]…
        [--less [NAME=]RUN:METHOD…] [--metric auroc] [--folds 3,4,5] [--needed]

Several runs, named with commas, are those of different folds of one study. A classifier tells
variants of a method apart, such as radiomics-logistic@logistic-C0.1. --folds keeps some folds.
A row a method, a column a share of the labels; then a row a method and a method of --less with the
differences, or with --needed how many labels the latter needs to do as well. Intervals (95 %) are
from resampled patients and repetitions, the same for all methods; resamples in which a fold lacks a
class are left out. At 100 % of the labels it is the table of all labels.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from against_untrained import predictions

from rdfc_core.evaluation.bootstrap import Prediction, paired, resampled
from rdfc_core.evaluation.labels_needed import Reading, curve, interval_of_shares

RESAMPLES, CONFIDENCE, SEED = 2000, 0.95, 0
TABLES = ("label-efficiency", "supervised")

Shares = dict[float, list[Prediction]]
"""Share of the labels → what a method said of each split's test part, in each repetition."""


def judged(source: str, folds: str | None = None) -> Shares:
    """What ``RUN[,RUN…]:METHOD[@CLASSIFIER]`` said, by share of the labels."""
    runs, _, method = source.rpartition(":")
    method, _, classifier = method.partition("@")
    kept = {f"fold-{number}" for number in folds.split(",")} if folds else None
    tables = [_table(run) for run in runs.split(",")]
    classes = sorted({row["label"] for table in tables for row in table})
    rows = [row for table in tables for row in _of_method(table, method, classifier)]
    if kept is not None:
        rows = [row for row in rows if row["split"] in kept]
    if not rows:
        raise SystemExit(f"{runs} has no method {method!r} in its tables of labels.")
    return {
        share: _repeated_alike(
            predictions([row for row in rows if row["label_fraction"] == share], classes)
        )
        for share in sorted({row["label_fraction"] for row in rows})
    }


@cache
def _table(run: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(Path(run) / "predictions.parquet").to_pylist()
    return found


def _of_method(
    table: Iterable[Mapping[str, Any]], method: str, classifier: str
) -> list[dict[str, Any]]:
    """The method's rows: of a sweep of settings the first, of two tables with a share the first."""
    first: dict[float, tuple[str, str]] = {}
    found = []
    for row in table:
        if row["method"] != method or row["table"] not in TABLES:
            continue
        if classifier not in ("", row["classifier"]):
            continue
        variant = row["table"], row["input"]
        if first.setdefault(row["label_fraction"], variant) == variant:
            found.append(dict(row))
    return found


def _repeated_alike(found: list[Prediction]) -> list[Prediction]:
    """Those repetitions that every split has."""
    splits = {one.split for one in found}
    common = set.intersection(*({o.repeat for o in found if o.split == s} for s in splits))
    return [one for one in found if one.repeat in common]


def means(drawn: np.ndarray) -> str:
    """``0.801 [0.75, 0.84]``."""
    low, high = np.nanquantile(drawn[:, 1:], (0.025, 0.975))
    return f"{drawn[:, 0].mean():.3f} [{low:.2f}, {high:.2f}]"


def difference(a: np.ndarray, b: np.ndarray) -> str:
    """``+0.051 [+0.01, +0.09]``, bold where the interval leaves 0 out."""
    value, low, high, _ = paired(a, b, CONFIDENCE, SEED)
    cell = f"{value:+.3f} [{low:+.2f}, {high:+.2f}]"
    return f"**{cell}**" if low > 0 or high < 0 else cell


def needed(mine: Shares, other: Shares) -> dict[float, str]:
    """Share of the labels → what the other needs to do as well, in per cent of all."""
    reading = Reading(curve(other, RESAMPLES, SEED))
    found = {}
    for share, target in curve(mine, RESAMPLES, SEED).items():
        shares = reading.share_of(target)
        low, high = interval_of_shares(shares, CONFIDENCE)
        found[share] = f"{shares[0]:.2%} [{low:.2%}, {high:.2%}]".replace("inf%", "∞")
    return found


def print_rows(rows: Mapping[str, Mapping[float, str]]) -> None:
    """A row a name, a column a share; a cell that is not there stays empty."""
    shares = sorted({share for cells in rows.values() for share in cells})
    print(f"| | {' | '.join(f'{share:.0%}' for share in shares)} |")
    print("| --- " * (1 + len(shares)) + "|")
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells.get(share, '') for share in shares)} |")
    print()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--less", nargs="*", default=[])
    parser.add_argument("--metric", default="f1_weighted")
    parser.add_argument("--folds")
    parser.add_argument("--needed", action="store_true")
    asked = parser.parse_args()
    known: dict[str, Shares] = {}

    def named(given: str) -> str:
        name, _, source = given.rpartition("=")
        known.setdefault(name or source, judged(source, asked.folds))
        return name or source

    mine, others = [named(one) for one in asked.runs], [named(one) for one in asked.less]

    @cache
    def drawn(name: str) -> dict[float, np.ndarray]:
        return {
            share: resampled(found, RESAMPLES, SEED)[asked.metric]
            for share, found in known[name].items()
        }

    print_rows({name: {s: means(d) for s, d in drawn(name).items()} for name in mine})
    against: Callable[[str, str], dict[float, str]] = (
        (lambda a, b: needed(known[a], known[b]))
        if asked.needed
        else lambda a, b: {
            share: difference(drawn(a)[share], drawn(b)[share])
            for share in drawn(a).keys() & drawn(b).keys()
        }
    )
    pairs = {f"{a} against {b}": against(a, b) for a in mine for b in others if a != b}
    if pairs:
        print_rows(pairs)


if __name__ == "__main__":
    main()
