"""What a trained model is judged against on a split: controls, and methods that labels train."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.evaluation import linear_probe, permutation_importance
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.feature_blocks import blocks
from rdfc_core.evaluation.finetuning import Initialisation
from rdfc_core.evaluation.supervised import SupervisedSetup, handcrafted, image_view
from rdfc_core.extraction.extract import Extraction
from rdfc_core.interfaces import Prepared, Pretext, View
from rdfc_core.models import model as models
from rdfc_core.models.model import Model
from rdfc_core.plugin.registry import Registry
from rdfc_core.results.vocabulary import FEATURES, OWN_PRETEXT, RANDOM_INIT, SHUFFLED_LABELS
from rdfc_core.views.feature_view import FeatureView

Judged = list[tuple[linear_probe.Variant, Prediction]]


def method_name(study: ResolvedStudy) -> str:
    """How tables call the study's pretext: ours is named after the project."""
    return OWN_PRETEXT if study.pretext.name == "correspondence" else study.pretext.name


def controls(
    study: ResolvedStudy,
    test: linear_probe.LabelledSplit,
    model: Model,
    outputs: linear_probe.Outputs,
    extraction: Extraction,
    registry: Registry,
) -> Judged:
    """What the learnt features must beat.

    Args:
        study: Names the controls.
        test: The labelled cases of the split.
        model: Trained on the split's pretext cases.
        outputs: What the model makes of the split's labelled cases.
        extraction: All cases.
        registry: Where components come from.
    """
    found: Judged = []
    prepared = _prepared(test, model.views, extraction)
    if RANDOM_INIT in study.evaluate.controls:
        pretext_cases = {name: extraction.of(name, test.split.pretext) for name in model.views}
        networks = []
        for repeat in range(linear_probe.RANDOM_NETWORKS):
            seed = study.seed + 1 + repeat
            untrained = models.fresh(study, registry, model.views, 2, seed, blank=True)
            untrained.calibrate(pretext_cases)
            networks.append(untrained.outputs(prepared))
        found += linear_probe.judge_random(test, networks)
    if SHUFFLED_LABELS in study.evaluate.controls:
        found += linear_probe.judge_shuffled(test, outputs)
    name = handcrafted(model.views)
    view = model.views[name] if name is not None else None
    if name is not None and isinstance(view, FeatureView):
        sizes = extraction.of("size", [case.case_id for case in test.cases])
        found += linear_probe.judge_handcrafted(test, view, prepared[name], sizes)
    return found


def families(
    test: linear_probe.LabelledSplit, model: Model, extraction: Extraction
) -> Iterator[tuple[permutation_importance.Family, Prediction]]:
    """What conventional radiomics says with each family of features permuted."""
    name = handcrafted(model.views)
    view = model.views[name] if name is not None else None
    if name is not None and isinstance(view, FeatureView):
        prepared = _prepared(test, {name: view}, extraction)
        measured = _measured(prepared, name, len(test.cases))
        standard = view.collate(prepared[name]).numpy()
        yield from permutation_importance.judge(test, view.names, measured, standard)


def setup(
    study: ResolvedStudy,
    test: linear_probe.LabelledSplit,
    model: Model,
    outputs: linear_probe.Outputs,
    extraction: Extraction,
    registry: Registry,
) -> SupervisedSetup:
    """What the methods that labels train are made of; arguments as of `controls`."""
    prepared = _prepared(test, model.views, extraction)
    cases = {name: view.collate(prepared[name]) for name, view in model.views.items()}
    name = handcrafted(model.views)
    standard = np.zeros((len(test.cases), 0), np.float32) if name is None else cases[name].numpy()

    def untrained(seed: int) -> Pretext:
        return models.fresh(study, registry, model.views, 2, seed, blank=True).pretext

    return SupervisedSetup(
        data=test,
        initialisation=Initialisation(model.views, model.pretext, untrained, test.classes),
        cases=cases,
        measured=_measured(prepared, name, len(test.cases)),
        blocks=blocks(
            standard,
            outputs[FEATURES].get(image_view(model.views)),
            len(test.split.train),
        ),
        learnt=outputs[FEATURES],
        pretext=method_name(study),
        precision=study.evaluate.supervised.precision or study.pretrain.precision,
    )


def _prepared(
    test: linear_probe.LabelledSplit, views: Mapping[str, View], extraction: Extraction
) -> dict[str, list[Prepared]]:
    case_ids = [case.case_id for case in test.cases]
    return {name: extraction.of(name, case_ids) for name in views}


def _measured(
    prepared: Mapping[str, Sequence[Prepared]], name: str | None, cases: int
) -> NDArray[np.float64]:
    """The features of the view as they were measured, (N, F): no scale of other cases in them."""
    if name is None:
        return np.zeros((cases, 0))
    return np.stack([one.array for one in prepared[name]], dtype=np.float64)
