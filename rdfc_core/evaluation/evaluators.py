"""Methods and controls of plugins: what they look at on a split, and how they are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from rdfc_core.contract.evaluators import fitted, predicted, require_described
from rdfc_core.errors import StudyError
from rdfc_core.evaluation.linear_probe import together
from rdfc_core.evaluation.view_roles import handcrafted, of_columns
from rdfc_core.interfaces import Prepared, View
from rdfc_core.interfaces.collated import Collated
from rdfc_core.interfaces.collated import rows as of_rows
from rdfc_core.interfaces.evaluator import Evaluator, EvaluatorCases, Labels
from rdfc_core.interfaces.metric import Task
from rdfc_core.plugin.attribution import held_to_contract
from rdfc_core.results.vocabulary import EMBEDDING, FEATURES, RAW
from rdfc_core.views.feature_view import FeatureView
from rdfc_core.views.measured_features import MeasuredFeatures

if TYPE_CHECKING:
    from rdfc_core.config.resolve import ResolvedStudy
    from rdfc_core.plugin.registry import Registry

Rows = NDArray[np.int64]
Tables = Mapping[str, NDArray[np.float32]]
Said = Callable[[Rows], NDArray[np.float64]]
"""From rows to class probabilities, (n, C), or numbers, (n, 1)."""


@dataclass(frozen=True)
class EvaluatorInputs:
    """All that evaluators may ask for, of the labelled cases of a split.

    Args:
        patients: (N,).
        features: View → (N, F), learnt.
        embeddings: View → (N, D), learnt.
        measured: (N, F) handcrafted features; without columns where the study has no such view.
        names: Of the handcrafted features.
        columns: View of columns → (N, F).
        views: View → its collated cases.
    """

    patients: Sequence[str]
    features: Tables
    embeddings: Tables
    measured: MeasuredFeatures
    names: tuple[str, ...]
    columns: Tables
    views: Mapping[str, Collated]

    @classmethod
    def of(
        cls,
        patients: Sequence[str],
        views: Mapping[str, View],
        prepared: Mapping[str, Sequence[Prepared]],
        collated: Mapping[str, Collated],
        outputs: Mapping[str, Tables],
    ) -> EvaluatorInputs:
        """The inputs of some cases.

        Args:
            patients: (N,).
            views: Fitted.
            prepared: View → the cases as it prepared them.
            collated: View → the cases as it collates them.
            outputs: Layer → view → (N, F), what a model makes of them.
        """
        name = handcrafted(views)
        view = views[name] if name else None
        nothing = [Prepared(np.zeros(0)) for _ in patients]
        columns = ((one, collated[one]) for one in of_columns(views))
        return cls(
            patients=patients,
            features=outputs[FEATURES],
            embeddings=outputs[EMBEDDING],
            measured=view.measured(prepared[name])
            if isinstance(view, FeatureView) and name
            else MeasuredFeatures(nothing),
            names=view.names if isinstance(view, FeatureView) and patients else (),
            # What is one number a column: a mapping of tokens stands in no table.
            columns={v: t.numpy() for v, t in columns if isinstance(t, Tensor) and t.ndim == 2},
            views=collated,
        )

    def cases(self, asked: Sequence[str], rows: Rows) -> EvaluatorCases:
        """Copies of what was asked for, of some cases.

        Args:
            asked: Inputs, as `Evaluator.inputs` names them.
            rows: (n,) places of the cases.
        """

        def tables(name: str, own: Tables) -> Tables:
            return {view: table[rows] for view, table in own.items()} if name in asked else {}

        views = self.views if "views" in asked else {}
        whole = "handcrafted" in asked
        return EvaluatorCases(
            patients=tuple(self.patients[row] for row in rows),
            features=tables("features", self.features),
            embeddings=tables("embeddings", self.embeddings),
            handcrafted=self.measured[rows] if whole else np.zeros((len(rows), 0)),
            names=self.names if whole else (),
            columns=tables("columns", self.columns),
            views={view: of_rows(cases, rows) for view, cases in views.items()},
        )


@dataclass(frozen=True)
class StudyEvaluators:
    """The evaluators of a study.

    Args:
        evaluators: Name in the results → the evaluator.
        components: Name in the results → the component's name.
    """

    evaluators: Mapping[str, Evaluator] = field(default_factory=dict)
    components: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, study: ResolvedStudy, registry: Registry) -> StudyEvaluators:
        """The evaluators that a study names, built.

        Raises:
            PluginError: If one breaks its contract.
        """
        built = {name: part.build(registry) for name, part in study.evaluators.items()}
        for evaluator in built.values():
            with held_to_contract(evaluator):
                require_described(evaluator)
        return cls(built, {name: part.name for name, part in study.evaluators.items()})

    def __contains__(self, method: object) -> bool:
        """Whether a method is one of these."""
        return method in self.evaluators

    def named(self, role: str) -> list[str]:
        """Those of a role."""
        return [name for name, one in self.evaluators.items() if one.role == role]

    def check(self, views: Mapping[str, View], task: Task = "classification") -> None:
        """Refuse, before hours of training, what could not be judged after them.

        Args:
            views: Of the study.
            task: What its labels are.

        Raises:
            StudyError: If an evaluator is of another task, or looks at what the study has not.
        """
        missing = {
            "handcrafted": None if handcrafted(views) else "a view of handcrafted features",
            "columns": None if of_columns(views) else "a view of columns (such as table)",
        }
        for name, evaluator in self.evaluators.items():
            if task not in evaluator.tasks:
                raise StudyError(
                    f"evaluate.evaluators: {name} learns {' and '.join(evaluator.tasks)}, and the "
                    f"study is of {task}. Leave it out."
                )
            for asked in evaluator.inputs:
                if what := missing.get(asked):
                    raise StudyError(
                        f"evaluate.evaluators: {name} needs {what}, and the study has "
                        f"{', '.join(views)}. Add one, or leave the evaluator out."
                    )

    def described(self, name: str, views: Mapping[str, View], learnt: Tables) -> tuple[str, ...]:
        """Input, layer and classifier, as tables call them.

        Args:
            name: Of the evaluator.
            views: Of the study.
            learnt: View → features, of the views that the pretext has trained.
        """
        inputs = self.evaluators[name].inputs
        seen: list[str] = []
        if "views" in inputs:
            seen.append(together(list(views)))
        if FEATURES in inputs or "embeddings" in inputs:
            seen.append(together(list(learnt)))
        if "handcrafted" in inputs:
            seen.append(handcrafted(views) or "")
        if "columns" in inputs:
            seen += of_columns(views)
        layer = FEATURES if FEATURES in inputs else EMBEDDING if "embeddings" in inputs else RAW
        return "+".join(dict.fromkeys(seen)), layer, self.components[name]


@dataclass(frozen=True)
class OwnMethods:
    """The evaluators of a study on a split.

    Args:
        study: The evaluators.
        inputs: What they may look at.
    """

    study: StudyEvaluators
    inputs: EvaluatorInputs


def learn(
    evaluator: Evaluator, inputs: EvaluatorInputs, rows: Rows, labels: Labels, seed: int
) -> Said:
    """Train an evaluator on the rows it is given, and on no other; it sees no other label.

    Args:
        evaluator: Built.
        inputs: What it may ask for, of all labelled cases.
        rows: (n,) places of the cases that it learns from.
        labels: Of these rows.
        seed: Of what is random.

    Raises:
        PluginError: If it breaks its contract.
    """
    with held_to_contract(evaluator):
        taught = inputs.cases(evaluator.inputs, rows)
        predictor = fitted(evaluator, taught, labels, seed)

    def say(asked: Rows) -> NDArray[np.float64]:
        with held_to_contract(evaluator):
            cases = inputs.cases(evaluator.inputs, asked)
            return predicted(predictor, cases, labels.classes, seed, type(evaluator).__name__)

    return say


def labels_of(
    truth: NDArray[np.int64] | NDArray[np.float64], classes: int, balanced: bool
) -> Labels:
    """The labels of some cases, with their weights.

    Args:
        truth: (n,) class indices, or numbers.
        classes: C; 0 in regression.
        balanced: Weigh classes by their rarity: all classes that occur weigh the same together.
    """
    weights = np.ones(len(truth))
    if balanced and classes and len(truth):
        places = truth.astype(np.int64)
        counts = np.bincount(places, minlength=classes)
        weights = len(truth) / ((counts > 0).sum() * counts[places])
    return Labels(truth.copy(), weights, classes)
