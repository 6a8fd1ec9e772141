"""The parts of a study held to their contracts on its first cases, before all are measured."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.contract.features import require_different
from rdfc_core.contract.memories import require_memory
from rdfc_core.contract.optimizers import require_optimizer, require_schedule
from rdfc_core.contract.projectors import require_projector
from rdfc_core.contract.promises import require
from rdfc_core.contract.queues import require_queue
from rdfc_core.contract.views import require_round_trip, require_variation
from rdfc_core.data.cells import counted
from rdfc_core.extraction.extract import Extraction
from rdfc_core.extraction.needs import needs_of, preparer_of
from rdfc_core.extraction.watched import component_of
from rdfc_core.interfaces import Prepared, View
from rdfc_core.models.building import network_part
from rdfc_core.models.model import Model
from rdfc_core.plugin.attribution import held_to_contract, origin
from rdfc_core.plugin.registry import Registry
from rdfc_core.results.vocabulary import FEATURES
from rdfc_core.views.preparers import GAVE

log = logging.getLogger("rdfc")


def check_views(
    study: ResolvedStudy,
    views: Mapping[str, View],
    prepared: Mapping[str, Sequence[Prepared]],
    registry: Registry,
) -> None:
    """Check that views keep what they learnt in their state, and vary batches by the generator.

    Args:
        study: Names them.
        views: Fitted on the cases.
        prepared: View name → the cases.
        registry: Where components come from.

    Raises:
        PluginError: If one does not.
    """
    for name, view in views.items():
        who = type(view).__name__
        blank: View = study.views[name].build(registry)
        with held_to_contract(view):
            batch = require_round_trip(view, blank, prepared[name], who)
            require_variation(view, batch, who)


def check_parts(study: ResolvedStudy, registry: Registry) -> None:
    """Check memories, queues, projectors, optimisers and schedules of the study on a few numbers.

    Raises:
        PluginError: If one breaks a promise.
    """
    checks: dict[str, Callable[[Any], None]] = {
        "memory_store": require_memory,
        "memory_queue": require_queue,
        "projector": require_projector,
        "optimizer": require_optimizer,
        "schedule": require_schedule,
    }
    told = set()
    for part in study.parts():
        if part.kind in checks and str(part) not in told:
            told.add(str(part))
            memory = part.build(registry)
            with held_to_contract(memory):
                checks[part.kind](memory)


def check_outputs(model: Model, prepared: Mapping[str, Sequence[Prepared]]) -> None:
    """Check that networks give numbers.

    Raises:
        PluginError: If one gives NaN or infinite features.
    """
    for name, rows in model.outputs(prepared)[FEATURES].items():
        part = network_part(model.views[name])
        with held_to_contract(part):
            require(
                np.isfinite(rows).all(),
                f"The network of {type(part).__name__} gave features that are NaN or infinite.",
            )


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
