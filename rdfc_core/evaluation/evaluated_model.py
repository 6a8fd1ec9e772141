"""A trained model and the labelled cases that it is judged on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.data.splits import Split
from rdfc_core.evaluation.linear_probe import LabelledSplit, Outputs
from rdfc_core.evaluation.view_roles import handcrafted
from rdfc_core.extraction.extract import Extraction
from rdfc_core.interfaces import Prepared
from rdfc_core.interfaces.collated import Collated
from rdfc_core.models.model import Model
from rdfc_core.plugin.registry import Registry
from rdfc_core.results.vocabulary import OWN_PRETEXT
from rdfc_core.views.feature_view import FeatureView


@dataclass(frozen=True)
class EvaluatedModel:
    """A trained model, and all that its evaluation on a split is made of.

    Args:
        study: Says how it is judged, and against what.
        model: Trained on the split's pretext cases.
        data: The labelled cases of the split.
        outputs: What the model makes of them.
        extraction: All cases.
        registry: Where components come from.
    """

    study: ResolvedStudy
    model: Model
    data: LabelledSplit
    outputs: Outputs
    extraction: Extraction
    registry: Registry

    @classmethod
    def of(
        cls,
        study: ResolvedStudy,
        model: Model,
        split: Split,
        extraction: Extraction,
        registry: Registry,
    ) -> EvaluatedModel:
        """The model on the labelled cases of a split."""
        cases = {case.case_id: case for case in extraction.cases}
        data = LabelledSplit.of(split, cases, model.classes, study.evaluate, study.seed)
        prepared = prepared_cases(data, model, extraction)
        return cls(study, model, data, model.outputs(prepared), extraction, registry)

    @property
    def prepared(self) -> dict[str, list[Prepared]]:
        """View name → the labelled cases as the view prepared them."""
        return prepared_cases(self.data, self.model, self.extraction)

    @cached_property
    def collated(self) -> Mapping[str, Collated]:
        """View name → (N, …), the labelled cases as the view collates them."""
        prepared = self.prepared
        return {name: view.collate(prepared[name]) for name, view in self.model.views.items()}

    @property
    def taught(self) -> list[str]:
        """The cases whose labels train classifiers, and choose and calibrate one of them."""
        return [case.case_id for case in self.data.cases[: len(self.data.split.train)]]

    @property
    def handcrafted(self) -> tuple[str, FeatureView] | None:
        """The view whose features conventional radiomics takes, with its name: the first one."""
        name = handcrafted(self.model.views)
        view = self.model.views[name] if name is not None else None
        return (name, view) if name is not None and isinstance(view, FeatureView) else None


def method_name(study: ResolvedStudy) -> str:
    """How tables call the study's pretext: ours is named after the project."""
    return OWN_PRETEXT if study.pretext.name == "correspondence" else study.pretext.name


def prepared_cases(
    data: LabelledSplit, model: Model, extraction: Extraction
) -> dict[str, list[Prepared]]:
    """View name → the labelled cases as the view prepared them."""
    case_ids = [case.case_id for case in data.cases]
    return {name: extraction.of(name, case_ids) for name in model.views}
