"""Dataset: the cases, their classes, and how they are meant to be split."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from rdfc_core.case import Case
from rdfc_core.errors import DataError
from rdfc_core.interfaces.published import PublishedStudy


class SplitSpec(BaseModel):
    """How labelled cases are divided, always by patient, and which cases serve pretraining."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["holdout", "folds", "column"] = Field(
        "holdout",
        description="One stratified hold-out part, stratified folds, or a column of the data set.",
    )
    test_fraction: float = Field(
        0.2, gt=0, lt=1, description="Share of the labelled cases held out (holdout)."
    )
    test_cases: int | None = Field(
        None, ge=1, description="Exact number of held-out cases (holdout, one case a patient)."
    )
    folds: int = Field(5, ge=2, description="Number of folds (folds).")
    repeats: int = Field(1, ge=1, description="Divisions into folds, each drawn anew (folds).")
    fold_column: str | None = Field(
        None,
        min_length=1,
        description="Column that holds the number of each labelled case's fold, counted from 1, as "
        "published folds do; null: folds are drawn (folds).",
    )
    only: tuple[Annotated[int, Field(ge=1)], ...] | None = Field(
        None,
        min_length=1,
        description="Numbers of the folds that are run, for example [1, 2] to choose options on; "
        "null: all (folds).",
    )
    column: str = Field(
        "split", description="Column that says train, test or pretext for each case (column)."
    )
    pretext: Literal["all", "unlabelled", "train"] = Field(
        "all",
        description="Cases for pretraining: unlabelled and training cases, only the unlabelled "
        "(under folds pretraining then runs once), or only the training cases. Never a case of a "
        "patient in the test part.",
    )


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a data set.

    Args:
        case_id: The case, or "" for the data set as a whole.
        field: What is wrong about it: ``image``, ``mask``, ``label``, …
        message: What is wrong.
        fix: What to do.
        severity: An ``error`` makes the case (or the data set) unusable; a ``warning`` deserves a
            look.
    """

    case_id: str
    field: str
    message: str
    fix: str
    severity: Literal["error", "warning"] = "error"


def refuse_problems(problems: Sequence[Problem], dataset: str) -> None:
    """Refuse a listing that has problems; the message holds the first and counts the others.

    Args:
        problems: Of the listing; warnings among them refuse nothing.
        dataset: The component's name, for ``rdfc datasets check``, which tells them all.

    Raises:
        DataError: If there is one.
    """
    errors = [problem for problem in problems if problem.severity == "error"]
    if not errors:
        return
    first, *others = errors
    case = "" if first.case_id in first.message else f"Case {first.case_id}: "
    tail = f" ({len(others)} more: rdfc datasets check {dataset}.)" if others else ""
    raise DataError(f"{case}{first.message}. {first.fix}{tail}")


class Dataset(ABC):
    """A collection of cases. Built as ``Class(config)``; the config names where it lies."""

    citation: ClassVar[str] = ""
    """How to cite the data, or "" where the user's own data is meant."""

    illustration: str = ""
    """What results on these cases are no evidence of, in sentences, where nobody had these tumours;
    it stands below the headline of every run."""

    @abstractmethod
    def cases(self) -> Sequence[Case]:
        """All cases, in a stable order. Opens no image.

        Raises:
            DataError: If the listing itself is unusable (missing, without columns, with one
                ``case_id`` twice). A missing image is no reason: its case fails alone, later.

        Called:
            Once at the beginning of each command that uses the data set, in the main process.
        """

    def listed_cases(self) -> Sequence[Case]:
        """The cases whose files ``rdfc datasets check`` opens; by default `cases`.

        A data set whose `cases` refuses a list with a faulty line, or an incomplete copy, gives
        here whatever can be checked, so that one pass finds everything; what is wrong with the
        list itself is told by `problems`.

        Raises:
            DataError: If no case can be listed.

        Called:
            By `rdfc datasets check` alone.
        """
        return self.cases()

    def with_list(self, listing: Path) -> Dataset | None:
        """This data set with another list of cases: the same options say what its columns mean.

        A trained run reads the list of ``rdfc predict --manifest`` with it.

        Args:
            listing: A list, or the folder that holds one.

        Returns:
            None where the data set comes from no list: lists are then read as ``manifest`` does.

        Called:
            By `rdfc predict` and `rdfc embed` with a list, and by the Python API, on the data set
            of the trained run.
        """
        return None

    def with_numbers(self) -> Dataset:
        """This data set with labels that are numbers to predict, in place of classes.

        One that doubts whether a label is a class leaves these doubts out here; that a label is a
        number is checked by core. `classes` then counts for nothing.

        Called:
            Once, after the data set is built, where the study says ``task: regression``.
        """
        return self

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """The labels in their fixed order; of two, the second is the positive one.

        Called:
            After `cases`, whenever labels are counted; the order stands in the model.
        """

    def protocol(self) -> SplitSpec:
        """The split the data set is meant for; a study may override any part of it.

        Called:
            Once a run, before anything is measured.
        """
        return SplitSpec()

    @classmethod
    def published(cls) -> PublishedStudy | None:
        """A paper's study on this data set, which ``rdfc reproduce`` runs; None if there is none.

        Its numbers stand beside those of every run on the data set.

        Called:
            On the class, by `rdfc reproduce` and where published rows stand beside a run.
        """
        return None

    def problems(self) -> Iterator[Problem]:
        """Everything wrong with the listing, and what deserves a look, in one pass.

        ``rdfc datasets check`` tells all of it; every command that uses the data set tells the
        warnings. The images and masks themselves are checked by core, case by case.

        Called:
            By `rdfc datasets check`; its warnings by every other command that uses the data set.
        """
        return iter(())
