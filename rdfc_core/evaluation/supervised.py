"""Table 2 and Figure 2: methods that labels train, on a split, at shares of its labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from rdfc_core.config.settings import AnyPrecision, EvaluateSettings
from rdfc_core.errors import StudyError
from rdfc_core.evaluation import finetuning, members
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.calibration import tempered
from rdfc_core.evaluation.classifiers import (
    Features,
    LinearModel,
    Logistic,
    classifier,
    linear_model,
)
from rdfc_core.evaluation.conventional_radiomics import ConventionalRadiomics
from rdfc_core.evaluation.feature_blocks import IMAGE, RADIOMICS, Blocks
from rdfc_core.evaluation.layer_groups import plan
from rdfc_core.evaluation.learning import Learner, Rows, Taught, run_of
from rdfc_core.evaluation.linear_probe import Bench, Entry, main_classifier, together
from rdfc_core.evaluation.measured_features import MeasuredFeatures
from rdfc_core.evaluation.members import Member, NetworkMember
from rdfc_core.evaluation.trial_runner import TrialRunner
from rdfc_core.evaluation.trial_store import Stages
from rdfc_core.evaluation.trials import (
    LOGISTIC,
    PROBE,
    SELECTED,
    Trial,
    beside,
    c_name,
    logistic_name,
    planned,
    tables,
)
from rdfc_core.interfaces import Tower, View
from rdfc_core.utils.progress import Advance, Progress
from rdfc_core.views.feature_view import FeatureView

NOTHING = np.zeros(0, np.float32)


@dataclass(frozen=True)
class Arena:
    """All that the methods are made of, for the cases of a split.

    Args:
        bench: The labelled cases and the settings.
        origin: Where networks begin.
        cases: View name → (N, …), the bench's cases as collated.
        measured: (N, F) handcrafted features; without columns where the study has no such view.
        blocks: The same standardised, and the learnt features of the image at equal weight.
        learnt: View name → (N, F), the pretext's features of unit length.
        pretext: How tables call the study's pretext.
        precision: Number format of the networks' forward pass.
        compared: Whether the pretext is one that is compared with the study's own: only methods
            that begin from it are tried, and their rows are called after it.
    """

    bench: Bench
    origin: finetuning.Origin
    cases: Mapping[str, Tensor]
    measured: MeasuredFeatures
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
        if trial.method == SELECTED:
            named = (SELECTED, "", "", "")
        elif trial.method == PROBE:
            chosen = main_classifier(self.bench.settings)
            named = (self.pretext, together(list(self.learnt)), "features", chosen)
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
                f"evaluate: {trial.method} needs learnt features of the {missing[0]}, and the "
                "pretext trains none. Leave it out of methods and selection.candidates."
            )
        blocks = {name: self.blocks[name] for name in names}

        def learn(rows: Rows) -> Taught:
            probe = Logistic(settings, c, standardise=False)
            taught = {name: block[run_of(rows)] for name, block in blocks.items()}
            probe.fit(taught, self.bench.truth[rows], self.bench.classes)
            advance(1)
            return Taught(
                lambda asked: probe.predict({n: b[run_of(asked)] for n, b in blocks.items()}),
                lambda: self._of_blocks(probe.model),
            )

        return learn

    def _of_blocks(self, model: LinearModel) -> Member:
        views = self.origin.views
        image = image_view(views) if IMAGE in model.views else ""
        train = len(self.bench.split.train)
        learnt = self.learnt[image][:train] if image else np.zeros((train, 0), np.float32)
        width = self.measured.shape[1]
        return members.of_blocks(model, handcrafted(views) or "", image, learnt, width)

    def _radiomics(self, seed: int, advance: Advance) -> Learner:
        settings = self.bench.settings
        patients = np.array([case.patient_id for case in self.bench.cases])

        def learn(rows: Rows) -> Taught:
            balanced = settings.class_weight == "balanced"
            method = ConventionalRadiomics(self.bench.classes, balanced, settings.inner_folds, seed)
            method.fit(self.measured[rows], self.bench.truth[rows], patients[rows].tolist())
            advance(1)
            return Taught(
                lambda asked: method.predict(self.measured[asked]),
                lambda: members.of_pipeline(method, handcrafted(self.origin.views) or ""),
            )

        return learn

    def _probe(self, seed: int, advance: Advance) -> Learner:
        settings = self.bench.settings

        def learn(rows: Rows) -> Taught:
            probe = classifier(main_classifier(settings), settings, seed, "features")
            taught = {name: one[rows] for name, one in self.learnt.items()}
            probe.fit(taught, self.bench.truth[rows], self.bench.classes)
            advance(1)
            widths = [one.shape[1] for one in taught.values()]
            return Taught(
                lambda asked: probe.predict({n: one[asked] for n, one in self.learnt.items()}),
                lambda: members.of_probe(linear_model(probe), widths),
            )

        return learn

    def _network(self, trial: Trial, seed: int, advance: Advance) -> Learner:
        settings = self.bench.settings
        supervised = settings.supervised
        names = self._views(trial.method)

        def learn(rows: Rows) -> Taught:
            chosen = None
            if trial.tuning:
                towers = {name: view.blank_tower() for name, view in self.origin.views.items()}
                tunings = (supervised.finetune, *supervised.sweep)
                tuning = next(one for one in tunings if one.name == trial.tuning)
                chosen = plan(tuning, towers)
            net = self.origin.network(names, supervised, seed, chosen)
            finetuning.fit(
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
            return Taught(
                lambda asked: finetuning.predict(net, {n: self.cases[n][asked] for n in net.views}),
                lambda: NetworkMember(net, self.origin.trained),
            )

        return learn

    def candidates(self) -> tuple[str, ...]:
        """The methods that a choice of the user's model is among; none of a compared pretext."""
        settings = self.bench.settings
        if self.compared:
            return ()
        chosen = settings.selection.candidates
        if chosen is not None or not settings.selection.enabled:
            return chosen or ()
        there = {"probe": True, "radiomics-logistic": self.blocks.get(RADIOMICS, NOTHING).size}
        there["image-and-radiomics"] = there["radiomics-logistic"] and IMAGE in self.blocks
        named = [name for name in ("radiomics", "hybrid-finetune") if name in settings.methods]
        return (*(name for name, usable in there.items() if usable), *named)


def judge(arena: Arena, stages: Stages, progress: Progress) -> Iterator[tuple[Entry, Prediction]]:
    """Every trial that the settings ask for; those that an earlier run did are read, not repeated.

    Args:
        arena: The split's cases and where the methods begin.
        stages: Keeps what each trial said.
        progress: Told of every training.
    """
    bench = arena.bench
    runner = TrialRunner(arena, stages, progress)
    own = planned(bench.settings, arena.candidates())
    for trial in beside(bench.settings) if arena.compared else own:
        said = runner.said(trial)
        rows = bench.labelled(trial.label_fraction, bench.seed + trial.seed)
        prediction = bench.prediction(said.probabilities, trial.seed, rows)
        for table in tables(trial, bench.settings):
            entry = arena.entry(trial, table)
            yield entry, prediction
            if said.temperature is not None:
                scaled = tempered(said.probabilities, said.temperature)
                yield entry.scaled(), bench.prediction(scaled, trial.seed, rows)


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
    chosen = settings.selection
    if chosen.enabled and chosen.candidates:
        methods = [*methods, *(c for c in chosen.candidates if c != PROBE and c not in methods)]
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
                f"evaluate.{'methods' if method in settings.methods else 'selection.candidates'}: "
                f"{method} needs {missing}, and {named}. Add one, or leave the method out."
            )
    if "hybrid-finetune" in methods:
        for tuning in (settings.supervised.finetune, *settings.supervised.sweep):
            plan(tuning, towers)
