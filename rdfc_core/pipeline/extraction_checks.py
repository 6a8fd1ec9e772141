"""What views made of cases held to their contract. Free of torch."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from rdfc_core.contract.features import require_different
from rdfc_core.data.cells import counted
from rdfc_core.extraction.extract import Extraction
from rdfc_core.extraction.needs import needs_of, preparer_of
from rdfc_core.extraction.watched import component_of
from rdfc_core.interfaces import Prepared, View
from rdfc_core.plugin.attribution import held_to_contract, origin
from rdfc_core.views.preparers import GAVE

log = logging.getLogger("rdfc")


def check_different(extraction: Extraction, views: Mapping[str, View]) -> None:
    """Check that a view does not say the same of all tumours.

    Cases of equal content count once. Stops at the second case, in a sound view.

    Raises:
        PluginError: If it does.
    """
    of_content = {extraction.fingerprints[case.case_id]: case.case_id for case in extraction.cases}
    case_ids = list(of_content.values())
    for name, view in views.items():
        preparer = preparer_of(view)
        own = component_of(preparer)
        if needs_of(preparer).images == ():  # patients may well have the same columns
            continue
        with held_to_contract(own):
            require_different(_some(extraction, name, case_ids), type(own).__name__)


def check_extraction(extraction: Extraction, views: Mapping[str, View]) -> None:
    """Check what views made of all cases, and warn of what they left unexplained.

    Raises:
        PluginError: As `check_different`.
    """
    check_different(extraction, views)
    tell_unexplained(extraction, views)


def tell_unexplained(extraction: Extraction, views: Mapping[str, View]) -> None:
    """Warn of features that an extractor left infinite, or NaN without a reason."""
    for name, view in views.items():
        found: dict[str, int] = {}
        for one in extraction.prepared[name].values():
            for feature, reason in one.missing.items():
                if reason.startswith(GAVE):
                    found[feature] = found.get(feature, 0) + 1
        if found:
            feature, cases = max(found.items(), key=lambda item: item[1])
            log.warning(
                "The %s gave infinite values, or NaN without a reason, for %s (the most: %s, in "
                "%s). They count as missing. Report it to its author (check_feature_extractor).",
                *(origin(component_of(view.preparer())), counted(len(found), "feature")),
                *(feature, counted(cases, "case")),
            )


def _some(extraction: Extraction, view: str, case_ids: Sequence[str]) -> list[Prepared]:
    """What was made of the cases, up to the first that differs."""
    found: list[Prepared] = []
    for case_id in case_ids:
        found.append(extraction.prepared[view][case_id])
        if not np.array_equal(found[0].array, found[-1].array, equal_nan=True):
            break
    return found
