"""What the methods that labels train are made of, on a split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rdfc_core.config.training_settings import AnyPrecision
from rdfc_core.evaluation import feature_blocks
from rdfc_core.evaluation.evaluators import OwnMethods
from rdfc_core.evaluation.feature_blocks import COLUMNS, IMAGE, Blocks
from rdfc_core.evaluation.linear_probe import LabelledSplit, Variant, main_classifier, together
from rdfc_core.evaluation.trials import Trial, on_blocks_name
from rdfc_core.evaluation.view_roles import handcrafted, image_view
from rdfc_core.interfaces.collated import Collated
from rdfc_core.models.initialisation import Initialisation
from rdfc_core.models.linear_model import FeatureTables
from rdfc_core.results.vocabulary import (
    BLOCK_METHODS,
    COLUMNS_LOGISTIC,
    COLUMNS_RIDGE,
    FEATURES,
    FEATURES_AND_COLUMNS,
    FINETUNED_SUFFIX,
    HEAD,
    HYBRID_FINETUNE,
    IMAGE_AND_RADIOMICS,
    PROBE,
    RADIOMICS,
    RAW,
    RESNET_SCRATCH,
    SELECTED,
    fits,
)
from rdfc_core.views.measured_features import MeasuredFeatures


@dataclass(frozen=True)
class SupervisedSetup:
    """All that the methods are made of, for the cases of a split.

    Args:
        data: The labelled cases and the settings.
        initialisation: Where networks begin.
        cases: View name → (N, …), the split's labelled cases as collated.
        measured: (N, F) handcrafted features; without columns where the study has no such view.
        blocks: The same standardised, the learnt features of the image and columns of the data
            set, at equal weight.
        learnt: View name → (N, F), the pretext's features of unit length.
        pretext: How tables call the study's pretext.
        precision: Number format of the networks' forward pass.
        own: The evaluators that the study names, and what they may look at.
        compared: Whether the pretext is one that is compared with the study's own: only methods
            that begin from it are tried, and their rows are called after it.
    """

    data: LabelledSplit
    initialisation: Initialisation
    cases: Mapping[str, Collated]
    measured: MeasuredFeatures
    blocks: Blocks
    learnt: FeatureTables
    pretext: str
    precision: AnyPrecision
    own: OwnMethods
    compared: bool = False

    @property
    def folder_name(self) -> str:
        """The folder in which its trials are kept."""
        split = self.data.split.name
        return f"{split}.{self.pretext}" if self.compared else split

    def variant(self, trial: Trial, table: str) -> Variant:
        """How a table calls the trial."""
        views = list(self.initialisation.views)
        if trial.method == SELECTED:
            named = (SELECTED, "", "", "")
        elif trial.method in self.own.study:
            seen, layer, component = self.own.study.described(
                trial.method, self.initialisation.views, self.learnt
            )
            named = (trial.method, seen, layer, component)
        elif trial.method == PROBE:
            taught = list(self.learnt)
            chosen = main_classifier(self.data.settings)
            named = (self.pretext, together(taught), FEATURES, chosen)
        elif trial.method == RADIOMICS:
            chosen = self.data.task.svm
            named = (RADIOMICS, handcrafted(self.initialisation.views) or "", RAW, chosen)
        elif trial.method in BLOCK_METHODS:
            blocks = (self.blocks[name] for name in self.blocks_of(trial.method))
            seen = "+".join(source.partition(".")[2] for one in blocks for source in one.sources)
            chosen = on_blocks_name(trial.tuning, self.data.settings)
            named = (trial.method, seen, RAW, chosen)
        else:
            names = self.views_of(trial.method)
            seen = trial.tuning or (together(names) if len(names) == len(views) else names[0])
            method = f"{self.pretext}{FINETUNED_SUFFIX}" if self.compared else trial.method
            named = (method, seen, self.data.settings.supervised.head, HEAD)
        return Variant(table, *named, label_fraction=trial.label_fraction)

    def views_of(self, method: str) -> list[str]:
        """The views that a network takes."""
        views = self.initialisation.views
        return [image_view(views)] if method == RESNET_SCRATCH else list(views)

    def blocks_of(self, method: str) -> list[str]:
        """The blocks that a linear model stands on, in the order of its columns."""
        if method == FEATURES_AND_COLUMNS:
            there = [name for name in (IMAGE, feature_blocks.RADIOMICS) if name in self.blocks]
            return [*(there or [feature_blocks.RADIOMICS]), COLUMNS]
        if method in (COLUMNS_LOGISTIC, COLUMNS_RIDGE):
            return [COLUMNS]
        beside = [IMAGE] if method == IMAGE_AND_RADIOMICS else []
        return [*beside, feature_blocks.RADIOMICS]

    def candidates(self) -> tuple[str, ...]:
        """The methods that a choice of the user's model is among; none of a compared pretext."""
        settings = self.data.settings
        if self.compared:
            return ()
        chosen = settings.selection.candidates
        if chosen is not None or not settings.selection.enabled:
            return chosen or ()
        usable = [
            name
            for name in BLOCK_METHODS
            if fits(name, settings.task) and set(self.blocks_of(name)) <= set(self.blocks)
        ]
        named = [name for name in (RADIOMICS, HYBRID_FINETUNE) if name in settings.methods]
        return (PROBE, *usable, *named)
