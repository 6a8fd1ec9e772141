"""The cases of a study, each with a reader: listed at one place. Free of torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rdfc_core.case import Case
from rdfc_core.config.measured import Measured
from rdfc_core.config.resolve import ResolvedStudy, resolve_part
from rdfc_core.contract.listings import require_cases, require_classes, require_protocol
from rdfc_core.data import findings
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.data.targets import TARGETS
from rdfc_core.errors import DataError
from rdfc_core.interfaces.dataset import Dataset
from rdfc_core.plugin.attribution import held_to_contract
from rdfc_core.plugin.component import Part
from rdfc_core.plugin.registry import Registry


def study_cases(
    study: ResolvedStudy | Measured, dataset: Dataset, registry: Registry
) -> list[Case]:
    """The cases of a study's data set, read as the study says.

    Args:
        study: Gives readers their options.
        dataset: Built from the study.
        registry: Where readers come from.

    Raises:
        DataError: If the listing is unusable or empty, names a case twice, two readers claim a
            file, or a label is no number where the task asks for one.
        PluginError: If the data set lists anything but cases, or its classes or split are unfit.
    """
    cases, who = read_cases(dataset, AutoReader.installed(registry, study.readers)), type(dataset)
    with held_to_contract(dataset):
        require_classes(dataset.classes, who.__name__)
        require_protocol(dataset.protocol(), who.__name__)
    return TARGETS[study.task].read(cases)


def read_cases(dataset: Dataset, reader: AutoReader) -> list[Case]:
    """The data set's cases, each with a reader.

    Raises:
        DataError: If the listing is unusable or empty, or names a case twice.
    """
    cases = reader.given_to(checked_listing(dataset, dataset.cases()))
    if not cases:
        raise DataError("The data set holds no case. Check its root and its listing.")
    refuse_repeated(cases)
    return cases


def checked_listing(dataset: Dataset, listed: Sequence[Case]) -> Sequence[Case]:
    """What a data set lists, once it is known to be cases.

    Raises:
        PluginError: If it is anything else.
    """
    with held_to_contract(dataset):
        require_cases(listed, type(dataset).__name__)
    return listed


def cases_to_predict(dataset: Dataset, reader: AutoReader) -> list[Case]:
    """The cases of a list that a trained run looks at; what is doubtful about it is warned of.

    Raises:
        DataError: As `read_cases`.
    """
    cases = read_cases(dataset, reader)
    findings.warn(findings.listing_findings(dataset, cases))
    return cases


def manifest(listing: Path, registry: Registry) -> Dataset:
    """A list of cases that are not trained on, as the data set ``manifest`` reads it.

    Raises:
        PluginError: If there is no such component.
    """
    plain = Part(name="manifest", options={"root": listing})
    dataset: Dataset = resolve_part("dataset", plain, registry, "manifest").build(registry)
    return dataset.with_list(listing) or dataset


def refuse_repeated(cases: list[Case]) -> None:
    """Check that each case has an id of its own.

    Raises:
        DataError: If two cases have one.
    """
    twice = [case_id for case_id, n in Counter(c.case_id for c in cases).items() if n > 1]
    if twice:
        raise DataError(f"The case id {twice[0]!r} stands twice in the data set. Rename one.")
