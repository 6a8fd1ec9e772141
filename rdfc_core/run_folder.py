"""The folder a study writes: what lies where, and when it may be continued or replaced."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any

import yaml
from filelock import FileLock, Timeout

from rdfc_core.case import Case
from rdfc_core.errors import StudyError
from rdfc_core.failures import Failure
from rdfc_core.files import replacing
from rdfc_core.local_executor import usable_cores
from rdfc_core.plain_data import parse_yaml
from rdfc_core.plugins import Registry
from rdfc_core.resolve import ResolvedStudy
from rdfc_core.splits import Split

OWN = (
    "study.yaml",
    "cases.csv",
    "features.parquet",
    "checkpoints",
    "tensorboard",
    "metrics.jsonl",
    "model",
    "trials",
    "results.json",
    "predictions.parquet",
    "embeddings.parquet",
    "pictures.parquet",
    "attention.parquet",
    "report.html",
)
"""Everything a run writes; ``--overwrite`` removes these and nothing else."""

LOCK = ".lock"
"""Held by the process that works in the folder."""

LIBRARIES = (
    "rdfc-core",
    "torch",
    "torchvision",
    "timm",
    "pyradiomics",
    "numba",
    "SimpleITK",
    "numpy",
)


@dataclass(frozen=True)
class RunFolder:
    """The paths of a run."""

    path: Path

    @property
    def study(self) -> Path:
        """The resolved study, with versions."""
        return self.path / "study.yaml"

    @property
    def cases(self) -> Path:
        """Every case: its part in each split, and the fingerprint of its content."""
        return self.path / "cases.csv"

    @property
    def results(self) -> Path:
        """The results, once the run is complete."""
        return self.path / "results.json"

    @property
    def trials(self) -> Path:
        """What each method that labels train said, as it is done."""
        return self.path / "trials"

    def model(self, split: str) -> Path:
        """The trained model of a split."""
        return self.path / "model" / split

    def models(self) -> list[Path]:
        """All trained models.

        Raises:
            StudyError: If there is none yet.
        """
        found = sorted((self.path / "model").glob("*/model.json"))
        if not found:
            raise StudyError(
                f"{self.path} holds no trained model. Train one: rdfc run STUDY.yaml --out "
                f"{self.path}."
            )
        return [file.parent for file in found]

    @contextmanager
    def claimed(self, study: ResolvedStudy, registry: Registry, overwrite: bool) -> Iterator[None]:
        """The folder, for this study and this process alone: begun, or continued.

        Raises:
            StudyError: If the folder holds another study, files that are no run's, or if another
                process is at work in it.
        """
        if not self.study.exists() and self._others():
            kept = ", so --overwrite leaves it alone" if overwrite else ""
            raise StudyError(
                f"{self.path} holds files and no run{kept}. Choose another --out, or empty it."
            )
        self.path.mkdir(parents=True, exist_ok=True)
        # The system frees the lock of a process that is killed; the file itself stays.
        lock = FileLock(self.path / LOCK)
        try:
            lock.acquire(blocking=False)
        except Timeout as error:
            raise StudyError(
                f"Another rdfc is at work in {self.path}. Wait for it, or choose another --out."
            ) from error
        try:
            self._begin(study, registry, overwrite)
            yield
        finally:
            lock.release()

    def _begin(self, study: ResolvedStudy, registry: Registry, overwrite: bool) -> None:
        if overwrite:
            self._clear()
        wanted = study.dump()
        if self.study.exists():
            there = self.read_study()
            if there != wanted:
                changed = ", ".join(_differences(there, wanted)[:5])
                raise StudyError(
                    f"{self.path} holds a run of another study (different: {changed}). Choose "
                    "another --out, or replace it with --overwrite."
                )
            return
        text = yaml.safe_dump({**wanted, "versions": versions(study, registry)}, sort_keys=False)
        with replacing(self.study) as partial:
            partial.write_text(text, encoding="utf-8")

    def read_study(self) -> dict[str, Any]:
        """The study of this run as plain data, without the versions.

        Raises:
            StudyError: If there is none or it is unreadable.
        """
        try:
            data = parse_yaml(self.study.read_text(encoding="utf-8"))
            if not isinstance(data, dict):
                raise ValueError("it holds no mapping")
        except (OSError, ValueError) as error:
            raise StudyError(
                f"{self.path} is no run folder: its study.yaml cannot be read ({error}). Name the "
                "folder that rdfc run wrote."
            ) from error
        data.pop("versions", None)
        return data

    def record_cases(
        self,
        cases: Sequence[Case],
        fingerprints: Mapping[str, str],
        failures: Sequence[Failure],
        splits: Sequence[Split],
    ) -> None:
        """Write ``cases.csv``.

        Raises:
            StudyError: If training has begun on other cases than these.
        """
        reasons = {failure.case_id: failure.reason for failure in failures}
        header = ["case_id", "patient_id", "label", "fingerprint", *(s.name for s in splits)]
        parts = [
            {c: part for part in ("pretext", "train", "test") for c in getattr(split, part)}
            for split in splits
        ]
        rows = [
            [
                case.case_id,
                case.patient_id,
                case.label or "",
                fingerprints.get(case.case_id, ""),
                *(part.get(case.case_id, "") for part in parts),
                reasons.get(case.case_id, ""),
            ]
            for case in cases
        ]
        begun = (self.path / "checkpoints").exists() or self.trials.exists()
        if self.cases.exists() and begun:
            before, now = self._used_cases(), [row[:-1] for row in rows if not row[-1]]
            if before != now:
                unlike = sorted({row[0] for row in before} ^ {row[0] for row in now})
                what = f"for example {unlike[0]}" if unlike else "their content, or their split"
                raise StudyError(
                    f"The cases have changed since {self.path} began to train ({what}). Choose "
                    "another --out, or begin afresh with --overwrite."
                )
        with (
            replacing(self.cases) as partial,
            partial.open("w", newline="", encoding="utf-8") as file,
        ):
            csv.writer(file).writerows([[*header, "failed"], *rows])

    def recorded_cases(self) -> list[tuple[str, ...]]:
        """Case id, patient, label and fingerprint of every case in ``cases.csv``; none without."""
        if not self.cases.exists():
            return []
        with self.cases.open(newline="", encoding="utf-8") as file:
            return [tuple(row[:4]) for row in list(csv.reader(file))[1:]]

    def _used_cases(self) -> list[list[str]]:
        with self.cases.open(newline="", encoding="utf-8") as file:
            return [row[:-1] for row in list(csv.reader(file))[1:] if not row[-1]]

    def _others(self) -> bool:
        """Whether there is anything in the folder but what a crash may have left of a run."""
        if not self.path.exists():
            return False
        return any(
            file.name != LOCK and not file.name.startswith("partial-")
            for file in self.path.iterdir()
        )

    def _clear(self) -> None:
        for name in OWN:
            target = self.path / name
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)


def versions(study: ResolvedStudy, registry: Registry) -> dict[str, str]:
    """Versions of Python, the libraries that matter, and the plugins that the study uses."""
    found = {"python": python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    used = {(part.kind, part.name) for part in study.parts()}
    for component, source in registry.components():
        if (component.kind, component.name) in used:
            found[source.distribution] = source.version
    return found


def machine() -> str:
    """This machine in a few words."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{usable_cores()} CPU cores, {device}"


def _differences(a: Any, b: Any, path: str = "") -> list[str]:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return [
            found
            for key in sorted({*a, *b})
            for found in _differences(a.get(key), b.get(key), f"{path}.{key}" if path else key)
        ]
    return [] if a == b else [path]
