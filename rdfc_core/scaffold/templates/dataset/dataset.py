"""A data set in folders: ``root/<class>/<case>.png`` beside ``<case>_mask.png``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rdfc_core import Case, DataError
from rdfc_core.interfaces import Dataset, Problem, SplitSpec

from .config import ExampleConfig


class Example(Dataset):
    """One folder a class; a file name up to the first ``-`` names the patient.

    ``malignant/p07-left.png`` and ``malignant/p07-left_mask.png`` are a case of patient ``p07``.
    """

    citation = ""  # how to cite published data; "" for the user's own

    def __init__(self, config: ExampleConfig) -> None:
        self.config = config

    def cases(self) -> Sequence[Case]:
        """All cases, by class and file name.

        Raises:
            DataError: If there is no such folder or nothing in it.
        """
        # Only names are read here: images are opened when a case is loaded, so that listing
        # stays fast and one bad file costs one case.
        cases = [self._case(label, stem) for label, stem in self._found()]
        if not cases:
            raise DataError(
                f"No case was found in {self.config.root}. Put pictures into one folder a class: "
                f"benign/p01{self.config.suffix} and benign/p01_mask{self.config.suffix}."
            )
        return cases

    @property
    def classes(self) -> tuple[str, ...]:
        """The folders' names, sorted; of two, the second is the positive one."""
        return tuple(sorted({label for label, _ in self._found()}))

    def protocol(self) -> SplitSpec:
        """A stratified hold-out part; all other cases serve pretraining."""
        return SplitSpec(kind="holdout", test_fraction=0.2)

    def problems(self) -> Iterator[Problem]:
        """Every picture without a mask."""
        for case in self.cases():
            if not case.mask.exists():
                yield Problem(
                    case.case_id, "mask", f"{case.mask} does not exist", "Add it, or drop the case"
                )

    def with_list(self, listing: Path) -> Dataset | None:
        """New cases for ``rdfc predict``: a folder laid out alike; lists are rdfc's own to read."""
        if not listing.is_dir():
            return None
        return Example(self.config.model_copy(update={"root": listing}))

    def _found(self) -> list[tuple[str, str]]:
        end = self.config.suffix
        pictures = self.config.root.glob(f"*/*{end}")
        stems = [(p.parent.name, p.name.removesuffix(end)) for p in pictures]
        # Sorted: the order of a listing differs between file systems, and splits depend on it.
        return sorted((label, stem) for label, stem in stems if not stem.endswith("_mask"))

    def _case(self, label: str, stem: str) -> Case:
        folder = self.config.root / label
        return Case(
            case_id=f"{label}/{stem}",
            # Cases of one patient are never split between training and test.
            patient_id=stem.split("-")[0],
            image=folder / f"{stem}{self.config.suffix}",
            mask=folder / f"{stem}_mask{self.config.suffix}",
            label=label,
        )
