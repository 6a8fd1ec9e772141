"""The folder a study writes: what lies where, and when it may be continued or replaced."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any

import yaml
from filelock import FileLock, Timeout

from rdfc_core.config.load import read_recorded, without_added, wrote_study
from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.data.splits import Split
from rdfc_core.errors import RdfcError, StudyError
from rdfc_core.evaluation.trials import depends_on_pretext
from rdfc_core.extraction.local_executor import usable_cores
from rdfc_core.pipeline.case_record import CaseRow, change, read_rows, write_rows
from rdfc_core.pipeline.run_files import (
    LOCK,
    holds_others,
    refuse_links,
    remove_own,
    remove_partial,
)
from rdfc_core.pipeline.run_inputs import READERS, changes, extends
from rdfc_core.plugin.registry import Registry
from rdfc_core.results import files
from rdfc_core.utils.atomic import replacing

log = logging.getLogger("rdfc")

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
        return self.path / files.STUDY

    @property
    def cases(self) -> Path:
        """Every case: its part in each split, and the fingerprint of its content."""
        return self.path / files.CASES

    @property
    def results(self) -> Path:
        """The results, once the run is complete."""
        return self.path / files.RESULTS

    @property
    def trials(self) -> Path:
        """What each method that labels train said, as it is done."""
        return self.path / files.TRIALS

    def model(self, split: str) -> Path:
        """The trained model of a split."""
        return self.path / files.MODELS / split

    def models(self) -> list[Path]:
        """All trained models.

        Raises:
            StudyError: If there is none yet.
        """
        found = sorted((self.path / files.MODELS).glob(f"*/{files.MODEL_ABOUT}"))
        if not found:
            raise StudyError(
                f"{self.path} holds no trained model. Train one: rdfc run STUDY.yaml --out "
                f"{self.path}."
            )
        return [file.parent for file in found]

    @property
    def learnt(self) -> bool:
        """Whether anything has been trained here, finished or not."""
        return (self.path / files.CHECKPOINTS).exists() or self.trials.exists()

    @contextmanager
    def claimed(
        self,
        study: ResolvedStudy,
        registry: Registry,
        overwrite: bool,
        inputs: Mapping[str, Any] | None = None,
    ) -> Iterator[None]:
        """The folder, for this study and this process alone: begun, or continued.

        A run that is refused before anything was trained leaves nothing behind.

        Args:
            study: Resolved.
            registry: Whose versions are recorded.
            overwrite: Replace the run that is there.
            inputs: What `rdfc_core.pipeline.run_inputs.inputs_of` says of the study.

        Raises:
            StudyError: If the folder holds another study, files that are no run's, or if another
                process is at work in it.
        """
        made = not self.path.exists()
        if not self.is_run() and holds_others(self.path):
            kept = ", so --overwrite leaves it alone" if overwrite else ""
            raise StudyError(
                f"{self.path} holds files and no run{kept}. Choose another --out, or empty it."
            )
        refuse_links(self.path)
        self.path.mkdir(parents=True, exist_ok=True)
        # The system frees the lock of a process that is killed; the file itself stays.
        lock = FileLock(self.path / LOCK)
        try:
            lock.acquire(blocking=False)
        except Timeout as error:
            raise StudyError(
                f"Another rdfc is at work in {self.path}. Wait for it, or choose another --out."
            ) from error
        begun = False
        try:
            remove_partial(self.path)
            begun = self._begin(study, registry, overwrite, inputs)
            yield
        except RdfcError:
            if begun and not (self.learnt or self.results.exists()):
                remove_own(self.path)
                if made:
                    self._leave()
            raise
        finally:
            lock.release()

    def is_run(self) -> bool:
        """Whether a run wrote the ``study.yaml`` that is here; one written by hand is none."""
        return self.study.exists() and wrote_study(self._recorded())

    def _begin(
        self,
        study: ResolvedStudy,
        registry: Registry,
        overwrite: bool,
        inputs: Mapping[str, Any] | None,
    ) -> bool:
        """Make it the folder of this study.

        Returns:
            Whether it was begun here and now.
        """
        if overwrite:
            remove_own(self.path)
        if self.study.exists():
            recorded = self._recorded()
            changed = changes(study, self.read_study(), inputs, recorded.get("inputs") or {})
            if not changed:
                if extends(study, self.read_study()):
                    self._extend(study, recorded)
                elif self.read_study()["dataset"] != study.dump()["dataset"]:
                    log.info("The data set lies elsewhere than when %s began.", self.path)
                    self._write_study({**recorded, "dataset": study.dump()["dataset"]})
                return False
            if self.learnt or self.results.exists():
                raise StudyError(
                    f"{self.path} holds a run of another study (different: "
                    f"{', '.join(changed[:5])}). Choose another --out, or replace it with "
                    "--overwrite."
                )
            log.info("%s holds a study that was given up before training: replaced.", self.path)
            remove_own(self.path)
        readers = [one.get("distribution") for one in (inputs or {}).get(READERS, {}).values()]
        made = {
            "versions": versions(study, registry, [name for name in readers if name]),
            "inputs": dict(inputs or {}),
        }
        self._write_study({**study.dump(), **made})
        return True

    def _extend(self, study: ResolvedStudy, recorded: Mapping[str, Any]) -> None:
        """Give the run the larger budget; what was learnt, or judged, by the smaller one goes."""
        log.info("%s is extended: its pretraining goes on from where it was.", self.path)
        for name in files.AFTER_PRETRAINING:
            (self.path / name).unlink(missing_ok=True)
        for trial in self.trials.glob("*/*"):
            if trial.is_file() and depends_on_pretext(trial.stem):
                trial.unlink()
        self._write_study({**recorded, "pretrain": study.dump()["pretrain"]})

    def _write_study(self, content: Mapping[str, Any]) -> None:
        with replacing(self.study) as partial:
            partial.write_text(yaml.safe_dump(dict(content), sort_keys=False), encoding="utf-8")

    def _leave(self) -> None:
        """Remove the folder that was made for a run which never began."""
        (self.path / LOCK).unlink(missing_ok=True)
        if not any(self.path.iterdir()):
            self.path.rmdir()

    def _recorded(self) -> dict[str, Any]:
        """All that ``study.yaml`` holds; nothing if it cannot be read."""
        try:
            return read_recorded(self.study)
        except (OSError, ValueError):
            return {}

    def recorded_versions(self) -> dict[str, str]:
        """The versions with which the run began."""
        found = self._recorded().get("versions")
        return found if isinstance(found, dict) else {}

    def recorded_inputs(self) -> dict[str, Any]:
        """What `rdfc_core.pipeline.run_inputs.inputs_of` said when the run began."""
        found = self._recorded().get("inputs")
        return found if isinstance(found, dict) else {}

    def read_study(self) -> dict[str, Any]:
        """The study of this run as plain data, without what the run adds.

        Raises:
            StudyError: If there is none or it is unreadable.
        """
        try:
            return without_added(read_recorded(self.study))
        except (OSError, ValueError) as error:
            raise StudyError(
                f"{self.path} is no run folder: its study.yaml cannot be read ({error}). Name the "
                "folder that rdfc run wrote."
            ) from error

    def record_cases(self, rows: Sequence[CaseRow], splits: Sequence[Split]) -> None:
        """Write ``cases.csv``.

        Raises:
            StudyError: If training has begun on other cases than these.
        """
        if self.cases.exists() and self.learnt:
            used = [[row for row in some if not row.failed] for some in (self.case_rows(), rows)]
            changed = change(*used)
            if changed:
                raise StudyError(
                    f"The cases have changed since {self.path} began to train ({changed}). Choose "
                    "another --out, or begin afresh with --overwrite."
                )
        write_rows(self.cases, rows, splits)

    def case_rows(self) -> list[CaseRow]:
        """Every case as this run recorded it; none before it did."""
        return read_rows(self.cases)


def versions(
    study: ResolvedStudy, registry: Registry, readers: Sequence[str] = ()
) -> dict[str, str]:
    """Versions of Python, the libraries that matter, and the plugins that the study uses.

    Args:
        study: Resolved.
        registry: Knows the plugins.
        readers: Distributions of the readers of its cases, which the study need not name.
    """
    found = {"python": python_version()}
    for library in (*LIBRARIES, *readers):
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found | code_versions(study, registry)


def code_versions(study: ResolvedStudy, registry: Registry) -> dict[str, str]:
    """Versions of rdfc itself and of the plugins that the study uses."""
    found = {"rdfc-core": version("rdfc-core")}
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
