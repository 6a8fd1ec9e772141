"""Whether a run is finished already; told without torch, so that asking again costs little."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.extraction.fingerprints import fingerprints
from rdfc_core.interfaces.dataset import Dataset
from rdfc_core.pipeline.case_list import study_cases
from rdfc_core.pipeline.case_record import case_rows, change
from rdfc_core.pipeline.precision import as_begun
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.pipeline.run_inputs import changes, extends, inputs_of
from rdfc_core.pipeline.steps import Step, is_done
from rdfc_core.pipeline.versions import code_versions
from rdfc_core.plugin.registry import Registry
from rdfc_core.results.schema import Results
from rdfc_core.utils.progress import Progress

FINISHED = "This run is finished already: nothing to do."
"""What is said where it is."""


def results_as_far(place: RunFolder, until: Step) -> Results | None:
    """The results in a run folder, if its run went as far as this one wants to.

    Whether it is a run of the same study and cases is another question.

    Raises:
        DataError: If the results are damaged.
    """
    if not place.results.exists():
        return None
    results = Results.read(place.results)
    return results if is_done(place.path, results, until) else None


def finished_run(
    study: ResolvedStudy,
    folder: Path,
    registry: Registry,
    progress: Progress,
    until: Step,
    known: MutableMapping[str, str] | None = None,
) -> Results | None:
    """The results of a run of this study that went as far as this one wants to.

    None wherever there is something to do or to refuse, which `rdfc_core.pipeline.run.run` decides:
    another study, cases that have changed, cases that may not fail again, a step that is missing,
    another version of a plugin. A case whose unchanged files were at fault would only fail again.

    Args:
        study: Resolved.
        folder: The run folder.
        registry: Where the data set comes from.
        progress: Told while files are looked at.
        until: The last step that is wanted.
        known: Is given the fingerprints that were taken, so that a run need not take them again.

    Raises:
        DataError: If the data set cannot be listed, or the results are damaged.
    """
    place = RunFolder(folder)
    if not (place.results.exists() and place.is_run()):
        return None
    recorded = place.filled_in(registry)
    study = as_begun(study, recorded)
    results = results_as_far(place, until)
    if results is None or any(failed.get("retry") for failed in results.failed):
        return None
    dataset: Dataset = study.build_dataset(registry)
    if extends(study, recorded):
        return None
    cases = study_cases(study, dataset, registry)
    inputs = inputs_of(study, dataset, cases=cases)
    if changes(study, recorded, inputs, place.recorded_inputs()):
        return None
    now, before = code_versions(study, registry), place.recorded_versions()
    if now != {name: before.get(name) for name in now}:
        return None  # features may be made in another way: their recipes tell
    prints, _ = fingerprints(cases, progress, known)
    spec = study.split_spec(dataset.protocol())
    same = change(place.case_rows(), case_rows(cases, prints, spec)) is None
    return results if same else None
