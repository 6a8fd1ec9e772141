"""TN-SCUI2020: ``train.csv``, ``image/<id>.PNG`` and ``mask/<id>.PNG``.

The columns of ``train.csv`` are read by their position: file name, then class (0 benign, 1
malignant). A first line whose second field is no number is its header.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import ClassVar

from rdfc_core.case import Case
from rdfc_core.interfaces import Dataset, Problem, PublishedStudy, SplitSpec, refuse_problems
from rdfc_dataset_tnscui2020.config import TnScui2020Config

CLASSES = ("benign", "malignant")
FOLDER = "TNSCUI2020_train"
LIST = "train.csv"
PAPER_CASES = 3644
PAPER_TEST_CASES = 728
"""Zhao & Yang 2021, Sect. 3.1; a fifth of 3,644, rounded up, would be 729."""
SHOWN_NAMES = 3


@dataclass(frozen=True)
class _Listing:
    """The cases of ``train.csv``, and the problems of its lines."""

    cases: Sequence[Case]
    problems: Sequence[Problem]


class TnScui2020(Dataset):
    """3,644 thyroid nodules in ultrasound, one a patient, with outlines.

    The data are handed out by the challenge's organisers and not part of this package.
    """

    citation: ClassVar[str] = (
        "Zhou J, Jia X, Ni D, Noble A, Huang R, Tan T, Van MT: Thyroid Nodule Segmentation and "
        "Classification in Ultrasound Images (TN-SCUI2020). MICCAI 2020 challenge. "
        "doi:10.5281/zenodo.3715942"
    )

    def __init__(self, config: TnScui2020Config) -> None:
        inner = config.root / FOLDER
        self.root = inner if (inner / LIST).exists() else config.root

    @property
    def classes(self) -> tuple[str, ...]:
        """Benign and malignant."""
        return CLASSES

    def cases(self) -> Sequence[Case]:
        """The cases in the order of ``train.csv``; the id is the file's name without its ending.

        Raises:
            DataError: If ``train.csv`` or a folder is missing, or a line cannot be understood.
        """
        refuse_problems(self._listing.problems, "tn-scui2020")
        return self._listing.cases

    def listed_cases(self) -> Sequence[Case]:
        """The cases of all sound lines, also beside lines for which `cases` refuses the list."""
        return self._listing.cases

    @classmethod
    def published(cls) -> PublishedStudy:
        """Zhao & Yang 2021."""
        return PublishedStudy.read(files("rdfc_dataset_tnscui2020") / "paper.yaml")

    def protocol(self) -> SplitSpec:
        """One stratified hold-out of a fifth; of the whole data set, the paper's 728 cases."""
        whole = len(self._listing.cases) == PAPER_CASES
        return SplitSpec(
            kind="holdout",
            test_fraction=0.2,
            test_cases=PAPER_TEST_CASES if whole else None,
            pretext="train",
        )

    def problems(self) -> Iterator[Problem]:
        """Everything wrong with the list and the folders: lines, missing and unlisted files."""
        yield from self._listing.problems
        for folder in ("image", "mask"):
            listed = {getattr(case, folder) for case in self._listing.cases}
            for case in self._listing.cases:
                path = getattr(case, folder)
                if not path.exists():
                    message = f"the {folder} {path} does not exist"
                    fix = "Unpack the data set again, or drop the line from train.csv."
                    yield Problem(case.case_id, folder, message, fix)
            extra = sorted(p.name for p in self._files(folder).values() if p not in listed)
            if extra and listed:
                names = ", ".join(extra[:SHOWN_NAMES]) + (", …" if len(extra) > SHOWN_NAMES else "")
                yield Problem(
                    "",
                    folder,
                    f"{self.root / folder} holds more than {LIST} lists: {len(extra)} ({names})",
                    "What is not listed is not used; check that the list is complete.",
                    "warning",
                )

    @cached_property
    def _listing(self) -> _Listing:
        path = self.root / LIST
        for needed in (path, self.root / "image", self.root / "mask"):
            if not needed.exists():
                fix = "root must be the folder that holds train.csv, image/ and mask/."
                return _Listing((), [Problem("", "root", f"{needed} does not exist", fix)])
        try:
            with path.open(encoding="utf-8-sig", newline="") as stream:
                lines = [[field.strip() for field in fields] for fields in csv.reader(stream)]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            fix = "Unpack the data set again."
            return _Listing((), [Problem("", LIST, f"{path} cannot be read: {error}", fix)])
        return self._read(path, lines)

    def _read(self, path: Path, lines: Sequence[Sequence[str]]) -> _Listing:
        images, masks = self._files("image"), self._files("mask")
        cases: dict[str, Case] = {}
        problems = []
        for number, fields in enumerate(lines, start=1):
            name, label = (*fields, "", "")[:2]
            if not any(fields) or (number == 1 and not label.isdecimal()):
                continue
            case_id = Path(name).stem
            if not name or label not in ("0", "1") or case_id in cases:
                message = f"{path}, line {number}: {_fault(name, label)}"
                fix = "A line names a file and 0 (benign) or 1 (malignant)."
                problems.append(Problem(case_id, LIST, message, fix))
                continue
            cases[case_id] = Case(
                case_id,
                case_id,
                images.get(case_id, self.root / "image" / name),
                masks.get(case_id, self.root / "mask" / name),
                CLASSES[int(label)],
            )
        if not cases and not problems:
            problems.append(
                Problem("", LIST, f"{path} lists no case", "Unpack the data set again.")
            )
        return _Listing(list(cases.values()), problems)

    def _files(self, folder: str) -> dict[str, Path]:
        """The folder's files by name without ending, which may be .PNG or .png."""
        place = self.root / folder
        found = place.iterdir() if place.is_dir() else ()
        return {p.stem: p for p in sorted(found) if p.is_file() and not p.name.startswith(".")}


def _fault(name: str, label: str) -> str:
    if not name:
        return "the file name is empty"
    if label not in ("0", "1"):
        return f"the class is {label!r}"
    return f"{name} is listed a second time"
