"""Handcrafted features of cases, without a study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdfc_core.api.case_source import Cases, PlainLists, cases_of
from rdfc_core.plugin.component import Part
from rdfc_core.plugin.registry import installed
from rdfc_core.utils.validation import validate

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from rdfc_core.api.frames import OnFailure
    from rdfc_core.case import Case
    from rdfc_core.config.resolve import ResolvedPart
    from rdfc_core.extraction.extract import Extraction
    from rdfc_core.interfaces import Executor
    from rdfc_core.plugin.component import Kind
    from rdfc_core.utils.progress import Progress


def extract_features(
    cases: Cases,
    parameters: str | Path | Mapping[str, Any] = "auto",
    *,
    extractor: str | Mapping[str, Any] = "native",
    mask_value: int | None = None,
    reader: str | Mapping[str, Any] | None = None,
    store: str | Path | None = None,
    executor: str | Executor = "local",
    errors: OnFailure = "raise",
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Radiomics features of cases: ``case_id``, ``patient_id``, ``label``, and a column a feature.

    What was measured before comes from the store.

    Args:
        cases: `Case` objects, (image, mask) tuples of paths, a manifest's path, or a DataFrame with
            a manifest's columns.
        parameters: A bundled set (``ultrasound``, ``ct``, ``ct-3d``), a PyRadiomics parameter file,
            or its content; ``auto``: ``ultrasound`` for pictures, ``ct-3d`` for volumes.
        extractor: What measures: ``native``, ``pyradiomics`` or a plugin's, with options of its own
            as in a study.
        mask_value: The value that marks the tumour, where a case names none; None: all but 0.
        reader: What reads the files, where several readers claim them: ``pictures``, ``volumes`` or
            a plugin's, with options of its own as in a study.
        store: The file that keeps extracted features; None: in the user's cache.
        executor: What runs the extraction, such as ``local:workers=4``. Where workers are started,
            a script has to begin with ``if __name__ == "__main__":``.
        errors: ``raise`` if a case cannot be measured, or ``skip``: warn, and leave it out.
        progress: Is told how far the work is.

    Returns:
        A row a case, in the order in which they are given; NaN where a case lacks a feature.

    Raises:
        StudyError: If the parameters, or another option, do not fit.
        DataError: If a case cannot be measured.
        PluginError: If there is no such extractor.

    Example:
        ```python
        rdfc.extract_features([("lesion.png", "lesion-mask.png")], parameters="ultrasound")
        ```
    """
    from rdfc_core.api.frames import feature_frame

    extraction = measured(
        cases,
        parameters,
        extractor=extractor,
        mask_value=mask_value,
        reader=reader,
        store=store,
        executor=executor,
        errors=errors,
        progress=progress,
    )
    return feature_frame(extraction, prefixed=False)


def measured(
    cases: Cases,
    parameters: str | Path | Mapping[str, Any] = "auto",
    *,
    extractor: str | Mapping[str, Any] = "native",
    mask_value: int | None = None,
    reader: str | Mapping[str, Any] | None = None,
    store: str | Path | None = None,
    executor: str | Executor = "local",
    errors: OnFailure = "raise",
    progress: Progress | None = None,
) -> Extraction:
    """What `extract_features` tells, before it is a table: neither torch nor pandas is needed."""
    from rdfc_core.api.context import opened
    from rdfc_core.api.frames import refuse_failed

    measuring = extractor_part(extractor, parameters)
    chosen = chosen_cases(cases, reader, mask_value)
    with opened(store, executor, progress, networks=False) as context:
        from rdfc_core.data.findings import remark_findings, warn
        from rdfc_core.extraction.extract import extract
        from rdfc_core.views.preparers import FeaturePreparer

        view = {"radiomics": FeaturePreparer(measuring.build(context.registry))}
        extraction = extract(chosen, view, context.store, context.executor, context.progress)
    refuse_failed(extraction.failures, len(chosen), errors)
    warn(remark_findings(extraction.remarks))
    return extraction


def chosen_cases(
    cases: Cases, reader: str | Mapping[str, Any] | None, mask_value: int | None
) -> list[Case]:
    """The cases that are given, as the reader that is named reads them, with their mask's value.

    Args:
        cases: As of `extract_features`.
        reader: As of `extract_features`.
        mask_value: As of `extract_features`.
    """
    chosen = cases_of(cases, PlainLists(readers=named_readers(reader)))
    if mask_value is None:
        return chosen
    return [with_mask_value(case, mask_value) for case in chosen]


def extractor_part(
    extractor: str | Mapping[str, Any], parameters: str | Path | Mapping[str, Any]
) -> ResolvedPart:
    """What measures, with the parameters among its options."""
    named = validate(Part, extractor, "extractor")
    options = dict(named.options)
    if parameters != "auto":
        options["parameters"] = str(parameters) if isinstance(parameters, Path) else parameters
    return _resolved("feature_extractor", Part(name=named.name, options=options))


def named_readers(reader: str | Mapping[str, Any] | None) -> dict[str, ResolvedPart]:
    """The reader that the caller names, by its name; none where the files' names decide."""
    if reader is None:
        return {}
    named = validate(Part, reader, "reader")
    return {named.name: _resolved("reader", named)}


def _resolved(kind: Kind, part: Part) -> ResolvedPart:
    from rdfc_core.config.resolve import resolve_part

    return resolve_part(kind, part, installed(), "extract_features")


def with_mask_value(case: Case, mask_value: int) -> Case:
    """The case, its tumour marked by this value unless it names one itself."""
    return case if case.mask_value is not None else replace(case, mask_value=mask_value)
