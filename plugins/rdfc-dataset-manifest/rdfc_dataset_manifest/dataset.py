"""The data set ``manifest``: cases from a CSV file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from rdfc_core import StudyError
from rdfc_core.case import Case
from rdfc_core.data.cells import number
from rdfc_core.interfaces import Dataset, Problem, SplitSpec, refuse_problems
from rdfc_dataset_manifest.config import ManifestConfig
from rdfc_dataset_manifest.listing import ManifestListing, has_column, read_listing


class Manifest(Dataset):
    """Cases listed in a CSV file, one a row.

    Columns: ``case_id``, ``image`` and ``mask``; ``patient_id`` (a case without one is its own
    patient, and cases of one image share one), ``label`` (empty: unlabelled) and ``mask_value``;
    further ones are kept with the case. Cells such as ``nan`` are empty, and ``1.0`` is ``1``.
    Relative paths start from the folder of the CSV file.
    PyRadiomics' batch files are taken as they are; their ``Label`` is the mask's value. Without
    it, every value but 0 counts as tumour, where PyRadiomics takes 1.
    """

    def __init__(
        self, config: ManifestConfig, to_predict: bool = False, numbers: bool = False
    ) -> None:
        self.config = config
        self._to_predict, self._numbers = to_predict, numbers

    @cached_property
    def _listing(self) -> ManifestListing:
        return read_listing(self.config, self._to_predict, self._numbers)

    def cases(self) -> Sequence[Case]:
        """All cases in the order of the list.

        Raises:
            DataError: If the list cannot be read, lacks a column, names a case twice, or has a
                line that cannot be understood; the message holds the first problem.
        """
        refuse_problems(self._listing.problems, "manifest")
        return self._listing.cases

    def listed_cases(self) -> Sequence[Case]:
        """The cases of all sound lines, also beside lines for which `cases` refuses the list."""
        return self._listing.cases

    def with_list(self, listing: Path) -> Manifest:
        """Another list, whose columns and masks mean what they mean in this one.

        It needs neither patients nor splits, nor the columns that the options name for them, and
        may have other classes.
        """
        config = self.config.model_copy(update={"root": listing, "csv": None, "split_column": None})
        for option in ("label_column", "patient_column"):
            name = getattr(config, option)
            if name and not has_column(config, name):
                config = config.model_copy(update={option: None})
        return Manifest(config, to_predict=True, numbers=self._numbers)

    def with_numbers(self) -> Manifest:
        """The same list, its labels read as numbers.

        Raises:
            StudyError: If the options name classes.
        """
        if self.config.classes:
            raise StudyError(
                "dataset.classes: classes are named, and task is regression. Leave one of them out."
            )
        return Manifest(self.config, self._to_predict, numbers=True)

    @property
    def classes(self) -> tuple[str, ...]:
        """The configured classes, or all labels found: numbers by size, words by the alphabet.

        None where labels are numbers to predict.
        """
        if self._numbers:
            return ()
        if self.config.classes:
            return self.config.classes
        labels = {case.label for case in self._listing.cases if case.label is not None}
        sizes = {label: number(label) for label in labels}
        numbers = None not in sizes.values()
        return tuple(sorted(labels, key=lambda label: (sizes[label] if numbers else 0, label)))

    def protocol(self) -> SplitSpec:
        """The split of ``split_column``, or a stratified hold-out."""
        if self.config.split_column is None:
            return SplitSpec()
        return SplitSpec(kind="column", column=self._listing.split or self.config.split_column)

    def problems(self) -> Iterator[Problem]:
        """Everything wrong with the list, and the doubts about it, in one pass."""
        return iter(self._listing.problems)
