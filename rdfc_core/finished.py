"""Whether a run is finished already; told without torch, so that asking again costs little."""

from __future__ import annotations

from pathlib import Path

from rdfc_core.case import Case
from rdfc_core.features import fingerprints
from rdfc_core.interfaces.dataset import Dataset
from rdfc_core.plugins import Registry
from rdfc_core.precision import as_begun
from rdfc_core.progress import Progress
from rdfc_core.readers.auto import AutoReader
from rdfc_core.resolve import ResolvedStudy
from rdfc_core.results import Results
from rdfc_core.run_folder import RunFolder
from rdfc_core.steps import Step, reaches


def finished_run(
    study: ResolvedStudy, folder: Path, registry: Registry, progress: Progress, until: Step
) -> Results | None:
    """The results of a run of this study that went as far as this one wants to.

    None wherever there is something to do or to refuse, which is `rdfc_core.study.run`'s affair:
    another study, cases that have changed or once failed, a step that is missing.

    Args:
        study: Resolved.
        folder: The run folder.
        registry: Where the data set comes from.
        progress: Told while files are looked at.
        until: The last step that is wanted.

    Raises:
        DataError: If the data set cannot be listed, or the results are damaged.
    """
    place = RunFolder(folder)
    if not (place.results.exists() and place.study.exists()):
        return None
    recorded = place.read_study()
    if recorded != as_begun(study, recorded).dump():
        return None
    results = Results.read(place.results)
    if results.failed or not reaches(results.run["step"], until):
        return None
    dataset: Dataset = study.dataset.build(registry)
    cases = AutoReader.installed(registry, study.readers).given_to(dataset.cases())
    return results if _unchanged(place, cases, progress) else None


def _unchanged(place: RunFolder, cases: list[Case], progress: Progress) -> bool:
    prints, failures = fingerprints(cases, progress)
    now = [
        (case.case_id, case.patient_id, case.label or "", prints.get(case.case_id, ""))
        for case in cases
    ]
    return not failures and now == place.recorded_cases()
