"""What labels are to a study's task, where its data is listed, divided and counted.

One object a task: `CLASSES`, or `NUMBERS`. What is learnt from labels stands in
`rdfc_core.evaluation.tasks`.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Case
from rdfc_core.data.cells import counted, label_number
from rdfc_core.data.label_findings import label_findings
from rdfc_core.data.labels import UnsplittableError, usable_classes
from rdfc_core.data.number_splits import make_number_splits
from rdfc_core.data.numbers import (
    as_finding,
    number_findings,
    numbers_of,
    refuse_numbers,
    stratified,
    with_number_labels,
)
from rdfc_core.data.splits import Split, make_splits
from rdfc_core.data.trained_labels import labelled_as_trained
from rdfc_core.interfaces.dataset import Problem, SplitSpec
from rdfc_core.results.vocabulary import CLASSIFICATION, REGRESSION, TaskName

Truth = NDArray[np.int64] | NDArray[np.float64]
"""(N,) class indices, or numbers."""

SHARE_STRATA = 3
"""Of the numbers of training cases, from each of which a share of the labels is drawn."""


class Targets(ABC):
    """What labels are."""

    name: TaskName

    @abstractmethod
    def read(self, cases: Sequence[Case]) -> list[Case]:
        """The cases with their labels as the task takes them.

        Raises:
            DataError: If a label is none.
        """

    @abstractmethod
    def classes(self, cases: Sequence[Case], listed: Sequence[str]) -> tuple[str, ...]:
        """The classes that can be told apart; none where labels are numbers."""

    @abstractmethod
    def named(self, classes: Sequence[str], listed: Sequence[str]) -> tuple[str, ...]:
        """The classes that are told apart; where none can be, those of the data set."""

    @abstractmethod
    def enough(self, classes: Sequence[str]) -> bool:
        """Whether there are classes enough to tell apart."""

    @abstractmethod
    def findings(self, cases: Sequence[Case], listed: Sequence[str]) -> Iterator[Problem]:
        """What deserves a look before labels are used."""

    @abstractmethod
    def splits(
        self,
        cases: Sequence[Case],
        spec: SplitSpec,
        seed: int,
        fingerprints: Mapping[str, str] | None,
        images: Mapping[str, str] | None,
        listed: Sequence[str],
    ) -> list[Split]:
        """The splits, as `make_splits` or `make_number_splits` gives them."""

    @abstractmethod
    def counts(self, label: str | None, classes: Sequence[str]) -> bool:
        """Whether a case with this label counts as labelled, beside classes that are used."""

    @abstractmethod
    def as_trained(
        self, cases: Sequence[Case], classes: Sequence[str]
    ) -> tuple[list[Case], list[Problem]]:
        """The labels of a list that a trained run is used on, as the run takes them; and doubts."""

    @abstractmethod
    def groups(self, classes: Sequence[str]) -> Mapping[str, Callable[[str | None], bool]]:
        """Groups of cases, by their label, of which each needs enough to judge by; "": all."""

    @abstractmethod
    def encoded(self, cases: Sequence[Case], classes: Sequence[str]) -> Truth:
        """The labels of labelled cases, (N,): class indices, or numbers."""

    @abstractmethod
    def with_strata(self, cases: Sequence[Case]) -> Sequence[Case]:
        """Labelled cases whose labels say of what a share of them is drawn alike."""

    @abstractmethod
    def summary(self, cases: Sequence[Case], classes: Sequence[str]) -> dict[str, Any]:
        """What results tell of the labels: how many are of each class, or how numbers lie."""


class ClassTargets(Targets):
    """Labels are classes."""

    name = CLASSIFICATION

    def read(self, cases: Sequence[Case]) -> list[Case]:
        """As they are."""
        return list(cases)

    def classes(self, cases: Sequence[Case], listed: Sequence[str]) -> tuple[str, ...]:
        """Those that two patients have."""
        return usable_classes(cases, listed)

    def named(self, classes: Sequence[str], listed: Sequence[str]) -> tuple[str, ...]:
        """All of the data set's where none can be told apart."""
        return tuple(classes) or tuple(listed)

    def enough(self, classes: Sequence[str]) -> bool:
        """Two."""
        return len(classes) > 1

    def findings(self, cases: Sequence[Case], listed: Sequence[str]) -> Iterator[Problem]:
        """Doubtful classes; of numbers that are none, that they are none."""
        try:
            refuse_numbers(cases, listed)
        except UnsplittableError as error:
            return iter([as_finding(error)])
        return label_findings(cases, listed)

    def splits(
        self,
        cases: Sequence[Case],
        spec: SplitSpec,
        seed: int,
        fingerprints: Mapping[str, str] | None,
        images: Mapping[str, str] | None,
        listed: Sequence[str],
    ) -> list[Split]:
        """Every class in every part."""
        refuse_numbers(cases, listed)
        return make_splits(cases, spec, seed, fingerprints, images, listed)

    def counts(self, label: str | None, classes: Sequence[str]) -> bool:
        """One of the classes."""
        return label in classes

    def as_trained(
        self, cases: Sequence[Case], classes: Sequence[str]
    ) -> tuple[list[Case], list[Problem]]:
        """Spelled as the run's classes are."""
        return labelled_as_trained(cases, classes)

    def groups(self, classes: Sequence[str]) -> Mapping[str, Callable[[str | None], bool]]:
        """Each class."""
        return {name: partial(operator.eq, name) for name in classes}

    def encoded(self, cases: Sequence[Case], classes: Sequence[str]) -> NDArray[np.int64]:
        """Class indices, (N,)."""
        return np.array([classes.index(str(case.label)) for case in cases], np.int64)

    def with_strata(self, cases: Sequence[Case]) -> Sequence[Case]:
        """Classes are strata."""
        return cases

    def summary(self, cases: Sequence[Case], classes: Sequence[str]) -> dict[str, Any]:
        """How many cases have each class."""
        labels = [case.label for case in cases]
        return {"per_class": {name: labels.count(name) for name in classes}}


class NumberTargets(Targets):
    """Labels are numbers."""

    name = REGRESSION

    def read(self, cases: Sequence[Case]) -> list[Case]:
        """Words for no value are no label.

        Raises:
            DataError: If a label is anything else than a finite number.
        """
        return with_number_labels(cases)

    def classes(self, cases: Sequence[Case], listed: Sequence[str]) -> tuple[str, ...]:
        """None."""
        return ()

    def named(self, classes: Sequence[str], listed: Sequence[str]) -> tuple[str, ...]:
        """None."""
        return ()

    def enough(self, classes: Sequence[str]) -> bool:
        """Numbers need none."""
        return True

    def findings(self, cases: Sequence[Case], listed: Sequence[str]) -> Iterator[Problem]:
        """Too few numbers, or some that may stand for no value."""
        return number_findings(cases)

    def splits(
        self,
        cases: Sequence[Case],
        spec: SplitSpec,
        seed: int,
        fingerprints: Mapping[str, str] | None,
        images: Mapping[str, str] | None,
        listed: Sequence[str],
    ) -> list[Split]:
        """Stratified by quantiles."""
        return make_number_splits(cases, spec, seed, fingerprints, images)

    def counts(self, label: str | None, classes: Sequence[str]) -> bool:
        """Any number."""
        return label is not None and label_number(label) is not None

    def as_trained(
        self, cases: Sequence[Case], classes: Sequence[str]
    ) -> tuple[list[Case], list[Problem]]:
        """What is no number is no label, and is told."""
        kept = [c if self.counts(c.label, ()) else replace(c, label=None) for c in cases]
        odd = [c for c in cases if c.label is not None and not self.counts(c.label, ())]
        if not odd:
            return kept, []
        message = (
            f"{counted(len(odd), 'case has', 'cases have')} a label that is not a number, such as "
            f"{odd[0].label!r}: used as unlabelled"
        )
        fix = "Predictions do not depend on it."
        return kept, [Problem("", "label", message, fix, "warning")]

    def groups(self, classes: Sequence[str]) -> Mapping[str, Callable[[str | None], bool]]:
        """All cases with a number."""
        return {"": lambda label: self.counts(label, ())}

    def encoded(self, cases: Sequence[Case], classes: Sequence[str]) -> NDArray[np.float64]:
        """The numbers, (N,)."""
        return numbers_of(cases)

    def with_strata(self, cases: Sequence[Case]) -> Sequence[Case]:
        """Thirds by the number."""
        return stratified(cases, SHARE_STRATA)

    def summary(self, cases: Sequence[Case], classes: Sequence[str]) -> dict[str, Any]:
        """Extremes, quartiles, mean and standard deviation."""
        values = numbers_of([case for case in cases if self.counts(case.label, ())])
        if not len(values):
            return {"per_class": {}}
        low, first, median, third, high = np.quantile(values, (0, 0.25, 0.5, 0.75, 1)).tolist()
        return {
            "per_class": {},
            "numbers": {
                "cases": len(values),
                "min": low,
                "first_quartile": first,
                "median": median,
                "third_quartile": third,
                "max": high,
                "mean": float(values.mean()),
                "sd": float(values.std(ddof=1)) if len(values) > 1 else 0.0,
            },
        }


CLASSES, NUMBERS = ClassTargets(), NumberTargets()
TARGETS: Mapping[TaskName, Targets] = {CLASSIFICATION: CLASSES, REGRESSION: NUMBERS}
"""What the labels of each task are."""
