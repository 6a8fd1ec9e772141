"""The parts of a study held to their contracts on its first cases, before all are measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.contract.memories import require_memory
from rdfc_core.contract.optimizers import require_optimizer, require_schedule
from rdfc_core.contract.projectors import require_projector
from rdfc_core.contract.promises import require
from rdfc_core.contract.query_strategies import example_pool, require_query_strategy
from rdfc_core.contract.queues import require_queue
from rdfc_core.contract.views import require_round_trip, require_variation
from rdfc_core.interfaces import Prepared, View
from rdfc_core.models.building import network_part
from rdfc_core.models.model import Model
from rdfc_core.plugin.attribution import held_to_contract
from rdfc_core.plugin.registry import Registry
from rdfc_core.results.vocabulary import FEATURES


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
    """Check memories, queues, optimisers, query strategies … of the study on a few numbers.

    Raises:
        PluginError: If one breaks a promise.
    """
    checks: dict[str, Callable[[Any], None]] = {
        "memory_store": require_memory,
        "memory_queue": require_queue,
        "projector": require_projector,
        "optimizer": require_optimizer,
        "schedule": require_schedule,
        "query_strategy": lambda strategy: require_query_strategy(strategy, example_pool()),
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
