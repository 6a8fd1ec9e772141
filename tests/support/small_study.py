"""A small study of three views, and how tests run it. Light, so that a worker starts at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdfc_core.training.state import Task
from rdfc_core.utils.progress import Advance, Progress

if TYPE_CHECKING:
    from rdfc_core.config.resolve import ResolvedStudy
    from rdfc_core.distributed.launcher import ProcessGroupLauncher
    from rdfc_core.interfaces import Pretext
    from rdfc_core.plugin.run_loggers import RunLoggers
    from rdfc_core.results.schema import Results


SMALL_STUDY: dict[str, Any] = {
    "features": "outline",
    "encoder": "small-cnn",
    "views": {
        "radiomics": {"width": 16, "layers": 2, "dropout": 0.3},
        "image": {"size": [16, 16]},
        "greys": "greys",
    },
    "objective": "infonce:negatives=32",
    "pretext": {"width": 16},
    "pretrain": {
        "epochs": 6,
        "batch_size": 16,
        "optimizer": "sgd",
        "learning_rate": 0.003,
        "schedule": "constant",  # so that a run of fewer epochs begins like a longer one
        "warmup_epochs": 0,
        "warmup_steps": 0,
        "checkpoint_steps": 1,  # so that there is one after every epoch
        "precision": "32-true",  # so that tests say the same on every machine
    },
    # Steps follow from the epochs: a floor would make of every training hundreds of them. The
    # choice of a model has tests of its own, which ask for it.
    "evaluate": {
        "methods": [],
        "selection": {"enabled": False},
        "supervised": {"min_steps": 0, "head": "features", "finetune": "paper"},
    },
}
"""A study of three views that trains in a second; the data set is left open."""

QUICK = ("evaluate.bootstrap=200", "pretrain.epochs=3")
"""Overrides with which the small study runs from end to end in a second or two."""

TABLES = (
    *QUICK,
    "evaluate.controls=[]",
    "evaluate.classifiers=[logistic]",
    "evaluate.compare={simclr: {name: simclr, width: 8}, plain: {name: simclr, width: 4}}",
    "evaluate.methods=[radiomics,resnet-scratch,hybrid-scratch,hybrid-finetune]",
    "evaluate.inner_folds=2",
    "evaluate.supervised.epochs=2",
    "evaluate.supervised.sweep=[all,{name: slow, lr_scale: {image: 0.1}}]",
    "evaluate.label_fractions=[0.3,1.0]",
    "evaluate.label_seeds=2",
)
"""Overrides with which the small study fills all tables, in ten seconds or so."""


MOCO_STUDY: dict[str, Any] = {
    **{key: value for key, value in SMALL_STUDY.items() if key != "objective"},
    "pretext": {"name": "moco", "width": 16, "momentum": 0.9, "queue": "fifo:size=20"},
}
"""The same, by a task with teachers and queues; these are shorter than there are cases."""


def resolved(folder: Path, *overrides: str, base: Mapping[str, Any] = SMALL_STUDY) -> ResolvedStudy:
    """The small study, or another, on a folder of pictures."""
    from rdfc_core.config.load import load_study
    from rdfc_core.config.resolve import resolve
    from rdfc_core.plugin.registry import installed

    return resolve(
        load_study({**base, "dataset": f"manifest:root={folder}"}, overrides), installed()
    )


def tensorboard() -> RunLoggers:
    """What a run tells where nothing is said."""
    from rdfc_core.api.logger_choice import DEFAULT, LoggerChoice

    return LoggerChoice.of(DEFAULT).build()


def train(
    folder: Path,
    run: Path,
    overrides: Sequence[str] = (),
    told: Any = None,
    launcher: ProcessGroupLauncher | None = None,
    base: Mapping[str, Any] = SMALL_STUDY,
) -> Pretext:
    """Pretrain the small study on all cases of a folder; ``told`` gets each epoch's metrics."""
    from rdfc_core.data.readers.auto import AutoReader
    from rdfc_core.interfaces import LoggedRun
    from rdfc_core.models import model
    from rdfc_core.plugin.registry import installed
    from rdfc_core.training import pretrain
    from rdfc_core.training.metrics_log import PretrainPaths

    study = resolved(folder, *overrides, base=base)
    dataset = study.dataset.build(installed())
    cases = AutoReader.installed(installed()).given_to(dataset.cases())
    tumours = [case.load() for case in cases]
    views = {name: part.build(installed()) for name, part in study.views.items()}
    prepared = {name: [view.prepare(one) for one in tumours] for name, view in views.items()}
    for name, view in views.items():
        view.fit(prepared[name])
    fresh = model.fresh(study, installed(), views, len(cases), study.seed)
    loggers = tensorboard()
    loggers.begin(LoggedRun(run.name, run, run, study.dump(), "pretrain", False))
    with loggers.ending():
        pretrain.fit(
            Task(
                fresh.pretext,
                views,
                {name: view.collate(prepared[name]) for name, view in views.items()},
                study.pretrain,
                study.seed,
            ),
            PretrainPaths(run, "holdout"),
            epoch_ended=told.send if told else None,
            launcher=launcher,
            loggers=loggers,
        )
    return fresh.pretext


def run_study(
    folder: Path,
    run: Path,
    store: Path,
    overrides: Sequence[str] = (),
    told: Any = None,
    base: Mapping[str, Any] = SMALL_STUDY,
) -> Results:
    """The small study on a folder of pictures, from beginning to end, in this process.

    ``told`` gets a word for everything that is reported: stages, epochs.
    """
    from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
    from rdfc_core.extraction.store import Store
    from rdfc_core.pipeline import run as studies
    from rdfc_core.pipeline.context import RunContext
    from rdfc_core.plugin.registry import installed

    context = RunContext(
        installed(),
        Store(store),
        LocalExecutor(LocalExecutorConfig(workers=0)),
        Told(told) if told else Progress(),
        loggers=tensorboard(),
    )
    with context.loggers.ending():
        return studies.run(resolved(folder, *overrides, base=base), run, context)


def lasting(run: Path) -> dict[str, Any]:
    """The results without what differs from run to run: when it was, and how long it took."""
    found = json.loads((run / "results.json").read_text(encoding="utf-8"))
    return {
        **found,
        "run": {k: v for k, v in found["run"].items() if k not in ("seconds", "started", "bytes")},
    }


class Counted(Progress):
    """Remembers how far each task came."""

    def __init__(self) -> None:
        self.totals: dict[str, tuple[int, int]] = {}

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Advance]:
        self.totals[title] = (0, total)

        def advance(steps: int = 1, note: str = "", total: int | None = None) -> None:
            done, whole = self.totals[title]
            self.totals[title] = (done + steps, total or whole)

        yield advance


class Told(Progress):
    """Sends the title of a task at its beginning and at every step."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Advance]:
        self.connection.send(title)

        def advance(steps: int = 1, note: str = "", total: int | None = None) -> None:
            self.connection.send(title)

        yield advance
