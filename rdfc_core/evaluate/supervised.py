"""Table 2 and Figure 2: methods that labels train, on a split, at shares of its labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from rdfc_core.errors import StudyError
from rdfc_core.evaluate import network
from rdfc_core.evaluate.blocks import IMAGE, RADIOMICS, Blocks
from rdfc_core.evaluate.conventional import ConventionalRadiomics
from rdfc_core.evaluate.groups import plan
from rdfc_core.evaluate.inner import inner_folds, out_of_fold, temperature_of, tempered
from rdfc_core.evaluate.linear import Bench, Entry, main_classifier, together
from rdfc_core.evaluate.probe import Features, Logistic, classifier
from rdfc_core.evaluate.stages import Said, Stages
from rdfc_core.evaluate.statistics import Prediction
from rdfc_core.evaluate.trials import (
    LOGISTIC,
    PROBE,
    Trial,
    c_name,
    judged,
    logistic_name,
    planned,
    tables,
)
from rdfc_core.feature_view import FeatureView
from rdfc_core.interfaces import Tower, View
from rdfc_core.progress import Advance, Progress
from rdfc_core.settings import AnyPrecision, EvaluateSettings

Rows = NDArray[np.int64]
"""Places among the cases of a `Bench`."""

Learner = Callable[[Rows], Callable[[Rows], NDArray[np.float64]]]
"""Trains on the rows it is given, and on no other; gives what it says of any rows, (n, C)."""


@dataclass(frozen=True)
class Arena:
    """All that the methods are made of, for the cases of a split.

    Args:
        bench: The labelled cases and the settings.
        origin: Where networks begin.
        cases: View name → (N, …), the bench's cases as collated.
        measured: (N, F) handcrafted features as they were measured, NaN where one is missing;
            without columns where the study has no such view.
        blocks: The same standardised, and the learnt features of the image at equal weight.
        learnt: View name → (N, F), the pretext's features of unit length.
        pretext: How tables call the study's pretext.
        precision: Number format of the networks' forward pass.
        compared: Whether the pretext is one that is compared with the study's own: only methods
            that begin from it are tried, and their rows are called after it.
    """

    bench: Bench
    origin: network.Origin
    cases: Mapping[str, Tensor]
    measured: NDArray[np.float64]
    blocks: Blocks
    learnt: Features
    pretext: str
    precision: AnyPrecision
    compared: bool = False

    @property
    def stage(self) -> str:
        """Under what name stages keep its trials."""
        split = self.bench.split.name
        return f"{split}.{self.pretext}" if self.compared else split

    def learner(self, trial: Trial, seed: int, advance: Advance) -> Learner:
        """The trial's method, from rows to what it says."""
        if trial.method == PROBE:
            return self._probe(seed, advance)
        if trial.method == "radiomics":
            return self._radiomics(seed, advance)
        if trial.method in LOGISTIC:
            return self._logistic(trial, advance)
        return self._network(trial, seed, advance)

    def entry(self, trial: Trial, table: str) -> Entry:
        """How a table calls the trial."""
        views = list(self.origin.views)
        if trial.method == PROBE:
            taught = list(self.learnt)
            chosen = main_classifier(self.bench.settings)
            named = (self.pretext, together(taught), "features", chosen)
        elif trial.method == "radiomics":
            named = ("radiomics", handcrafted(self.origin.views) or "", "raw", "svm")
        elif trial.method in LOGISTIC:
            seen = handcrafted(self.origin.views) or ""
            if trial.method == "image-and-radiomics":
                seen = f"{image_view(self.origin.views)}+{seen}"
            named = (trial.method, seen, "raw", logistic_name(trial.tuning))
        else:
            names = self._views(trial.method)
            seen = trial.tuning or (together(names) if len(names) == len(views) else names[0])
            method = f"{self.pretext}-finetune" if self.compared else trial.method
            named = (method, seen, self.bench.settings.supervised.head, "head")
        return Entry(table, *named, label_fraction=trial.label_fraction)

    def _views(self, method: str) -> list[str]:
        views = self.origin.views
        return [image_view(views)] if method == "resnet-scratch" else list(views)

    def _logistic(self, trial: Trial, advance: Advance) -> Learner:
        """Logistic regression on handcrafted features; learnt ones of the image beside them."""
        settings = self.bench.settings
        c = next(c for c in settings.radiomics_c if c_name(c) == trial.tuning)
        names = [IMAGE, RADIOMICS] if trial.method == "image-and-radiomics" else [RADIOMICS]
        if missing := [name for name in names if name not in self.blocks]:
            raise StudyError(
                f"evaluate.methods: {trial.method} needs learnt features of the {missing[0]}, and "
                "the pretext trains none. Leave the method out."
            )
        blocks = {name: self.blocks[name] for name in names}

        def learn(rows: Rows) -> Callable[[Rows], NDArray[np.float64]]:
            probe = Logistic(settings, c, standardise=False)
            taught = {name: block[rows] for name, block in blocks.items()}
            probe.fit(taught, self.bench.truth[rows], self.bench.classes)
            advance(1)
            return lambda asked: probe.predict({n: block[asked] for n, block in blocks.items()})

        return learn

    def _radiomics(self, seed: int, advance: Advance) -> Learner:
        settings = self.bench.settings
        patients = np.array([case.patient_id for case in self.bench.cases])

        def learn(rows: Rows) -> Callable[[Rows], NDArray[np.float64]]:
            balanced = settings.class_weight == "balanced"
            method = ConventionalRadiomics(self.bench.classes, balanced, settings.inner_folds, seed)
            method.fit(self.measured[rows], self.bench.truth[rows], patients[rows].tolist())
            advance(1)
            return lambda asked: method.predict(self.measured[asked])

        return learn

    def _probe(self, seed: int, advance: Advance) -> Learner:
        settings = self.bench.settings

        def learn(rows: Rows) -> Callable[[Rows], NDArray[np.float64]]:
            probe = classifier(main_classifier(settings), settings, seed, "features")
            taught = {name: one[rows] for name, one in self.learnt.items()}
            probe.fit(taught, self.bench.truth[rows], self.bench.classes)
            advance(1)
            return lambda asked: probe.predict({n: one[asked] for n, one in self.learnt.items()})

        return learn

    def _network(self, trial: Trial, seed: int, advance: Advance) -> Learner:
        settings = self.bench.settings
        supervised = settings.supervised
        names = self._views(trial.method)

        def learn(rows: Rows) -> Callable[[Rows], NDArray[np.float64]]:
            chosen = None
            if trial.tuning:
                towers = {name: view.blank_tower() for name, view in self.origin.views.items()}
                tunings = (supervised.finetune, *supervised.sweep)
                tuning = next(one for one in tunings if one.name == trial.tuning)
                chosen = plan(tuning, towers)
            net = self.origin.network(names, supervised, seed, chosen)
            network.fit(
                net,
                self.origin.views,
                {name: self.cases[name][rows] for name in net.views},
                self.bench.truth[rows],
                supervised,
                self.precision,
                settings.class_weight == "balanced",
                seed,
                chosen,
                Logistic(settings) if chosen and chosen.probed else None,
                advance,
            )
            return lambda asked: network.predict(
                net, {name: self.cases[name][asked] for name in net.views}
            )

        return learn


def judge(arena: Arena, stages: Stages, progress: Progress) -> Iterator[tuple[Entry, Prediction]]:
    """Every trial that the settings ask for; those that an earlier run did are read, not repeated.

    Args:
        arena: The split's cases and where the methods begin.
        stages: Keeps what each trial said.
        progress: Told of every training.
    """
    bench = arena.bench
    tested = bench.cases[len(bench.split.train) :]
    case_ids = tuple(case.case_id for case in tested)
    for trial in planned(bench.settings, arena.compared):
        said = stages.read(arena.stage, trial, case_ids)
        if said is None:
            said = _try(arena, trial, progress)
            stages.write(arena.stage, trial, case_ids, said)
        rows = bench.labelled(trial.label_fraction, bench.seed + trial.seed)
        prediction = bench.prediction(said.probabilities, trial.seed, rows)
        for table in tables(trial, bench.settings):
            entry = arena.entry(trial, table)
            yield entry, prediction
            if said.temperature is not None:
                scaled = tempered(said.probabilities, said.temperature)
                yield entry.scaled(), bench.prediction(scaled, trial.seed, rows)


def _try(arena: Arena, trial: Trial, progress: Progress) -> Said:
    """Train the method on its share of the labels; what it says of the test part."""
    bench = arena.bench
    train = len(bench.split.train)
    seed = bench.seed + trial.seed
    rows = bench.labelled(trial.label_fraction, seed)
    folds = []
    if bench.settings.temperature_scaling and judged(trial, bench.settings):
        patients = [bench.cases[row].patient_id for row in rows]
        folds = inner_folds(bench.truth[rows], patients, bench.settings.inner_folds, seed)
    parts = 1 if trial.method in ("radiomics", PROBE, *LOGISTIC) else network.PARTS
    title = f"Training {trial.name} ({arena.stage})"
    with progress.task(title, parts * (1 + len(folds))) as advance:
        learner = arena.learner(trial, seed, advance)
        probabilities = learner(rows)(np.arange(train, len(bench.cases)))
        if not folds:
            return Said(probabilities)
        held, said = out_of_fold(lambda places: _on(learner, rows, places), folds)
        return Said(probabilities, temperature_of(_logarithm(said), bench.truth[rows[held]]))


def _on(
    learner: Learner, rows: Rows, places: NDArray[np.int64]
) -> Callable[[NDArray[np.int64]], NDArray[np.float64]]:
    said = learner(rows[places])
    return lambda asked: said(rows[asked])


def _logarithm(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))


def handcrafted(views: Mapping[str, View]) -> str | None:
    """The view whose features conventional radiomics takes: the first of its kind."""
    return next((n for n, view in views.items() if isinstance(view, FeatureView)), None)


def image_view(views: Mapping[str, View]) -> str:
    """The name of the view that is trained alone, or "" if there is none."""
    return pictured({name: view.blank_tower() for name, view in views.items()}) or ""


def pictured(towers: Mapping[str, Tower]) -> str | None:
    """The view that is trained alone: the one called ``image``, or the first with pictures."""
    found = [name for name, tower in towers.items() if tower.picture_shape]
    return "image" if "image" in found else next(iter(found), None)


def check(settings: EvaluateSettings, views: Mapping[str, View]) -> None:
    """Refuse, before hours of training, what could not be judged after them.

    Args:
        settings: Methods, and settings of fine-tuning.
        views: View name → the fitted view.

    Raises:
        StudyError: If a method needs a view that there is not, or a group of layers is unknown.
    """
    methods: Sequence[str] = settings.methods
    if not methods:
        return
    towers = {name: view.blank_tower() for name, view in views.items()}
    named = f"the study has {', '.join(views)}"
    for method in methods:
        missing = ""
        if method in ("radiomics", *LOGISTIC) and handcrafted(views) is None:
            missing = "a view of handcrafted features"
        elif method in ("resnet-scratch", "image-and-radiomics") and pictured(towers) is None:
            missing = "an image view"
        if missing:
            raise StudyError(
                f"evaluate.methods: {method} needs {missing}, and {named}. Add one, or leave the "
                "method out."
            )
    if "hybrid-finetune" in methods:
        for tuning in (settings.supervised.finetune, *settings.supervised.sweep):
            plan(tuning, towers)
