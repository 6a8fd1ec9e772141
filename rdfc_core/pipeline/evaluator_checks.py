"""The evaluators of a study on its first cases, before all are measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.contract.evaluators import require_evaluator
from rdfc_core.errors import StudyError
from rdfc_core.evaluation.evaluators import EvaluatorInputs, StudyEvaluators, labels_of
from rdfc_core.interfaces import Prepared, View
from rdfc_core.plugin.attribution import held_to_contract
from rdfc_core.plugin.registry import Registry
from rdfc_core.results.vocabulary import REGRESSION

EXAMPLES = 12
"""Cases a class that evaluators are tried on."""


def check_evaluators(
    study: ResolvedStudy,
    views: Mapping[str, View],
    prepared: Mapping[str, Sequence[Prepared]],
    outputs: Mapping[str, Mapping[str, NDArray[np.float32]]],
    classes: int,
    registry: Registry,
) -> None:
    """Let the evaluators of a study learn from its first cases, over and over.

    Args:
        study: Names them.
        views: Fitted on the cases.
        prepared: View name → the cases.
        outputs: What an untrained network makes of them.
        classes: How many classes there are; 0 where numbers are predicted.
        registry: Where components come from.

    Raises:
        StudyError: If an evaluator looks at something that the study has not.
        PluginError: If one breaks its contract.
    """
    own = StudyEvaluators.of(study, registry)
    if not own.evaluators:
        return
    own.check(views, study.task)
    collated = {name: view.collate(prepared[name]) for name, view in views.items()}
    count = len(next(iter(prepared.values())))
    patients = [f"patient-{place}" for place in range(count)]
    inputs = EvaluatorInputs.of(patients, views, prepared, collated, outputs)
    examples = np.arange(EXAMPLES * max(2, classes))
    if study.task == REGRESSION:
        labels = labels_of(np.sin(examples.astype(np.float64)), 0, balanced=False)
    else:
        labels = labels_of(examples // EXAMPLES, max(2, classes), balanced=True)
    for name, evaluator in own.evaluators.items():
        if "embeddings" in evaluator.inputs and not inputs.embeddings:
            raise StudyError(
                f"evaluate.evaluators: {name} needs embeddings, and the pretext has none. Use its "
                "features."
            )
        with held_to_contract(evaluator):
            require_evaluator(evaluator, inputs.cases(evaluator.inputs, examples % count), labels)
