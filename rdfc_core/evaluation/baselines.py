"""What a trained model is judged against on a split: controls, and methods that labels train."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from torch import Tensor

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.evaluation import linear_probe, permutation_importance
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.feature_blocks import blocks
from rdfc_core.evaluation.finetuning import Origin
from rdfc_core.evaluation.measured_features import MeasuredFeatures
from rdfc_core.evaluation.supervised import Arena, handcrafted, image_view
from rdfc_core.extraction.extract import Extraction
from rdfc_core.interfaces import Prepared, Pretext
from rdfc_core.models import model as models
from rdfc_core.models.model import Model
from rdfc_core.plugin.registry import Registry
from rdfc_core.views.feature_view import FeatureView

Judged = list[tuple[linear_probe.Entry, Prediction]]

Collated = Mapping[str, Tensor]
"""View name → (N, …), the cases of a bench."""


def method_name(study: ResolvedStudy) -> str:
    """How tables call the study's pretext: ours is named after the project."""
    return "rdfc" if study.pretext.name == "correspondence" else study.pretext.name


def controls(
    study: ResolvedStudy,
    test: linear_probe.Bench,
    model: Model,
    outputs: linear_probe.Outputs,
    collated: Collated,
    extraction: Extraction,
    registry: Registry,
) -> Judged:
    """What the learnt features must beat.

    Args:
        study: Names the controls.
        test: The labelled cases of the split.
        model: Trained on the split's pretext cases.
        outputs: What the model makes of the bench's cases.
        collated: These cases, as the model's views collate them.
        extraction: All cases.
        registry: Where components come from.
    """
    found: Judged = []
    prepared = _prepared(test, model, extraction)
    if "random-init" in study.evaluate.controls:
        pretext_cases = {name: extraction.of(name, test.split.pretext) for name in model.views}
        networks = []
        for repeat in range(linear_probe.RANDOM_NETWORKS):
            seed = study.seed + 1 + repeat
            untrained = models.fresh(study, registry, model.views, 2, seed, blank=True)
            untrained.calibrate(pretext_cases)
            networks.append(untrained.outputs(prepared))
        found += linear_probe.judge_random(test, networks)
    if "shuffled-labels" in study.evaluate.controls:
        found += linear_probe.judge_shuffled(test, outputs)
    name = handcrafted(model.views)
    view = model.views[name] if name is not None else None
    if name is not None and isinstance(view, FeatureView):
        sizes = extraction.of("size", [case.case_id for case in test.cases])
        table = collated[name].numpy()
        found += linear_probe.judge_handcrafted(test, view.names, table, sizes)
    return found


def families(
    test: linear_probe.Bench, model: Model, collated: Collated, extraction: Extraction
) -> Iterator[tuple[permutation_importance.Family, Prediction]]:
    """What conventional radiomics says with each family of features permuted."""
    name = handcrafted(model.views)
    view = model.views[name] if name is not None else None
    if name is not None and isinstance(view, FeatureView):
        measured = _measured(test, name, extraction)
        standard = collated[name].numpy()
        yield from permutation_importance.judge(test, view.names, measured, standard)


def arena(
    study: ResolvedStudy,
    test: linear_probe.Bench,
    model: Model,
    outputs: linear_probe.Outputs,
    collated: Collated,
    extraction: Extraction,
    registry: Registry,
) -> Arena:
    """What the methods that labels train are made of; arguments as of `controls`."""
    name = handcrafted(model.views)
    nothing = np.zeros((len(test.cases), 0), np.float32)
    standard = nothing if name is None else collated[name].numpy()

    def untrained(seed: int) -> Pretext:
        return models.fresh(study, registry, model.views, 2, seed, blank=True).pretext

    return Arena(
        bench=test,
        origin=Origin(model.views, model.pretext, untrained, test.classes),
        cases=collated,
        measured=_measured(test, name, extraction),
        blocks=blocks(
            standard,
            outputs["features"].get(image_view(model.views)),
            len(test.split.train),
        ),
        learnt=outputs["features"],
        pretext=method_name(study),
        precision=study.evaluate.supervised.precision or study.pretrain.precision,
    )


def collated(test: linear_probe.Bench, model: Model, extraction: Extraction) -> Collated:
    """The split's labelled cases as each view collates them: once, for all that looks at them."""
    prepared = _prepared(test, model, extraction)
    return {name: view.collate(prepared[name]) for name, view in model.views.items()}


def _prepared(
    test: linear_probe.Bench, model: Model, extraction: Extraction
) -> dict[str, list[Prepared]]:
    case_ids = [case.case_id for case in test.cases]
    return {name: extraction.of(name, case_ids) for name in model.views}


def _measured(
    test: linear_probe.Bench, name: str | None, extraction: Extraction
) -> MeasuredFeatures:
    """The features of the view as they were measured: no scale of other cases in them."""
    if name is None:
        return MeasuredFeatures([Prepared(np.zeros(0)) for _ in test.cases])
    return MeasuredFeatures(extraction.of(name, [case.case_id for case in test.cases]))
