"""Table 2 and Figure 2: methods that labels train, on a split, at shares of its labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from rdfc_core.config.settings import AnyPrecision, EvaluateSettings
from rdfc_core.errors import StudyError
from rdfc_core.evaluation import feature_blocks, finetuning, members
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.calibration import tempered
from rdfc_core.evaluation.classifiers import (
    FeatureTables,
    LinearModel,
    LogisticProbe,
    classifier,
    linear_model,
)
from rdfc_core.evaluation.conventional_radiomics import ConventionalRadiomics
from rdfc_core.evaluation.feature_blocks import Blocks
from rdfc_core.evaluation.layer_groups import plan
from rdfc_core.evaluation.learning import Learner, Rows, Taught
from rdfc_core.evaluation.linear_probe import LabelledSplit, Variant, main_classifier, together
from rdfc_core.evaluation.members import Member, NetworkMember
from rdfc_core.evaluation.trial_runner import TrialRunner
from rdfc_core.evaluation.trials import (
    Trial,
    beside,
    c_name,
    logistic_name,
    planned,
    tables,
)
from rdfc_core.interfaces import Tower, View
from rdfc_core.results.vocabulary import (
    FEATURES,
    FINETUNED_SUFFIX,
    HEAD,
    HYBRID_FINETUNE,
    IMAGE_AND_RADIOMICS,
    LOGISTIC_METHODS,
    PROBE,
    RADIOMICS,
    RADIOMICS_LOGISTIC,
    RAW,
    RESNET_SCRATCH,
    SELECTED,
    SVM,
)
from rdfc_core.utils.progress import Advance
from rdfc_core.views.feature_view import FeatureView

NOTHING = np.zeros(0, np.float32)


@dataclass(frozen=True)
class SupervisedSetup:
    """All that the methods are made of, for the cases of a split.

    Args:
        data: The labelled cases and the settings.
        initialisation: Where networks begin.
        cases: View name → (N, …), the split's labelled cases as collated.
        measured: (N, F) handcrafted features as they were measured, NaN where one is missing;
            without columns where the study has no such view.
        blocks: The same standardised, and the learnt features of the image at equal weight.
        learnt: View name → (N, F), the pretext's features of unit length.
        pretext: How tables call the study's pretext.
        precision: Number format of the networks' forward pass.
        compared: Whether the pretext is one that is compared with the study's own: only methods
            that begin from it are tried, and their rows are called after it.
    """

    data: LabelledSplit
    initialisation: finetuning.Initialisation
    cases: Mapping[str, Tensor]
    measured: NDArray[np.float64]
    blocks: Blocks
    learnt: FeatureTables
    pretext: str
    precision: AnyPrecision
    compared: bool = False

    @property
    def folder_name(self) -> str:
        """The folder in which its trials are kept."""
        split = self.data.split.name
        return f"{split}.{self.pretext}" if self.compared else split

    def learner(self, trial: Trial, seed: int, advance: Advance) -> Learner:
        """The trial's method, from rows to what it says."""
        if trial.method == PROBE:
            return self._probe(seed, advance)
        if trial.method == RADIOMICS:
            return self._radiomics(seed, advance)
        if trial.method in LOGISTIC_METHODS:
            return self._logistic(trial, advance)
        return self._network(trial, seed, advance)

    def variant(self, trial: Trial, table: str) -> Variant:
        """How a table calls the trial."""
        views = list(self.initialisation.views)
        if trial.method == SELECTED:
            named = (SELECTED, "", "", "")
        elif trial.method == PROBE:
            taught = list(self.learnt)
            chosen = main_classifier(self.data.settings)
            named = (self.pretext, together(taught), FEATURES, chosen)
        elif trial.method == RADIOMICS:
            named = (RADIOMICS, handcrafted(self.initialisation.views) or "", RAW, SVM)
        elif trial.method in LOGISTIC_METHODS:
            seen = handcrafted(self.initialisation.views) or ""
            if trial.method == IMAGE_AND_RADIOMICS:
                seen = f"{image_view(self.initialisation.views)}+{seen}"
            named = (trial.method, seen, RAW, logistic_name(trial.tuning))
        else:
            names = self._views(trial.method)
            seen = trial.tuning or (together(names) if len(names) == len(views) else names[0])
            method = f"{self.pretext}{FINETUNED_SUFFIX}" if self.compared else trial.method
            named = (method, seen, self.data.settings.supervised.head, HEAD)
        return Variant(table, *named, label_fraction=trial.label_fraction)

    def _views(self, method: str) -> list[str]:
        views = self.initialisation.views
        return [image_view(views)] if method == RESNET_SCRATCH else list(views)

    def _logistic(self, trial: Trial, advance: Advance) -> Learner:
        """Logistic regression on handcrafted features; learnt ones of the image beside them."""
        settings = self.data.settings
        c = next(c for c in settings.radiomics_c if c_name(c) == trial.tuning)
        names = (
            [feature_blocks.IMAGE, feature_blocks.RADIOMICS]
            if trial.method == IMAGE_AND_RADIOMICS
            else [feature_blocks.RADIOMICS]
        )
        if missing := [name for name in names if name not in self.blocks]:
            raise StudyError(
                f"evaluate: {trial.method} needs learnt features of the {missing[0]}, and the "
                "pretext trains none. Leave it out of methods and selection.candidates."
            )
        blocks = {name: self.blocks[name] for name in names}

        def learn(rows: Rows) -> Taught:
            probe = LogisticProbe(settings, c, standardise=False)
            taught = {name: block[rows] for name, block in blocks.items()}
            probe.fit(taught, self.data.truth[rows], self.data.classes)
            advance(1)
            return Taught(
                lambda asked: probe.predict({n: block[asked] for n, block in blocks.items()}),
                lambda: self._of_blocks(probe.model),
            )

        return learn

    def _of_blocks(self, model: LinearModel) -> Member:
        views = self.initialisation.views
        image = image_view(views) if feature_blocks.IMAGE in model.views else ""
        train = len(self.data.split.train)
        learnt = self.learnt[image][:train] if image else np.zeros((train, 0), np.float32)
        width = self.measured.shape[1]
        return members.of_blocks(model, handcrafted(views) or "", image, learnt, width)

    def _radiomics(self, seed: int, advance: Advance) -> Learner:
        settings = self.data.settings
        patients = np.array([case.patient_id for case in self.data.cases])

        def learn(rows: Rows) -> Taught:
            balanced = settings.class_weight == "balanced"
            method = ConventionalRadiomics(self.data.classes, balanced, settings.inner_folds, seed)
            method.fit(self.measured[rows], self.data.truth[rows], patients[rows].tolist())
            advance(1)
            return Taught(
                lambda asked: method.predict(self.measured[asked]),
                lambda: members.of_pipeline(method, handcrafted(self.initialisation.views) or ""),
            )

        return learn

    def _probe(self, seed: int, advance: Advance) -> Learner:
        settings = self.data.settings

        def learn(rows: Rows) -> Taught:
            probe = classifier(main_classifier(settings), settings, seed, FEATURES)
            taught = {name: one[rows] for name, one in self.learnt.items()}
            probe.fit(taught, self.data.truth[rows], self.data.classes)
            advance(1)
            widths = [one.shape[1] for one in taught.values()]
            return Taught(
                lambda asked: probe.predict({n: one[asked] for n, one in self.learnt.items()}),
                lambda: members.of_probe(linear_model(probe), widths),
            )

        return learn

    def _network(self, trial: Trial, seed: int, advance: Advance) -> Learner:
        settings = self.data.settings
        supervised = settings.supervised
        names = self._views(trial.method)

        def learn(rows: Rows) -> Taught:
            chosen = None
            if trial.tuning:
                towers = {
                    name: view.blank_tower() for name, view in self.initialisation.views.items()
                }
                tunings = (supervised.finetune, *supervised.sweep)
                tuning = next(one for one in tunings if one.name == trial.tuning)
                chosen = plan(tuning, towers)
            net = self.initialisation.network(names, supervised, seed, chosen)
            finetuning.fit(
                net,
                self.initialisation.views,
                {name: self.cases[name][rows] for name in net.views},
                self.data.truth[rows],
                supervised,
                self.precision,
                settings.class_weight == "balanced",
                seed,
                chosen,
                LogisticProbe(settings) if chosen and chosen.probed else None,
                advance,
            )
            return Taught(
                lambda asked: finetuning.predict(net, {n: self.cases[n][asked] for n in net.views}),
                lambda: NetworkMember(net, self.initialisation.trained),
            )

        return learn

    def candidates(self) -> tuple[str, ...]:
        """The methods that a choice of the user's model is among; none of a compared pretext."""
        settings = self.data.settings
        if self.compared:
            return ()
        chosen = settings.selection.candidates
        if chosen is not None or not settings.selection.enabled:
            return chosen or ()
        there = {
            PROBE: True,
            RADIOMICS_LOGISTIC: self.blocks.get(feature_blocks.RADIOMICS, NOTHING).size,
        }
        there[IMAGE_AND_RADIOMICS] = (
            there[RADIOMICS_LOGISTIC] and feature_blocks.IMAGE in self.blocks
        )
        named = [name for name in (RADIOMICS, HYBRID_FINETUNE) if name in settings.methods]
        return (*(name for name, usable in there.items() if usable), *named)


def judge(runner: TrialRunner) -> Iterator[tuple[Variant, Prediction]]:
    """Every trial that the settings ask for; those that an earlier run did are read, not repeated.

    Args:
        runner: Of the split.
    """
    setup = runner.setup
    data = setup.data
    own = planned(data.settings, setup.candidates())
    for trial in beside(data.settings) if setup.compared else own:
        said = runner.said(trial)
        rows = data.labelled(trial.label_fraction, data.seed + trial.seed)
        prediction = data.prediction(said.probabilities, trial.seed, rows)
        for table in tables(trial, data.settings):
            variant = setup.variant(trial, table)
            yield variant, prediction
            if said.temperature is not None:
                scaled = tempered(said.probabilities, said.temperature)
                yield variant.scaled(), data.prediction(scaled, trial.seed, rows)


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
        if method in (RADIOMICS, *LOGISTIC_METHODS) and handcrafted(views) is None:
            missing = "a view of handcrafted features"
        elif method in (RESNET_SCRATCH, IMAGE_AND_RADIOMICS) and pictured(towers) is None:
            missing = "an image view"
        if missing:
            raise StudyError(
                f"evaluate.{'methods' if method in settings.methods else 'selection.candidates'}: "
                f"{method} needs {missing}, and {named}. Add one, or leave the method out."
            )
    if HYBRID_FINETUNE in methods:
        for tuning in (settings.supervised.finetune, *settings.supervised.sweep):
            plan(tuning, towers)
