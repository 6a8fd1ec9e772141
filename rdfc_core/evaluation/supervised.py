"""Table 2 and Figure 2: methods that labels train, on a split, at shares of its labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.errors import StudyError
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.linear_probe import Variant
from rdfc_core.evaluation.trial_runner import TrialRunner
from rdfc_core.evaluation.trials import beside, planned, tables
from rdfc_core.evaluation.view_roles import handcrafted, of_columns, pictured
from rdfc_core.interfaces import View
from rdfc_core.models.layer_groups import plan
from rdfc_core.results.vocabulary import (
    BLOCK_METHODS,
    COLUMN_METHODS,
    COLUMNS_LOGISTIC,
    COLUMNS_RIDGE,
    FEATURES_AND_COLUMNS,
    HYBRID_FINETUNE,
    IMAGE_AND_RADIOMICS,
    PROBE,
    RADIOMICS,
    RESNET_SCRATCH,
)


def judge(runner: TrialRunner) -> Iterator[tuple[Variant, Prediction]]:
    """Every trial that the settings ask for; those that an earlier run did are read, not repeated.

    Args:
        runner: Of the split.
    """
    setup = runner.setup
    data = setup.data
    runner.train_ahead()
    evaluators, controls = (setup.own.study.named(role) for role in ("method", "control"))
    own = planned(data.settings, setup.candidates(), evaluators, controls)
    for trial in beside(data.settings) if setup.compared else own:
        said = runner.said(trial)
        rows = data.labelled(trial.label_fraction, data.seed + trial.seed)
        prediction = data.prediction(said.probabilities, trial.seed, rows)
        for table in tables(trial, data.settings, evaluators, controls):
            variant = setup.variant(trial, table)
            yield variant, prediction
            if said.temperature is not None:
                scaled = data.task.output.tempered(said.probabilities, said.temperature)
                yield variant.scaled(), data.prediction(scaled, trial.seed, rows)


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
        neither = handcrafted(views) is None and pictured(towers) is None
        if method in COLUMN_METHODS and not of_columns(views):
            missing = "a view of columns (such as table)"
        elif method in (COLUMNS_LOGISTIC, COLUMNS_RIDGE):
            continue
        elif method == FEATURES_AND_COLUMNS:
            missing = "a view of handcrafted features or an image view" if neither else ""
        elif method in (RADIOMICS, *BLOCK_METHODS) and handcrafted(views) is None:
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
