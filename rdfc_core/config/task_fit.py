"""What a study's task takes of its options: names that tell classes apart, and names that do not.

A preset is written for classes. For a regression its names are replaced by those that predict
numbers; what the user wrote is refused where it does not apply, and never replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.errors import StudyError
from rdfc_core.results.vocabulary import KNN, LOGISTIC, REGRESSION, RIDGE_TWINS

SURVIVAL = ("survival", "cox", "time-to-event", "time_to_event")
IDLE = {
    "class_weight": "classes are weighed by their rarity, and numbers have none",
    "logistic_c": "it is of the logistic regression, whose counterpart is ridge: set ridge_alpha",
    "radiomics_c": "it is of logistic regressions, whose counterpart is ridge: set radiomics_alpha",
    "operating_points": "a threshold of a probability tells two classes apart",
    "temperature_scaling": "a temperature calibrates probabilities of classes",
    "query_strategies": "strategies are tried with classes",
}
"""Options of ``evaluate`` that say nothing of a regression, and why."""
IDLE_FOR_CLASSES = {"ridge_alpha": "logistic_c", "radiomics_alpha": "radiomics_c"}
"""Options of ``evaluate`` for numbers alone → those for classes."""
CLASSIFIERS = "classifiers"


def refuse_survival(task: Any) -> None:
    """Check that nobody asks for an analysis of survival.

    Raises:
        ValueError: If so.
    """
    if isinstance(task, str) and task.lower() in SURVIVAL:
        raise ValueError(
            f"{task}: times with events (survival) cannot be analysed yet: a Cox probe with "
            "Harrell's C is planned. Until then, predict whether the event came by a fixed time "
            "(task: classification), leaving cases out that were censored before"
        )


def refuse_unfit(task: str, evaluate: EvaluateSettings) -> None:
    """Check that every classifier and method that a study names does what its task asks for.

    Raises:
        StudyError: If one does not; the message names the one that does.
    """
    named = {
        CLASSIFIERS: evaluate.classifiers,
        "methods": evaluate.methods,
        "selection.candidates": evaluate.selection.candidates or (),
    }
    for option, names in named.items():
        for wrong, right, does in _pairs(task):
            if wrong in names:
                raise StudyError(
                    f"evaluate.{option}: {wrong} {does}, and task is {task}. Use {right}."
                )


def _pairs(task: str) -> Iterator[tuple[str, str, str]]:
    """A name that does not fit the task, the one that does, and what the former does."""
    for classes, numbers in RIDGE_TWINS.items():
        if task == REGRESSION:
            yield classes, numbers, "tells classes apart"
        else:
            yield numbers, classes, "predicts numbers"


def refuse_idle(written: Mapping[str, Any]) -> None:
    """Check that a study sets no option of ``evaluate`` that its task leaves without effect.

    One that only repeats the default, as a study that rdfc wrote out does, is no wish.

    Args:
        written: The study as the user wrote it, without its preset.

    Raises:
        StudyError: If it does.
    """
    evaluate, task = written.get("evaluate"), written.get("task")
    if not isinstance(evaluate, Mapping):
        return
    if "task" in evaluate:
        raise StudyError(
            f"evaluate.task: the task stands at the top of a study. Write task: {evaluate['task']}."
        )
    if task == REGRESSION:
        for option, why in IDLE.items():
            if _is_set(evaluate, option, "none" if option == "class_weight" else None):
                raise StudyError(
                    f"evaluate.{option}: {why}. Leave it out, since task is {REGRESSION}."
                )
        return
    for option, instead in IDLE_FOR_CLASSES.items():
        if _is_set(evaluate, option):
            raise StudyError(
                f"evaluate.{option}: it is of the ridge regression, which predicts numbers. Set "
                f"{instead}, or task: {REGRESSION}."
            )


def _is_set(evaluate: Mapping[str, Any], option: str, idle: Any = None) -> bool:
    """Whether an option says something else than ``idle``, or than its default."""
    default = EvaluateSettings.model_fields[option].default if idle is None else idle
    value = evaluate.get(option, default)
    return bool((tuple(value) if isinstance(value, list) else value) != default)


def of_task(task: Any, base: Mapping[str, Any]) -> dict[str, Any]:
    """A preset, written for classes, as it is for the study's task.

    Args:
        task: Of the study.
        base: The preset, with a protocol of evaluation laid over it.
    """
    if task != REGRESSION:
        return dict(base)
    evaluate = {k: v for k, v in base.get("evaluate", {}).items() if k not in IDLE}
    evaluate["class_weight"] = "none"
    evaluate[CLASSIFIERS] = evaluate.get(CLASSIFIERS, (LOGISTIC, KNN))
    for option in (CLASSIFIERS, "methods"):
        names = [RIDGE_TWINS.get(name, name) for name in evaluate.get(option, ())]
        evaluate[option] = list(dict.fromkeys(names))
    return {**base, "evaluate": evaluate}
