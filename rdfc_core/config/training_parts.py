"""Optimiser and schedule as a study names them, and the options that stand beside their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, PlainSerializer

from rdfc_core.errors import PluginError, StudyError
from rdfc_core.plugin.component import Kind, Part, PartOf
from rdfc_core.utils.validation import validate

if TYPE_CHECKING:
    from rdfc_core.plugin.registry import Registry

WARMUP_STABLE_DECAY = "warmup-stable-decay"
"""The one schedule that is no component: when it falls is decided in the course of the training."""

BESIDE = ("momentum", "nesterov", "weight_decay", "lr_milestone")
"""Settings of a training that optimisers and schedules with an option of the name are given."""


def _plainly(part: Part) -> Any:
    return {"name": part.name, **part.options} if part.options else part.name


OptimizerPart = Annotated[Part, PartOf("optimizer"), PlainSerializer(_plainly)]
SchedulePart = Annotated[Part, PartOf("schedule"), PlainSerializer(_plainly)]


def part_config(
    kind: Kind, part: Part, settings: BaseModel, registry: Registry, path: str
) -> BaseModel:
    """The options of an optimiser or a schedule: its own, and what stands beside its name.

    Args:
        kind: ``optimizer`` or ``schedule``.
        part: As the settings name it.
        settings: Of the training.
        registry: Where components come from.
        path: Of the part in the study, for messages.

    Raises:
        StudyError: If an option is unknown or does not fit.
        PluginError: If the component is unknown, unavailable or named by two distributions.
    """
    config = registry.get(kind, part.name).load_config()
    beside = {
        name: getattr(settings, name)
        for name in BESIDE
        if name in config.model_fields and name in type(settings).model_fields
    }
    return validate(config, {**beside, **part.options}, path)


def filled(
    kind: Kind, part: Part, settings: BaseModel, registry: Registry, path: str
) -> tuple[Part, BaseModel | None]:
    """The part with all options that do not stand beside its name, and its configuration.

    Args:
        kind: ``optimizer`` or ``schedule``.
        part: As the settings name it.
        settings: Of the training.
        registry: Where components come from.
        path: Of the part in the study, for messages.

    Returns:
        None for the configuration of `WARMUP_STABLE_DECAY`.

    Raises:
        StudyError: If an option is unknown or does not fit.
        PluginError: If the component is unknown, unavailable or named by two distributions.
    """
    pretraining = "warmup_steps" in type(settings).model_fields
    if part.name == WARMUP_STABLE_DECAY and pretraining:
        if part.options:
            raise StudyError(
                f"{path}: {WARMUP_STABLE_DECAY} has no options of its own. Set decay_share and "
                "patience beside it."
            )
        return part, None
    if kind == "schedule" and part.name not in registry.names(kind) and pretraining:
        raise PluginError(
            f"{registry.unknown(part.name, kind)} Pretraining also has {WARMUP_STABLE_DECAY}."
        )
    config = part_config(kind, part, settings, registry, path)
    options = {
        name: value
        for name, value in config.model_dump(mode="json").items()
        if name not in BESIDE or name in part.options
    }
    return Part(name=part.name, options=options), config
