"""Views fitted in a split, and shown what they may see of other cases."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from rdfc_core.data.splits import Split
from rdfc_core.errors import DataError
from rdfc_core.extraction.extract import Extraction
from rdfc_core.interfaces import View
from rdfc_core.results.case_set import VIEW, CaseSet

log = logging.getLogger("rdfc")


def fit(split: Split, views: Mapping[str, View], extraction: Extraction) -> dict[str, CaseSet]:
    """Fit views on a split's pretext cases, and show them the labelled ones as `adapt` does.

    Returns:
        Which cases each was fitted on, by the names of `Model.learnt_from`.

    Raises:
        DataError: If a view cannot be fitted, or cannot take a case.
    """
    fitted = {}
    for name, view in views.items():
        case_ids = split.pretext
        view.fit(extraction.of(name, case_ids))
        fitted[f"{VIEW}{name}"] = CaseSet.of(case_ids, extraction.fingerprints)
    adapt(split, views, extraction)
    return fitted


def adapt(split: Split, views: Mapping[str, View], extraction: Extraction) -> None:
    """Show fitted views the labelled cases of a split together, without labels; tell what comes.

    Raises:
        DataError: If a view cannot take one of them, as of a site that it does not know.
    """
    for name, view in views.items():
        for sentence in _adapted(split, name, view, extraction):
            log.warning("%s: the view %r: %s", split.name, name, sentence)


def require_fit(splits: Sequence[Split], views: Mapping[str, View], extraction: Extraction) -> None:
    """Refuse before any training what columns of cases make impossible in a split.

    Raises:
        DataError: If a view that looks at columns of many cases cannot be fitted on the pretext
            cases of a split, or cannot take a labelled one.
    """
    for split in splits:
        for name, view in views.items():
            if extraction.fit_columns.get(name):
                try:
                    view.fit(extraction.of(name, split.pretext))
                    _adapted(split, name, view, extraction)
                except DataError as error:
                    raise DataError(
                        f"In the split {split.name!r}, the view {name!r}: {error}"
                    ) from error


def _adapted(split: Split, name: str, view: View, extraction: Extraction) -> Sequence[str]:
    labelled = [*split.train, *split.test]
    if not labelled or not extraction.fit_columns.get(name):
        return ()
    cases = extraction.of(name, labelled)
    told = view.adapt(cases)
    view.collate(cases)  # refuses what it cannot take
    return told
