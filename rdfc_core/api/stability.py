"""Which features are stable: over perturbations of the cases, or over repeated measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdfc_core.api.case_source import Cases
from rdfc_core.api.feature_table import chosen_cases, extractor_part
from rdfc_core.data.cells import counted
from rdfc_core.errors import DataError, StudyError

if TYPE_CHECKING:
    import pandas as pd

    from rdfc_core.api.frames import OnFailure
    from rdfc_core.case import Case
    from rdfc_core.evaluation.reliability import Kind
    from rdfc_core.evaluation.stability import By, Stability
    from rdfc_core.interfaces import Executor
    from rdfc_core.utils.progress import Progress
    from rdfc_core.views.preparers import FeaturePreparer


@dataclass(frozen=True)
class Repetitions:
    """How the measurements of one case come about.

    Args:
        perturbations: How often image and mask are perturbed.
        chain: How: ``N`` noise, ``R`` rotation, ``T`` translation, ``V`` volume, ``C`` contour.
        images: Names of a case's images that show the same tumour, such as ``test`` and ``retest``:
            these are measured in place of perturbations.
        cases: Patients that are drawn, one case of each; None: all patients.
        every_case: Take every case of each patient; intervals then are too narrow.
        seed: Draws cases, and perturbs them.
    """

    perturbations: int = 10
    chain: str = "NTVC"
    images: tuple[str, ...] = ()
    cases: int | None = None
    every_case: bool = False
    seed: int = 0


def feature_stability(
    cases: Cases,
    parameters: str | Path | Mapping[str, Any] = "auto",
    *,
    threshold: float = 0.75,
    by: By = "low",
    repetitions: Repetitions | None = None,
    kind: Kind = "1,1",
    extractor: str | Mapping[str, Any] = "native",
    mask_value: int | None = None,
    reader: str | Mapping[str, Any] | None = None,
    store: str | Path | None = None,
    executor: str | Executor = "local",
    errors: OnFailure = "raise",
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Which features hardly change when image and mask are perturbed, or scanned again.

    One case of each patient is measured several times; what was measured before comes from the
    store.

    Args:
        cases: As of `extract_features`.
        parameters: As of `extract_features`.
        threshold: From which on a feature is called stable.
        by: What has to reach it: the ``low`` end of the 95 % interval, or the estimate, ``icc``.
        repetitions: How cases are measured several times; None: 10 perturbations by noise,
            translation, volume and contour.
        kind: Of the intraclass correlation, as of `feature_reliability`.
        extractor: As of `extract_features`.
        mask_value: As of `extract_features`.
        reader: As of `extract_features`.
        store: As of `extract_features`.
        executor: As of `extract_features`.
        errors: As of `extract_features`.
        progress: As of `extract_features`.

    Returns:
        A row a feature: ``icc``, ``ci_low`` and ``ci_high``, ``cases`` in which every measurement
        has the feature, and whether it is ``stable``.

    Raises:
        StudyError: If an option does not fit.
        DataError: If a case cannot be measured, or there are fewer than three patients.
        PluginError: If there is no such extractor.

    Example:
        ```python
        table = rdfc.feature_stability("manifest.csv", "ct", threshold=0.9)
        robust = table.index[table["stable"]]
        ```

    Source: Zwanenburg et al. 2019, Scientific Reports 9:614.
    """
    import pandas as pd

    found = measured_stability(
        cases,
        parameters,
        repetitions=repetitions or Repetitions(),
        kind=kind,
        extractor=extractor,
        mask_value=mask_value,
        reader=reader,
        store=store,
        executor=executor,
        errors=errors,
        progress=progress,
    )
    return pd.DataFrame(found.rows(threshold, by)).set_index("feature")


def measured_stability(
    cases: Cases,
    parameters: str | Path | Mapping[str, Any] = "auto",
    *,
    repetitions: Repetitions,
    kind: Kind = "1,1",
    extractor: str | Mapping[str, Any] = "native",
    mask_value: int | None = None,
    reader: str | Mapping[str, Any] | None = None,
    store: str | Path | None = None,
    executor: str | Executor = "local",
    errors: OnFailure = "raise",
    progress: Progress | None = None,
) -> Stability:
    """What `feature_stability` tells, before it is a table: neither torch nor pandas is needed."""
    from rdfc_core.api.context import opened
    from rdfc_core.api.frames import refuse_failed
    from rdfc_core.evaluation.stability import stability_of, table_of

    measuring = extractor_part(extractor, parameters)
    chosen = chosen_cases(cases, reader, mask_value)
    chosen = _drawn(chosen, repetitions)
    _require_enough(chosen)
    with opened(store, executor, progress, networks=False) as context:
        from rdfc_core.extraction.extract import extract
        from rdfc_core.views.perturbed import perturbed_preparers
        from rdfc_core.views.preparers import FeaturePreparer

        built = measuring.build(context.registry)
        views: dict[str, Any]
        if repetitions.images:
            views = {name: FeaturePreparer(built, name) for name in _names(repetitions, chosen)}
        else:
            plain: FeaturePreparer = FeaturePreparer(built)
            if plain.needs.images == ():
                raise StudyError("The extractor measures no image: there is nothing to perturb.")
            count = repetitions.perturbations
            views = dict(perturbed_preparers(plain, repetitions.chain, repetitions.seed, count))
        extraction = extract(chosen, views, context.store, context.executor, context.progress)
    refuse_failed(extraction.failures, len(chosen), errors)
    _require_enough(extraction.cases)
    return stability_of(
        *table_of(extraction.prepared, [case.case_id for case in extraction.cases]), kind
    )


def cases_of_dataset(named: str) -> list[Case]:
    """All cases of a data set.

    Args:
        named: Component and options, such as ``manifest:root=DIR``.

    Raises:
        StudyError: If an option does not fit.
        PluginError: If there is no such data set.
        DataError: If it cannot be read.
    """
    from rdfc_core.config.resolve import resolve_part
    from rdfc_core.interfaces import Dataset
    from rdfc_core.plugin.component import Part
    from rdfc_core.plugin.registry import installed
    from rdfc_core.utils.validation import validate

    part = validate(Part, named, "dataset")
    dataset: Dataset = resolve_part("dataset", part, installed(), "dataset").build(installed())
    return list(dataset.cases())


def _drawn(cases: Sequence[Case], repetitions: Repetitions) -> list[Case]:
    """The cases that are measured.

    Raises:
        StudyError: If there are not two measurements of a case.
    """
    from rdfc_core.evaluation.stability import one_a_patient

    if not repetitions.images and repetitions.perturbations < 2:
        raise StudyError("Perturb each case twice at least: one measurement agrees with nothing.")
    if repetitions.every_case:
        return list(cases)
    return one_a_patient(cases, repetitions.cases, repetitions.seed)


def _require_enough(cases: Sequence[Case]) -> None:
    """Check that there are cases enough for a correlation.

    Raises:
        DataError: If there are not.
    """
    from rdfc_core.evaluation.stability import FEWEST

    if len(cases) < FEWEST:
        raise DataError(
            f"Of {counted(len(cases), 'case')} no correlation can be told, and one of each patient "
            f"is taken (patient_id of a list says whose a case is). Give {FEWEST} or more."
        )


def _names(repetitions: Repetitions, cases: Sequence[Case]) -> tuple[str, ...]:
    """The images that are measured.

    Raises:
        StudyError: If they are not two or more that some case has.
    """
    names = repetitions.images
    there = dict.fromkeys(name for case in cases for name in case.images)
    if len(set(names)) < 2 or len(set(names)) < len(names) or not set(names) <= set(there):
        raise StudyError(
            f"The images {', '.join(names)} are to be compared, and the cases have "
            f"{', '.join(there) or 'one each, without a name'}. Name two or more of them, of "
            "columns image.NAME and mask.NAME of the list."
        )
    return names
