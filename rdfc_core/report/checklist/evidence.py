"""What a run folder holds as evidence: read from its files, without plugins, data or torch."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rdfc_core.errors import DataError
from rdfc_core.report.checklist.saved_model import SavedModel, saved_models
from rdfc_core.report.load import read_run
from rdfc_core.report.parquet import damaged
from rdfc_core.report.run_data import Method, RecordedPredictions, RecordedResults, RunData
from rdfc_core.results import files
from rdfc_core.results.schema import Row
from rdfc_core.results.validation import Validation
from rdfc_core.results.vocabulary import REGRESSION
from rdfc_core.utils.atomic import MOST_TEXT, within
from rdfc_core.utils.serialization import parse_json

VALIDATION = "validation.json"
BEFORE, AFTER = (
    ("case_id", "patient_id", "label", "fingerprint"),
    ("listed_part", "failed", "image"),
)
"""Columns of ``cases.csv`` around those of the splits."""


@dataclass(frozen=True)
class CaseEvidence:
    """A case as ``cases.csv`` has it.

    Args:
        case_id: The case.
        patient: Its patient.
        label: "" without one.
        content: Fingerprint of image and outline; "" if they could not be read.
        image: Fingerprint of the image alone; "" in runs of an older rdfc.
        parts: Split → ``pretext``, ``train``, ``test`` or "".
        failed: Why it could not be used, or "".
    """

    case_id: str
    patient: str
    label: str
    content: str
    image: str
    parts: Mapping[str, str]
    failed: str


@dataclass(frozen=True)
class Evidence:
    """A run folder.

    Args:
        folder: The folder.
        run: What the report sees of it.
        cases: All that are listed.
        splits: Their names.
        models: Split → what is saved of its model.
        validations: Of the saved model on cases of other places: where each lies, and what it says.
    """

    folder: Path
    run: RunData
    cases: tuple[CaseEvidence, ...]
    splits: tuple[str, ...]
    models: Mapping[str, SavedModel]
    validations: tuple[tuple[str, Validation], ...]

    @property
    def results(self) -> RecordedResults:
        """What ``results.json`` holds."""
        assert self.run.results is not None  # `read_evidence` refuses a run without
        return self.run.results

    @property
    def regression(self) -> bool:
        """Whether numbers are predicted."""
        return bool(self.run.task == REGRESSION)

    def setting(self, path: str) -> Any:
        """The study's option at a dotted path, or None."""
        found: Any = self.run.study or {}
        for key in path.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
        return found

    def part(self, split: str, *parts: str) -> list[CaseEvidence]:
        """The cases of some parts of a split that could be used."""
        return [one for one in self.cases if one.parts.get(split) in parts and not one.failed]

    def pretext(self, split: str) -> list[str]:
        """The ids of the cases that a split pretrained on."""
        return [one.case_id for one in self.part(split, "pretext", *self._also_taught)]

    @property
    def _also_taught(self) -> tuple[str, ...]:
        """Training cases serve pretraining, unless the split says unlabelled ones alone."""
        protocol = self.recorded(files.STUDY, "inputs.protocol.pretext")
        return () if protocol == "unlabelled" else ("train",)

    def recorded(self, file: str, path: str) -> Any:
        """A value of ``study.yaml`` or ``results.json`` as it stands there, or None."""
        found: Any = self._raw.get(file)
        for key in path.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
        return found

    @cached_property
    def _raw(self) -> dict[str, Any]:
        from rdfc_core.config.load import read_recorded

        study = self.folder / files.STUDY
        return {
            files.STUDY: read_recorded(study) if study.is_file() else {},
            files.RESULTS: _json(self.folder / files.RESULTS),
        }

    @property
    def main(self) -> Method | None:
        """What the run stands for: what the headline is about."""
        if self.results.headline is not None:
            told = self.results.headline.main
            return Method(told.table, told.method, told.input, told.layer, told.classifier)
        return None

    def rows(self, method: Method | None = None, metric: str = "") -> list[Row]:
        """Rows with all labels, of one method and metric if asked for."""
        return [
            row
            for row in self.results.rows
            if row.label_fraction == 1
            and (not metric or row.metric == metric)
            and (
                method is None
                or (row.table, row.method, row.input, row.layer, row.classifier) == tuple(method)
            )
        ]

    @cached_property
    def predictions(self) -> RecordedPredictions | None:
        """What the method that the run stands for said of held-back cases."""
        return next((one for one in self.run.predictions if one.method == self.main), None)

    @cached_property
    def evaluations(self) -> tuple[Mapping[str, Any], ...]:
        """The record of the evaluations of the test part, the first one first."""
        path = self.folder / files.EVALUATIONS
        if not path.is_file():
            return ()
        try:
            lines = within(path, MOST_TEXT).read_text(encoding="utf-8").splitlines()
            found = [parse_json(line) for line in lines if line.strip()]
        except ValueError as error:
            raise damaged(path, error) from error
        return tuple(one for one in found if isinstance(one, Mapping))


def read_evidence(
    folder: Path, validations: Sequence[Path] = (), run: RunData | None = None
) -> Evidence:
    """Read a run folder, and validations of its model.

    Args:
        folder: The run folder. Validations in folders of it are found.
        validations: Further folders that ``rdfc validate`` wrote.
        run: What the report sees of it, where that is read already.

    Raises:
        DataError: If it is no run folder, its run is not finished, or a file is damaged.
    """
    run = run or read_run(folder)
    if run.results is None or not run.results.rows:
        raise DataError(
            f"{folder} holds no results yet, so that no checklist can be answered from it. Finish "
            "the run with rdfc run."
        )
    cases, splits = _cases(folder / files.CASES)
    within_run = sorted(path.parent for path in folder.glob(f"*/{VALIDATION}"))
    found = []
    for place in dict.fromkeys(path.resolve() for path in (*within_run, *validations)):
        inside = place.is_relative_to(folder.resolve())
        name = str(place.relative_to(folder.resolve())) if inside else place.name
        found.append((f"{name}/{VALIDATION}", Validation.read(place / VALIDATION)))
    return Evidence(folder, run, cases, splits, saved_models(folder), tuple(found))


def _cases(path: Path) -> tuple[tuple[CaseEvidence, ...], tuple[str, ...]]:
    if not path.is_file():
        return (), ()
    try:
        with within(path, MOST_TEXT).open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            header = tuple(rows.fieldnames or ())
            if header[: len(BEFORE)] != BEFORE:
                raise ValueError("its first line is not that of a run's list of cases")
            splits = tuple(name for name in header if name not in (*BEFORE, *AFTER))
            found = tuple(
                CaseEvidence(
                    row["case_id"],
                    row["patient_id"],
                    row["label"],
                    row["fingerprint"],
                    row.get("image") or "",
                    {split: row.get(split) or "" for split in splits},
                    row.get("failed") or "",
                )
                for row in rows
            )
    except (ValueError, KeyError, csv.Error) as error:
        raise damaged(path, error) from error
    return found, splits


def _json(path: Path) -> Any:
    try:
        return json.loads(within(path, MOST_TEXT).read_text(encoding="utf-8"))
    except ValueError as error:
        raise damaged(path, error) from error
