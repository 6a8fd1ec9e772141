"""A manifest with a column of folds, so that other programs can be judged on the same cases.

    python tests/benchmarks/fold_lists.py LIST OUT.csv

LIST is a manifest, or a TN-SCUI list (ID, CATE) beside its folders image and mask. Folds are
scikit-learn's StratifiedGroupKFold(5, shuffle=True, random_state=0) over patients numbered in the
order in which they appear.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from sklearn.model_selection import StratifiedGroupKFold

COLUMNS = ("case_id", "patient_id", "image", "mask", "label", "fold")


def rows_of(path: Path) -> list[dict[str, str]]:
    """The list's rows, with absolute paths."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if "CATE" in rows[0]:
        rows = [
            {
                "case_id": Path(row["ID"]).stem,
                "patient_id": row["ID"],
                "image": f"image/{row['ID']}",
                "mask": f"mask/{row['ID']}",
                "label": {"0": "benign", "1": "malignant"}[row["CATE"]],
            }
            for row in rows
        ]
    for row in rows:
        row |= {part: str((path.parent / row[part]).resolve()) for part in ("image", "mask")}
    return rows


def main(source: Path, target: Path) -> None:
    """Write the manifest; say how many cases each fold has."""
    rows = rows_of(source)
    order = {name: at for at, name in enumerate(dict.fromkeys(r["patient_id"] for r in rows))}
    labels = [row["label"] for row in rows]
    cut = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    found = cut.split(labels, labels, [order[row["patient_id"]] for row in rows])
    for number, (_, tested) in enumerate(found, start=1):
        print(f"fold {number}: {len(tested)} cases")
        for place in tested:
            rows[place]["fold"] = str(number)
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
