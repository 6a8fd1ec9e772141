"""What pretraining adds to each view's features: AUROC of a run minus that of the same networks
untrained, on the same cases, with an interval from resampled patients.

    python tests/benchmarks/against_untrained.py RUN…

The untrained network is the first of the run's three; both by logistic regression.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from rdfc_core.evaluation.bootstrap import Prediction, bootstrap

RESAMPLES = 2000


def predictions(rows: Sequence[dict[str, Any]], classes: Sequence[str]) -> list[Prediction]:
    """One a split and repetition, from rows of predictions.parquet."""
    parts: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: str(row["case_id"])):
        parts[row["split"], row["repeat"]].append(row)
    return [
        Prediction(
            split=split,
            case_ids=tuple(row["case_id"] for row in part),
            patients=tuple(row["patient_id"] for row in part),
            truth=np.array([classes.index(row["label"]) for row in part]),
            probabilities=np.array([row["probabilities"] for row in part]),
            repeat=repeat,
        )
        for (split, repeat), part in sorted(parts.items())
    ]


def main() -> None:
    """Print a line a run and view."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    for run in parser.parse_args().runs:
        table = pq.read_table(run / "predictions.parquet").to_pylist()
        rows = [
            r
            for r in table
            if (r["layer"], r["classifier"], r["repeat"]) == ("features", "logistic", 0)
        ]
        # Of two classes either order gives the same area, as long as it is one order.
        classes = sorted({row["label"] for row in rows})
        for view in ("radiomics", "image", "both"):
            auroc = {
                method: bootstrap(
                    predictions(
                        [r for r in rows if (r["method"], r["input"]) == (method, view)], classes
                    ),
                    RESAMPLES,
                    seed=0,
                )["auroc"]
                for method in ("rdfc", "random-init")
            }
            gain = auroc["rdfc"] - auroc["random-init"]
            low, high = np.nanquantile(gain, (0.025, 0.975))
            print(f"{run.name}: {view} features {np.nanmean(gain):+.3f} [{low:+.3f}, {high:+.3f}]")


if __name__ == "__main__":
    main()
