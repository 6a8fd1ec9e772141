"""How soon the default pretraining is where that of the first version ended, and where both end.

    python tests/benchmarks/convergence.py STUDY.yaml OUT [--processor] [--set KEY=VALUE …]

Pretrains twice on the study's first fold, one after the other on the same machine: as the first
version did by default (AdamW with a cosine, three dropouts of 0.5, a full-width ResNet-18, 100
epochs, a bank of random rows updated at once), and as the study says. Both hold the same cases
back and are measured on them. Prints the ratio of the times, and writes OUT/convergence.json and
a figure of both courses.

With --processor the time is that of the processor: what a step takes, from two short trainings
of each, times the number of steps. On a machine that others use, the clock tells little.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt

FIRST_VERSION = (
    "pretext={name: correspondence}",
    "views.radiomics.dropout=0.5",
    "views.radiomics.clip=null",
    "views.image.encoder.model=resnet18",
    "views.image.margin=0",
    "views.image.crop_scale=[0.4,1.0]",
    "pretext.memory_start=random",
    "pretext.memory.momentum=0.5",
    "pretext.memory.update=step",
    "pretext.objective.negatives_per=case",
    "pretrain.optimizer=adamw",
    "pretrain.nesterov=false",
    "pretrain.learning_rate=0.001",
    "pretrain.schedule=cosine",
    "pretrain.warmup_steps=0",
    "pretrain.patience=null",
    "pretrain.epochs=100",
    "pretrain.steps=20000",
)
ONE_PRETEXT = ("split.only=[1]", "evaluate.controls=[]", "evaluate.compare={}")
"""Nothing else is pretrained beside it."""

RETRIEVAL = ".retrieval_top1"

SHORT = (17, 68)
"""Steps of the trainings by which a step is measured: whole epochs of the brain slices."""


def course(study: Path, out: Path, changes: tuple[str, ...]) -> list[dict[str, float]]:
    """What was measured on the held-back cases: step, seconds of training until then, retrieval."""
    options = [part for one in (*ONE_PRETEXT, *changes) for part in ("--set", one)]
    subprocess.run(
        ["rdfc", "pretrain", str(study), "--out", str(out), "--overwrite", *options], check=True
    )
    lines = (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    epochs: list[dict[str, Any]] = [json.loads(line) for line in lines]
    convergence = json.loads((out / "results.json").read_text())["run"]["convergence"]
    [told] = convergence.values()
    a_step = told["steps"] / len(epochs)
    seconds, found = 0.0, []
    for epoch in epochs:
        seconds += epoch["seconds"]
        measured = [
            value
            for key, value in epoch.items()
            if key.startswith("held_back.") and key.endswith(RETRIEVAL)
        ]
        if measured:
            found.append(
                {
                    "step": round(epoch["epoch"] * a_step),
                    "seconds": seconds,
                    "retrieval": sum(measured) / len(measured),
                    "loss": epoch["held_back.loss"],
                }
            )
    return found


def processor_seconds_a_step(study: Path, out: Path, changes: tuple[str, ...]) -> float:
    """What a step of training takes of the processor, the start left aside."""
    taken = []
    for steps in SHORT:
        budget = (f"pretrain.steps={steps}", f"pretrain.epochs={steps}")
        options = [p for one in (*ONE_PRETEXT, *changes, *budget) for p in ("--set", one)]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            ["rdfc", "pretrain", str(study), "--out", str(out), "--overwrite", *options], check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        taken.append(spent)
    return (taken[1] - taken[0]) / (SHORT[1] - SHORT[0])


def draw(courses: dict[str, list[dict[str, float]]], path: Path, what: str) -> None:
    """Retrieval over seconds of training, a line a course."""
    figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
    for (name, found), colour in zip(courses.items(), ("#9a9a9a", "#1f4e79"), strict=True):
        x, y = ([one[key] for one in found] for key in ("seconds", "retrieval"))
        axes.plot(x, y, color=colour, marker="o", markersize=3, label=name)
    axes.set_xlabel(what)
    axes.set_ylabel("held-back cases that find their partner")
    axes.set_ylim(0)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)


def main() -> None:
    """Run both and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--set", action="append", default=[], dest="changes")
    parser.add_argument("--processor", action="store_true")
    asked = parser.parse_args()
    given = tuple(asked.changes)
    changes = {"first version": (*given, *FIRST_VERSION), "now": given}
    record = asked.out / "convergence.json"
    if record.exists():
        courses = json.loads(record.read_text())
        print(f"{record} is there, and read")
    else:
        courses = {
            name: course(asked.study, asked.out / name.split()[0], own)
            for name, own in changes.items()
        }
        record.write_text(json.dumps(courses, indent=1))
    what = "seconds of training"
    if asked.processor:
        what = "processor seconds of training"
        for name, own in changes.items():
            a_step = processor_seconds_a_step(asked.study, asked.out / "short", own)
            print(f"{name}: {a_step:.3f} processor s a step")
            courses[name] = [{**one, "seconds": one["step"] * a_step} for one in courses[name]]
    draw(courses, asked.out / "convergence.svg", what)
    for name, found in courses.items():
        last = found[-1]
        print(
            f"{name}: {last['retrieval']:.3f} after {last['step']} steps, {last['seconds']:.0f} s"
        )
    end = courses["first version"][-1]
    reached = [one for one in courses["now"] if one["retrieval"] >= end["retrieval"]]
    if not reached:
        print("now: never where the first version ended")
        return
    ratio = end["seconds"] / reached[0]["seconds"]
    print(f"now: {reached[0]['retrieval']:.3f} after {reached[0]['seconds']:.0f} s, {ratio:.1f} ×")


if __name__ == "__main__":
    main()
