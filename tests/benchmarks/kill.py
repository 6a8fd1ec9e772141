"""Kill a study at random moments, again and again, and see whether anything is lost or done twice.

    python tests/benchmarks/kill.py [--kills 200] [--seed 0] [--cases 60]

``rdfc run`` on generated tumours: extraction in worker processes, two pretexts, linear evaluation
and trained methods. It is killed (SIGKILL, with its workers) at a moment drawn evenly over the time
that an undisturbed run takes, and the same command is given again until it ends; then a new run
begins, until there were as many kills as asked for. After every kill the store is read: whatever
was in it before is still there. After every end the run is compared with the undisturbed one: the
results, every epoch's metrics, predictions, embeddings and models must be the same to the last bit,
and no epoch may stand there twice (a case or a trial cannot).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

STUDY = """
dataset: {{name: phantom, cases: {cases}, labelled: 0.6, image_size: [64, 64]}}
views:
  radiomics: {{extractor: {{name: native, parameters: ultrasound}}, width: 32}}
  image: {{encoder: {{name: timm, model: resnet10t}}, size: [32, 32]}}
pretrain: {{epochs: 6}}
evaluate:
  compare: {{simclr: {{name: simclr, width: 16}}}}
  methods: [radiomics, hybrid-scratch, hybrid-finetune]
  supervised: {{epochs: 2}}
  label_fractions: [1.0]
  label_seeds: 2
  inner_folds: 2
  bootstrap: 200
"""
TABLES = ("recipes", "names", "prepared")
"""Of the store."""
CHANGING = ("seconds", "started", "cases_per_second")
"""What says when and how fast something was done, and may differ."""


class Run:
    """One run folder with its own store."""

    def __init__(self, folder: Path, study: Path) -> None:
        self.folder, self.store = folder / "run", folder / "store.sqlite"
        rdfc = Path(sys.executable).with_name("rdfc")
        self.command = [rdfc, "run", study, "--out", self.folder, "--store", self.store]
        self.command += ["--executor", "local:workers=1"]

    def go(self, seconds: float | None = None) -> bool:
        """Run until the end, or be killed after so many seconds; whether it ended."""
        process = subprocess.Popen(
            [*map(str, self.command)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            _, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return False
        if process.returncode != 0:
            raise SystemExit(f"The run ended with {process.returncode}:\n{said.decode()}")
        return True

    def stage(self) -> str:
        """How far it had come."""
        if not (self.folder / "features.parquet").exists():
            return "extraction" if self.stored() else "start"
        if not (self.folder / "checkpoints").exists():
            return "extraction"
        return "evaluation" if (self.folder / "trials").exists() else "pretraining"

    def stored(self) -> Counter[tuple[Any, ...]]:
        """Every row of the store, by its content."""
        if not self.store.exists():
            return Counter()
        with sqlite3.connect(self.store) as store:
            return Counter(
                (table, *row) for table in TABLES for row in store.execute(f"SELECT * FROM {table}")
            )

    def lasting(self) -> dict[str, Any]:
        """All that the run left, without what tells of time."""
        left: dict[str, Any] = {"results": _timeless(json.loads(self._text("results.json")))}
        lines = [json.loads(line) for line in self._text("metrics.jsonl").splitlines()]
        left["metrics"] = [_timeless(line) for line in lines]
        for name in ("predictions", "embeddings", "features", "pictures"):
            left[name] = pq.read_table(self.folder / f"{name}.parquet").to_pylist()
        for kind in ("model", "trials"):
            for path in sorted((self.folder / kind).rglob("*")):
                if path.is_file():
                    left[str(path.relative_to(self.folder))] = path.read_bytes()
        return left

    def twice(self) -> list[str]:
        """Epochs that stand there twice."""
        rows = [json.loads(line) for line in self._text("metrics.jsonl").splitlines()]
        epochs = Counter(f"{row['split']} {row['epoch']}" for row in rows)
        return [epoch for epoch, count in epochs.items() if count > 1]

    def _text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _timeless(v) for k, v in value.items() if k not in CHANGING}
    return [_timeless(one) for one in value] if isinstance(value, list) else value


def main() -> None:
    """Kill as often as asked, and print the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", type=int, default=60)
    chosen = parser.parse_args()
    rng = random.Random(chosen.seed)
    os.environ["OMP_NUM_THREADS"] = "1"  # sums of another order are not equal bit for bit
    kills: Counter[str] = Counter()
    lost, twice, different, ended = 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        study = place / "study.yaml"
        study.write_text(STUDY.format(cases=chosen.cases), encoding="utf-8")
        undisturbed = Run(place / "undisturbed", study)
        undisturbed.go()
        begun = time.perf_counter()
        shutil.rmtree(place / "undisturbed")
        undisturbed.go()
        whole = time.perf_counter() - begun
        expected = undisturbed.lasting()
        print(f"Undisturbed: {whole:.1f} s, {len(expected)} parts to compare.", flush=True)
        while kills.total() < chosen.kills:
            run = Run(place / "killed", study)
            before: Counter[tuple[Any, ...]] = Counter()
            while not run.go(rng.uniform(0, whole)):
                kills[run.stage()] += 1
                stored = run.stored()
                lost += (before - stored).total()
                before = stored
            ended += 1
            left = run.lasting()
            every = expected.keys() | left.keys()
            wrong = [part for part in every if expected.get(part) != left.get(part)]
            different += len(wrong)
            repeated = run.twice()
            twice += len(repeated)
            print(f"{kills.total()} kills, {ended} runs ended; differing: {wrong}", flush=True)
            shutil.rmtree(place / "killed")
    stages = ", ".join(f"{count} in {stage}" for stage, count in kills.most_common())
    print(f"{kills.total()} kills ({stages}); {ended} runs ended.")
    print(f"{lost} lost, {twice} twice, {different} results that differ.")
    raise SystemExit(1 if lost or twice or different else 0)


if __name__ == "__main__":
    main()
