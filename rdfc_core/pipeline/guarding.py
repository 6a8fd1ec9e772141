"""A split's model is given what guards its predictions, and its test part is looked at with it."""

from __future__ import annotations

from rdfc_core.evaluation import judged_safeguards, safeguards
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.evaluated_model import EvaluatedModel
from rdfc_core.evaluation.judged_safeguards import GuardedTest
from rdfc_core.evaluation.trial_runner import TrialRunner


def guard_model(
    runner: TrialRunner,
    own: EvaluatedModel,
    held_back: safeguards.OutOfFold | None,
    prediction: Prediction,
) -> GuardedTest:
    """Make what guards the model's predictions, and look at the test part with it.

    Args:
        runner: Of the split.
        own: The model with what it has chosen; is given its safeguards.
        held_back: What was chosen, out of fold; None: the linear probe, or nothing was held back.
        prediction: What the model says of the test part.
    """
    made = safeguards.guard(runner, own.model, held_back, own.extraction)
    own.model.safeguards, own.model.training_cases = made.safeguards, made.training_cases
    return judged_safeguards.tested(own.model, prediction, own.extraction)


def by_classifier(own: EvaluatedModel) -> Prediction:
    """What the linear probe, which is saved, says of the test part."""
    assert own.model.classifier is not None
    train = len(own.data.split.train)
    shown = {name: one[train:] for name, one in own.outputs[own.model.layer].items()}
    return own.data.prediction(own.model.classifier.predict(shown))
