"""The tables of a run with ``evaluate: paper`` as Markdown, for docs/results.md.

    python tests/benchmarks/paper_tables.py RUN

Weighted F1 and accuracy with 95 % intervals, the published number beside ours; of the linear
evaluation the features before the projections; then the paired differences to the fine-tuned
network, and to the study's own pretext.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rdfc_core.cli.console import interval, published
from rdfc_core.results.schema import Results, Row

TITLES = {
    "linear": "linear evaluation",
    "supervised": "trained with all labels",
    "label-efficiency": "trained with a share of the labels",
    "control": "control",
}
METRICS = ("f1_weighted", "accuracy", "auroc")


def table(title: str, rows: Sequence[tuple[Row, ...]]) -> Iterator[str]:
    """One table."""
    shares = any(row[0].label_fraction < 1 for row in rows)
    told = any(one.published is not None for row in rows for one in row)
    heads = [*(["labels"] if shares else []), title, "weighted F1", "accuracy", "AUROC"]
    heads += ["published F1", "published accuracy"] if told else []
    yield f"| {' | '.join(heads)} |"
    yield "| " + " | ".join("---" for _ in heads) + " |"
    for row in rows:
        first = row[0]
        share = [f"{first.label_fraction:.0%}"] if shares else []
        name = f"{first.method}: {first.input} {first.layer}, {first.classifier}"
        cells = [*share, name, *(interval(one) for one in row)]
        cells += [published(one) for one in row[:2]] if told else []
        yield f"| {' | '.join(cells)} |"
    yield ""


def differences(results: Results) -> Iterator[str]:
    """Pairs with the fine-tuned network or the study's pretext, weighted F1."""
    yield "| labels | difference in weighted F1 | | p | p corrected |"
    yield "| --- | --- | --- | --- | --- |"
    ours = {"linear": {results.run["method"]}}
    for one in sorted(results.comparisons, key=lambda c: (c.table, c.label_fraction)):
        chosen = ours.get(one.table, {"hybrid-finetune"})
        wanted = one.metric == METRICS[0] and {one.method_a, one.method_b} & chosen
        if not wanted or one.difference is None or one.ci_low is None or one.ci_high is None:
            continue
        sign = 1 if one.method_a in chosen else -1
        low, high = sorted((sign * one.ci_low + 0.0, sign * one.ci_high + 0.0))  # no -0.0
        pair = (one.method_a, one.method_b)[::sign]
        yield (
            f"| {one.label_fraction:.0%} | {' less '.join(pair)} ({TITLES[one.table]}) | "
            f"{sign * one.difference + 0.0:+.3f} [{low:+.2f}, {high:+.2f}] | {one.p:.2g} | "
            f"{one.p_corrected:.2g} |"
        )


def main() -> None:
    """Print every table of the run."""
    results = Results.read(Path(sys.argv[1]) / "results.json")
    for name, title in TITLES.items():
        rows = results.table(name, METRICS)
        if name == "linear":
            rows = [row for row in rows if row[0].layer == "features"]
        if rows:
            print("\n".join(table(title, rows)))
    print("\n".join(differences(results)))


if __name__ == "__main__":
    main()
