"""Processor time of `rdfc reproduce tn-scui2020 --quick`, before and now, and what the rows say.

    python tests/benchmarks/reproduce_quick.py OUT --before PYTHON [--whole] [--threads N]

PYTHON is the interpreter of an environment with an rdfc of before: one where the first version is
installed (the commit before the default recipe), or the commit before a change. It and the
interpreter that runs this are given the same 280 generated lesions in TN-SCUI2020's layout and
the settings of the first version; features are measured first, and their time is told apart.
Without --whole fewer epochs, shares and repetitions are run, the same on both sides.

Prints the processor seconds (of all threads and processes), and compares the rows: which are
missing now, and which means lie outside their interval of before. Writes OUT/reproduce.json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rdfc_dataset_phantom.config import PhantomConfig
from rdfc_dataset_phantom.dataset import Phantoms

CASES = 280
IDENTITY = ("table", "method", "input", "layer", "classifier", "label_fraction", "metric")

FIRST_VERSION = {
    "views.radiomics.dropout": 0.5,
    "views.radiomics.clip": None,
    "views.image.encoder.model": "resnet18",
    "views.image.margin": 0.0,
    "views.image.crop_scale": [0.4, 1.0],
    "pretext.memory_start": "random",
    "pretext.memory.momentum": 0.5,
    "pretext.memory.update": "step",
    "pretrain.optimizer": "adamw",
    "pretrain.nesterov": False,
    "pretrain.learning_rate": 0.001,
    "pretrain.schedule": "cosine",
    "pretrain.warmup_steps": 0,
    "pretrain.patience": None,
    "pretrain.held_back": 0.0,
    "pretrain.checkpoint_steps": 1,
    "pretrain.steps": 20000,
    "pretrain.epochs": 60,
    "evaluate.logistic_c": 1.0,
    "evaluate.supervised.epochs": 50,
    "evaluate.supervised.min_steps": 0,
    "evaluate.supervised.max_steps": None,
    "evaluate.supervised.batch_size": 64,
    "evaluate.supervised.optimizer": "adamw",
    "evaluate.supervised.nesterov": False,
    "evaluate.supervised.learning_rate": 0.001,
    "evaluate.supervised.weight_decay": 0.0001,
    "evaluate.supervised.schedule": "step",
    "evaluate.supervised.head": "features",
    "evaluate.supervised.head_scale": 1.0,
}
"""What --quick said of the first version, and what its defaults were, as options of today."""

SUBSET = {
    "pretrain.epochs": 2,
    "evaluate.supervised.epochs": 4,
    "evaluate.supervised.sweep": [],
    "evaluate.label_fractions": [0.05, 0.2],
    "evaluate.label_seeds": 1,
    "evaluate.bootstrap": 1000,
}
"""A sixtieth of the steps, each kind of network and pretext still there."""


def write_pictures(root: Path) -> None:
    """280 phantoms as TN-SCUI2020 lies on disk."""
    phantoms = Phantoms(
        PhantomConfig(cases=CASES, labelled=1.0, image_size=(192, 240), difficulty=0.6)
    )
    for folder in ("image", "mask"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    lines = ["ID,CATE\n"]
    for place, case in enumerate(phantoms.cases()):
        assert case.reader is not None
        image = np.squeeze(case.reader.read_image(case.image).array)
        mask = np.squeeze(case.reader.read_mask(case.mask, case.image).array) > 0
        name = f"{1000 + 7 * place}.PNG"
        Image.fromarray(image.astype(np.uint8)).save(root / "image" / name)
        Image.fromarray((mask * 255).astype(np.uint8)).save(root / "mask" / name)
        lines.append(f"{name},{phantoms.classes.index(str(case.label))}\n")
    (root / "train.csv").write_text("".join(lines), encoding="utf-8")


def measured(
    python: str, out: Path, pictures: Path, options: dict[str, Any], threads: int | None
) -> dict[str, float]:
    """Processor and clock seconds of features and of all else, of a run in OUT."""
    environment = {**os.environ}
    environment.pop("OMP_NUM_THREADS", None)
    if threads is not None:
        environment["OMP_NUM_THREADS"] = str(threads)
    found: dict[str, float] = {}
    said = [part for k, v in options.items() for part in ("--set", f"{k}={json.dumps(v)}")]
    common = ["--root", str(pictures), "--store", str(out / "store"), *said]
    rdfc = str(Path(python).with_name("rdfc"))  # -m would find this folder's modules first
    command = [rdfc, "reproduce", "tn-scui2020", "--quick", *common]
    little = [
        "--set", "evaluate.methods=[]", "--set", "evaluate.compare={}",
        "--set", "evaluate.label_fractions=[]", "--set", "evaluate.controls=[]",
        "--set", "evaluate.supervised.sweep=[]", "--set", "pretrain.epochs=1",
    ]  # fmt: skip
    for name, given in (
        ("features", [*command, *little, "--out", str(out / "features")]),
        ("study", [*command, "--out", str(out / "run")]),
    ):
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(given, env=environment, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        found[f"{name} processor s"] = round(spent, 1)
        found[f"{name} clock s"] = round(time.perf_counter() - started, 1)
    return found


def rows(run: Path) -> dict[tuple[Any, ...], dict[str, Any]]:
    """What identifies a row → the row."""
    written = json.loads((run / "results.json").read_text(encoding="utf-8"))["rows"]
    return {tuple(row[key] for key in IDENTITY): row for row in written}


def compared(before: Path, now: Path) -> dict[str, Any]:
    """Rows that are missing now, and rows whose mean lies outside the interval of before."""
    old, new = rows(before), rows(now)
    outside = [
        key
        for key, row in old.items()
        if key in new and None not in (row["ci_low"], row["ci_high"], new[key]["mean"])
        and not row["ci_low"] <= new[key]["mean"] <= row["ci_high"]
    ]  # fmt: skip
    missing = [key for key in old if key not in new]
    return {"rows before": len(old), "rows now": len(new), "missing": missing, "outside": outside}


def main() -> None:
    """Measure both, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path)
    parser.add_argument("--before", required=True, help="The other environment's interpreter.")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--threads", type=int, help="OMP_NUM_THREADS of both; by default unset.")
    parser.add_argument("--first-version", action="store_true", help="Its options are its own.")
    arguments = parser.parse_args()
    pictures = arguments.out / "pictures"
    if not pictures.exists():
        write_pictures(pictures)
    shorter = {} if arguments.whole else SUBSET
    options = FIRST_VERSION | shorter
    old = shorter if arguments.first_version else options
    both = {"before": (arguments.before, old), "now": (sys.executable, options)}
    found: dict[str, Any] = {
        name: measured(python, arguments.out / name, pictures, given, arguments.threads)
        for name, (python, given) in both.items()
    }
    spent = [found[name]["study processor s"] for name in ("before", "now")]
    found["ratio"] = round(spent[0] / spent[1], 2)
    found |= compared(arguments.out / "before" / "run", arguments.out / "now" / "run")
    (arguments.out / "reproduce.json").write_text(json.dumps(found, indent=2), encoding="utf-8")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
