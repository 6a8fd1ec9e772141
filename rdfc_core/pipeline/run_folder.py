"""The folder a study writes: what lies where, and when it may be continued or replaced."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rdfc_core.config.load import load_study, read_recorded, without_added, wrote_study
from rdfc_core.config.resolve import ResolvedStudy, resolve
from rdfc_core.config.study import Study
from rdfc_core.data.splits import Split
from rdfc_core.errors import RdfcError, StudyError
from rdfc_core.evaluation.trials import depends_on_pretext
from rdfc_core.pipeline.case_record import CaseRow, change, read_rows, write_rows, wrote_rows
from rdfc_core.pipeline.evaluation_record import evaluations, keep_evaluations
from rdfc_core.pipeline.kept_files import refuse_cleaned
from rdfc_core.pipeline.run_files import (
    LOCK,
    holds_others,
    locked,
    refuse_links,
    remove_own,
    remove_partial,
)
from rdfc_core.pipeline.run_inputs import READERS, changes, extends
from rdfc_core.pipeline.versions import versions
from rdfc_core.plugin.registry import Registry
from rdfc_core.results import files
from rdfc_core.utils.atomic import replacing

log = logging.getLogger("rdfc")


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
    ) -> Iterator[bool]:
        """The folder, for this study and this process alone: begun, or continued.

        A run that is refused before anything was trained leaves nothing behind.

        Args:
            study: Resolved.
            registry: Whose versions are recorded.
            overwrite: Replace the run that is there.
            inputs: What `rdfc_core.pipeline.run_inputs.inputs_of` says of the study.

        Yields:
            Whether the run is begun here and now.

        Raises:
            StudyError: If the folder holds another study, files that are no run's, or if another
                process is at work in it.
        """
        made = not self.path.exists()
        if not self.began_here() and holds_others(self.path):
            kept = ", so --overwrite leaves it alone" if overwrite else ""
            raise StudyError(
                f"{self.path} holds files and no run{kept}. Choose another --out, or empty it."
            )
        refuse_links(self.path)
        self.path.mkdir(parents=True, exist_ok=True)
        lock = locked(self.path)
        begun = False
        try:
            remove_partial(self.path)
            begun = self._begin(study, registry, overwrite, inputs)
            yield begun
        except RdfcError:
            if begun and not (self.learnt or self.results.exists()):
                remove_own(self.path)
                if made:
                    self._leave()
            raise
        finally:
            lock.release()
            if begun and self.study.exists() and not (self.path / LOCK).exists():
                (self.path / LOCK).touch(exist_ok=False)  # Windows removes it with the lock

    def is_run(self) -> bool:
        """Whether a run wrote the ``study.yaml`` that is here; one written by hand is none."""
        return self.study.exists() and wrote_study(self._recorded())

    def began_here(self) -> bool:
        """Whether a run wrote it in this folder: its lock, or its list of cases, lies beside it.

        Without these, a run's ``study.yaml`` was copied from elsewhere, and nothing else here can
        be taken for that run's.
        """
        return ((self.path / LOCK).is_file() or wrote_rows(self.cases)) and self.is_run()

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
            evaluated = evaluations(self.path)
            remove_own(self.path)
            keep_evaluations(self.path, evaluated)
        if self.study.exists():
            recorded = self._recorded()
            filled_in = self.filled_in(registry)
            changed = changes(study, filled_in, inputs, recorded.get("inputs") or {})
            if not changed:
                if extends(study, filled_in):
                    self._extend(study, recorded)
                elif self.read_study()["dataset"] != study.dump()["dataset"]:
                    log.info("The data set lies elsewhere than when %s began.", self.path)
                    self._write_study({**recorded, "dataset": study.dump()["dataset"]})
                return False
            if self.learnt or self.results.exists():
                raise StudyError(
                    f"{self.path} holds a run of another study (different: "
                    f"{', '.join(changed[:5])}). Choose another --out, or replace it with "
                    f"--overwrite. To go on with that run as it began: rdfc run {self.study} --out "
                    f"{self.path}."
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
        refuse_cleaned(self.path)
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
        return without_added(self._readable())

    def load_study(self) -> Study:
        """The study of this run.

        Raises:
            StudyError: If there is none, it is unreadable, or holds what is no option any more.
        """
        return load_study(self._readable())

    def filled_in(self, registry: Registry) -> dict[str, Any]:
        """The study of this run as plain data, with every option that came since it began.

        Such an option has the value that does what was done before. A study of components or
        options that are not there any more is given as it stands: it is another than any of today.

        Args:
            registry: Where components come from.

        Raises:
            StudyError: If there is none or it is unreadable.
        """
        recorded = self.read_study()
        try:
            return resolve(self.load_study(), registry).dump()
        except RdfcError:
            return recorded

    def _readable(self) -> dict[str, Any]:
        try:
            return read_recorded(self.study)
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
