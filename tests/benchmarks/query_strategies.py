"""Query strategies against random draws, on the folds of a run folder.

    python tests/benchmarks/query_strategies.py RUN... --strategies "typiclust;badge" --folds 1,2

Labels are bought, and a linear probe is trained, on what the run's networks have learnt
(``--space learnt``: a folder of ``rdfc pretrain``), or on handcrafted features alone
(``--space radiomics``: ``rdfc extract`` will do). Several folders are folds of one study that were
pretrained apart.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
from pyarrow import parquet

from rdfc_core.api.context import component, opened
from rdfc_core.case import Case
from rdfc_core.data.splits import Split
from rdfc_core.evaluation.linear_probe import LabelledSplit
from rdfc_core.evaluation.query_curves import curves
from rdfc_core.evaluation.query_simulation import simulate, with_random
from rdfc_core.models.linear_model import FeatureTables
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.plugin.registry import installed

CLIP = 5.0
"""Standard deviations, as in the default preset."""


def splits_of(place: RunFolder) -> Iterator[Split]:
    """The run's splits, from its cases.csv."""
    header = place.cases.read_text().splitlines()[0].split(",")[4:-2]
    for at, name in enumerate(header):
        train, test = (
            tuple(row.case_id for row in place.case_rows() if row.parts[at] == part)
            for part in ("train", "test")
        )
        yield Split(name, train, train, test)


def handcrafted(place: RunFolder, split: Split) -> FeatureTables:
    """Features of the split's cases, standardised by those that train."""
    table = parquet.read_table(place.path / "features.parquet").to_pandas().set_index("case_id")
    table = table.select_dtypes("number").loc[[*split.train, *split.test]].to_numpy(np.float64)
    known = table[: len(split.train)]
    mean, spread = np.nanmean(known, axis=0), np.nanstd(known, axis=0)
    kept = spread > 1e-12
    scaled = (table[:, kept] - mean[kept]) / spread[kept]
    return {"radiomics": np.nan_to_num(np.clip(scaled, -CLIP, CLIP)).astype(np.float32)}


def learnt(place: RunFolder, split: Split, store: Path | None) -> FeatureTables:
    """What the split's network makes of its cases."""
    from rdfc_core.pipeline.case_list import study_cases
    from rdfc_core.pipeline.open_run import OpenRun
    from rdfc_core.pipeline.predict import features

    run = OpenRun(place.path, installed())
    ids = [*split.train, *split.test]
    with opened(store, "local:workers=0") as context:
        dataset = run.study.build_dataset(context.registry)
        cases = study_cases(run.study, dataset, context.registry)
        extraction = features(run, [case for case in cases if case.case_id in set(ids)], context)
    model = run.models[split.name]
    return model.outputs({view: extraction.of(view, ids) for view in model.views})["features"]


def main() -> None:
    """Buy, learn, judge; print a table and write the points as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--strategies", default="typiclust")
    parser.add_argument("--folds", default="1,2,3,4,5")
    parser.add_argument("--labels", default="2,5,10,20,40,70,100")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--space", default="learnt", choices=("learnt", "radiomics"))
    parser.add_argument("--store", type=Path)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    strategies = {
        text: component("query_strategy", text, "--strategies").build(installed())
        for text in asked.strategies.split(";")
    }
    wanted = {f"fold-{number}" for number in asked.folds.split(",")}
    found, began = defaultdict(list), time.process_time()
    for folder in asked.runs:
        place = RunFolder(folder.resolve())
        study = place.load_study()
        querying = study.evaluate.querying.model_copy(
            update={
                "repeats": asked.repeats,
                "labels": tuple(int(count) for count in asked.labels.split(",")),
            }
        )
        settings = study.evaluate.model_copy(update={"querying": querying})
        cases = {
            row.case_id: Case(row.case_id, row.patient_id, None, None, label=row.label)
            for row in place.case_rows()
        }
        classes = sorted({case.label for case in cases.values() if case.label})
        for split in splits_of(place):
            if split.name not in wanted:
                continue
            data = LabelledSplit.of(split, cases, classes, settings, study.seed)
            tables = (
                handcrafted(place, split)
                if asked.space == "radiomics"
                else learnt(place, split, asked.store)
            )
            told = simulate(data, tables, classes, with_random(strategies), lambda *_: None)
            for bought, prediction in told:
                found[bought].append(prediction)
            spent = time.process_time() - began
            print(f"{folder.name} {split.name}: {spent:.0f} s of the processor", flush=True)
    points = curves(found, "f1_weighted", 1000, 0.95, 0)
    for one in points:
        print(
            f"{','.join(map(str, one.labels)):>9} {one.strategy:34} F1 {one.mean:.3f} "
            f"[{one.low:.3f}, {one.high:.3f}]  {one.difference:+.3f} "
            f"[{one.diff_low:+.3f}, {one.diff_high:+.3f}] p {one.p:.3f}"
        )
    if asked.out:
        asked.out.write_text(json.dumps([asdict(one) for one in points], indent=1))


if __name__ == "__main__":
    main()
