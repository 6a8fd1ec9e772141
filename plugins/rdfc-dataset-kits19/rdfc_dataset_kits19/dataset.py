"""KiTS19: ``data/case_00000 … 00209/{imaging,segmentation}.nii.gz`` and ``data/kits.json``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import ClassVar

from rdfc_core.case import Case
from rdfc_core.errors import DataError
from rdfc_core.interfaces import Dataset, Problem, PublishedStudy, SplitSpec, refuse_problems
from rdfc_dataset_kits19.config import Kits19Config
from rdfc_dataset_kits19.faults import FAULTS, ODDITIES
from rdfc_dataset_kits19.listing import CASE_IDS, LIST, KitsList, ranges, read_listing, unlisted
from rdfc_dataset_kits19.selection import CLASSES, LabelSelection, describe, select

FOLDER = "data"
FILES = {"image": "imaging.nii.gz", "mask": "segmentation.nii.gz"}
TUMOUR = 2
"""Its value in the masks; 1 is the kidney."""
FETCH = "Download it with the challenge's starter kit, or set allow_missing: true."


class Kits19(Dataset):
    """210 kidney tumours in contrast-enhanced CT, one a patient, with outlines and subtypes.

    Labelled are the paper's 70 cases: 20 clear cell (drawn by ``seed``), 21 papillary,
    19 chromophobe, 10 oncocytoma. The other 140 serve pretraining alone, so that it runs once for
    all five folds. The volumes store their slices first, which SimpleITK hands over last; rdfc
    finds the axial slices by the direction in the file's header.

    A case is missing if its scan or its mask is. An incomplete copy is refused, unless
    ``allow_missing`` is set: then the same rule selects among the cases that are there; clear cell
    cases are labelled up to half of those, a class with one labelled case is left out, and there
    are at most as many folds as the smallest class has cases.

    The data are handed out by the challenge's organisers and not part of this package.
    """

    citation: ClassVar[str] = (
        "Heller N, Sathianathen N, Kalapara A, Walczak E, Moore K, Kaluzniak H, Rosenberg J, "
        "Blake P, Rengel Z, Oestreich M, et al.: The KiTS19 Challenge Data: 300 Kidney Tumor Cases "
        "with Clinical Context, CT Semantic Segmentations, and Surgical Outcomes. "
        "arXiv:1904.00445, 2019"
    )

    def __init__(self, config: Kits19Config) -> None:
        self.config = config
        inner = config.root / FOLDER
        self.folder = inner if inner.is_dir() else config.root

    @property
    def classes(self) -> tuple[str, ...]:
        """The paper's four; in an incomplete copy, those of them that have labelled cases."""
        return self._selection.classes if self.config.allow_missing else CLASSES

    def cases(self) -> Sequence[Case]:
        """The cases that are used, by number.

        Raises:
            DataError: If ``kits.json`` cannot be read or is incomplete, or if cases are missing
                and ``allow_missing`` is not set; the message names them.
        """
        refuse_problems(self._listing_problems, "kits19")
        if self._missing and not self.config.allow_missing:
            raise DataError(
                f"KiTS19 in {self.folder}: {self._absence}. Download them with the challenge's "
                "starter kit, or set allow_missing: true."
            )
        return self._used

    def listed_cases(self) -> Sequence[Case]:
        """The cases that are used; of a copy that `cases` refuses, all that should be."""
        return self._used if self.folder.is_dir() else ()

    @classmethod
    def published(cls) -> PublishedStudy:
        """Zhao & Yang 2021."""
        return PublishedStudy.read(files("rdfc_dataset_kits19") / "paper.yaml")

    def protocol(self) -> SplitSpec:
        """Five folds by patient, or fewer in an incomplete copy; pretraining on the unlabelled."""
        return SplitSpec(kind="folds", folds=self._selection.folds, pretext="unlabelled")

    def problems(self) -> Iterator[Problem]:
        """Everything wrong with list and folders, and the known faults of the cases used."""
        yield from self._listing_problems
        if not self.folder.is_dir():
            return
        if self._missing and not self.config.allow_missing:
            yield from self._missing_files()
        elif len(self._ids) < len(CASE_IDS):
            fix = "Results are not those of the whole data set."
            yield Problem("", "cases", self._deviation, fix, "warning")
        if len(self._selection.labels) == len(self._ids):
            message = "no unlabelled case is there to pretrain on"
            fix = "Download more cases, or set split.pretext to train."
            yield Problem("", "cases", message, fix, "warning")
        for case_id in self._ids:
            if case_id in FAULTS:
                field, reason = FAULTS[case_id]
                fix = "Look at it, or set leave_out_faulty: true."
                yield Problem(case_id, field, f"known fault: {reason}", fix, "warning")
            elif case_id in ODDITIES:
                fix = "Nothing for rdfc, which takes slices of any size."
                yield Problem(case_id, *ODDITIES[case_id], fix, "warning")

    @cached_property
    def _listing(self) -> KitsList:
        beside, within = self.folder.parent / LIST, self.folder / LIST
        return read_listing(beside if beside.is_file() and not within.is_file() else within)

    @cached_property
    def _listing_problems(self) -> Sequence[Problem]:
        if not self.folder.is_dir():
            fix = f"root must be the folder around {FOLDER}/, which holds the cases."
            return [Problem("", "root", f"{self.folder} is no folder", fix)]
        if self.config.allow_missing:  # a case without an entry is then a missing one
            return self._listing.problems
        return [*self._listing.problems, *unlisted(self._listing)]

    @cached_property
    def _wanted(self) -> Sequence[str]:
        """The cases that a complete copy would use."""
        faulty = FAULTS if self.config.leave_out_faulty else {}
        return [case_id for case_id in CASE_IDS if case_id not in faulty]

    @cached_property
    def _missing(self) -> Sequence[str]:
        listed = self._listing.entries if self.config.allow_missing else CASE_IDS
        return [
            case_id
            for case_id in self._wanted
            if case_id not in listed or not all(self._file(case_id, f).is_file() for f in FILES)
        ]

    @cached_property
    def _selection(self) -> LabelSelection:
        subtypes = self._listing.subtypes()
        return select({c: subtypes[c] for c in self._ids if c in subtypes}, self.config.seed)

    @cached_property
    def _ids(self) -> Sequence[str]:
        """The cases that are used, given that missing ones are refused or allowed."""
        absent = set(self._missing) if self.config.allow_missing else set()
        return [case_id for case_id in self._wanted if case_id not in absent]

    @cached_property
    def _used(self) -> Sequence[Case]:
        return [self._case(case_id) for case_id in self._ids]

    def _case(self, case_id: str) -> Case:
        return Case(
            case_id,
            case_id,
            self._file(case_id, "image"),
            self._file(case_id, "mask"),
            self._selection.labels.get(case_id),
            TUMOUR,
            self.config.component,
            self._listing.columns(case_id),
        )

    def _file(self, case_id: str, field: str) -> Path:
        return self.folder / case_id / FILES[field]

    def _missing_files(self) -> Iterator[Problem]:
        for case_id in self._missing:
            for field in FILES:
                path = self._file(case_id, field)
                if not path.is_file():
                    yield Problem(case_id, field, f"the {field} {path} does not exist", FETCH)

    @property
    def _absence(self) -> str:
        lack = f"lack {' or '.join(FILES.values())}"
        return f"{len(self._missing)} of {len(self._wanted)} cases {lack} ({ranges(self._missing)})"

    @property
    def _deviation(self) -> str:
        """In what the cases differ from the paper's: which are not used, and who is labelled."""
        parts = []
        if self.config.leave_out_faulty:
            parts.append(f"{ranges(sorted(FAULTS))} left out as faulty")
        if self._missing:
            parts.append(self._absence)
        return "; ".join([*parts, describe(self._selection, len(self._ids))])
