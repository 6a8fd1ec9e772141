"""What a trained model is judged against on a split: controls, and methods that labels train."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from rdfc_core.evaluation import linear_probe, permutation_importance
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.evaluated_model import EvaluatedModel, method_name
from rdfc_core.evaluation.evaluators import EvaluatorInputs, OwnMethods, StudyEvaluators
from rdfc_core.evaluation.feature_blocks import blocks
from rdfc_core.evaluation.supervised_setup import SupervisedSetup
from rdfc_core.evaluation.view_roles import image_view, of_columns
from rdfc_core.interfaces import Prepared, Pretext
from rdfc_core.interfaces.collated import tensors
from rdfc_core.models.initialisation import Initialisation
from rdfc_core.models.model import fresh
from rdfc_core.results.vocabulary import FEATURES, RANDOM_INIT, SHUFFLED_LABELS
from rdfc_core.views.measured_features import MeasuredFeatures

VariantPredictions = list[tuple[linear_probe.Variant, Prediction]]


def controls(own: EvaluatedModel) -> VariantPredictions:
    """What the learnt features must beat, as far as the study names it."""
    found: VariantPredictions = []
    named = own.study.evaluate.controls
    if RANDOM_INIT in named:
        found += linear_probe.judge_random(own.data, _untrained(own))
    if SHUFFLED_LABELS in named:
        found += linear_probe.judge_shuffled(own.data, own.outputs)
    if own.handcrafted is not None:
        name, view = own.handcrafted
        sizes = own.extraction.of("size", [case.case_id for case in own.data.cases])
        table = next(tensors(own.collated[name])).numpy()
        found += linear_probe.judge_handcrafted(own.data, view.names, table, sizes)
    return found


def _untrained(own: EvaluatedModel) -> list[linear_probe.Outputs]:
    """What the same network before any training makes of the cases, a draw of weights each."""
    model, prepared = own.model, own.prepared
    pretext_cases = {n: own.extraction.of(n, own.data.split.pretext) for n in model.views}
    networks: list[linear_probe.Outputs] = []
    for repeat in range(linear_probe.RANDOM_NETWORKS):
        seed = own.study.seed + 1 + repeat
        untrained = fresh(own.study, own.registry, model.views, 2, seed, blank=True)
        untrained.calibrate(pretext_cases)
        networks.append(untrained.outputs(prepared))
    return networks


def families(own: EvaluatedModel) -> Iterator[tuple[permutation_importance.Family, Prediction]]:
    """What conventional radiomics says with each family of features permuted."""
    if own.handcrafted is not None:
        name, view = own.handcrafted
        standard = next(tensors(own.collated[name])).numpy()
        yield from permutation_importance.judge(own.data, view.names, _measured(own), standard)


def setup(own: EvaluatedModel) -> SupervisedSetup:
    """What the methods that labels train are made of."""
    study, model, data = own.study, own.model, own.data
    image = image_view(model.views)
    learnt = {name: one for name, one in own.outputs[FEATURES].items() if name == image}
    standard = [own.handcrafted[0]] if own.handcrafted is not None else []

    def tables(names: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """What is one number a column; a mapping of tokens stands in no block."""
        whole = ((name, own.collated[name]) for name in names)
        return {n: one.numpy() for n, one in whole if isinstance(one, Tensor) and one.ndim == 2}

    def untrained(seed: int) -> Pretext:
        return fresh(study, own.registry, model.views, 2, seed, blank=True).pretext

    return SupervisedSetup(
        data=data,
        initialisation=Initialisation(
            model.views, model.pretext, untrained, data.classes, data.task.name
        ),
        cases=own.collated,
        measured=_measured(own),
        blocks=blocks(
            tables(standard), learnt, tables(of_columns(model.views)), len(data.split.train)
        ),
        learnt=own.outputs[FEATURES],
        pretext=method_name(study),
        precision=study.evaluate.supervised.precision or study.pretrain.precision,
        own=OwnMethods(
            StudyEvaluators.of(study, own.registry),
            EvaluatorInputs.of(
                [case.patient_id for case in data.cases],
                model.views,
                own.prepared,
                own.collated,
                own.outputs,
            ),
        ),
    )


def _measured(own: EvaluatedModel) -> MeasuredFeatures:
    """The handcrafted features on their own scale: as measured, or as the view harmonises them."""
    if own.handcrafted is None:
        return MeasuredFeatures([Prepared(np.zeros(0)) for _ in own.data.cases])
    name, view = own.handcrafted
    return view.measured(own.prepared[name])
