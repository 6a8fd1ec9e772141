"""The sections of a study in words, and what its presets say about them and about components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.config.load import load_study
from rdfc_core.config.merge import preset_names
from rdfc_core.config.query_settings import QueryingSettings
from rdfc_core.config.safeguard_settings import (
    ConformalSettings,
    OperatingPointSettings,
    OutOfDistributionSettings,
)
from rdfc_core.config.selection_settings import SelectionSettings
from rdfc_core.config.study import Study
from rdfc_core.config.supervised_settings import SupervisedSettings, Tuning
from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.interfaces.dataset import SplitSpec
from rdfc_core.plugin.component import Kind, part_fields

Presets = Mapping[str, Mapping[str, Any]]
"""Preset → option → the value that it gives, where that is not the option's own default."""


@dataclass(frozen=True)
class Section:
    """A part of a study whose options are rdfc's own.

    Args:
        path: Its place in a study, such as ``evaluate.supervised``; "" for the study itself.
        summary: One line.
        model: The options.
        listed: There it is a list of such.
    """

    path: str
    summary: str
    model: type[BaseModel]
    listed: bool = False


SECTIONS = (
    Section("", "What a study file holds at its top level", Study),
    Section("split", "How labelled cases are divided, and which cases pretrain", SplitSpec),
    Section("pretrain", "How the pretext is trained", PretrainSettings),
    Section("evaluate", "How the learnt features are judged, and against what", EvaluateSettings),
    Section(
        "evaluate.querying",
        "How query strategies are tried (evaluate.query_strategies)",
        QueryingSettings,
    ),
    Section(
        "evaluate.selection",
        "How the model that predicts is chosen, by training cases alone",
        SelectionSettings,
    ),
    Section(
        "evaluate.conformal",
        "Prediction sets and intervals of single predictions",
        ConformalSettings,
    ),
    Section(
        "evaluate.out_of_distribution",
        "When a case is told to be unlike the training cases",
        OutOfDistributionSettings,
    ),
    Section(
        "evaluate.operating_points",
        "One threshold of a class's probability, chosen on held-back training cases",
        OperatingPointSettings,
        listed=True,
    ),
    Section(
        "evaluate.supervised",
        "How networks are trained with labels (evaluate.methods)",
        SupervisedSettings,
    ),
    Section(
        "evaluate.supervised.finetune",
        "One setting of fine-tuning; evaluate.supervised.sweep is a list of such",
        Tuning,
    ),
)

NAMES: tuple[str, ...] = ("study", *(section.path for section in SECTIONS if section.path))
"""What ``rdfc plugins show`` knows beside components."""


def section(name: str) -> Section | None:
    """The section of that name (``study`` for the top level), if there is one."""
    path = "" if name == "study" else name
    return next((each for each in SECTIONS if each.path == path), None)


def option(name: str) -> tuple[Section, str] | None:
    """The section and the option that a dotted name stands for, such as ``pretrain.steps``."""
    path, _, key = name.rpartition(".")
    found = next((each for each in SECTIONS if each.path == path), None)
    return (found, key) if found and key in found.model.model_fields else None


def schema(section: Section) -> dict[str, Any]:
    """The JSON schema of a section's options; an option that is a section itself refers to it."""
    found = section.model.model_json_schema()
    for inner in SECTIONS:
        parent, _, key = inner.path.rpartition(".")
        if key and parent == section.path:
            found["properties"][key] = {
                "type": "array" if inner.listed else "object",
                "description": f"{inner.summary}. Its options: rdfc plugins show {inner.path}.",
                "default": [] if inner.listed else {},
            }
    return found


def named_kinds(model: type[BaseModel]) -> dict[str, Kind]:
    """Option → the kind of component that it names; of lists and mappings of components, too."""
    kinds = part_fields(model)
    if model is Study:
        kinds["views"] = "view"
    if model is EvaluateSettings:
        kinds["compare"] = "pretext"
        kinds["metrics"] = "metric"
        kinds["evaluators"] = "evaluator"
        kinds["query_strategies"] = "query_strategy"
    return kinds


def presets_of_section(section: Section) -> dict[str, dict[str, Any]]:
    """What each preset says about the options of a section."""
    if section.model is SplitSpec or section.listed:
        return {}  # a split's are those of the data set's protocol, and a list has none
    found = {}
    for preset in preset_names():
        values = load_study({"preset": preset, "dataset": "any"}).model_dump(mode="json")
        for key in section.path.split(".") if section.path else ():
            values = values[key]
        own = _own_defaults(section.model)
        found[preset] = {
            key: value
            for key, value in values.items()
            if key in own and not isinstance(value, dict) and value != own[key]
        }
    return found


def presets_of_component(kind: Kind, name: str) -> dict[str, dict[str, Any]]:
    """What each preset says about the options of a component that it names."""
    found = {}
    for preset in preset_names():
        study = load_study({"preset": preset, "dataset": "any"}).model_dump(mode="json")
        options: dict[str, Any] = {}
        tops = [("view", view) for view in study["views"].values()]
        for place, part in _parts([*tops, ("pretext", study["pretext"])]):
            if (place, part["name"]) == (kind, name):
                options |= {key: value for key, value in part.items() if not _is_part(value)}
        options.pop("name", None)
        found[preset] = options
    return found


PLACES: Mapping[str, str] = {
    "extractor": "feature_extractor",
    "harmonise": "harmoniser",
    "encoder": "image_encoder",
    "objective": "objective",
    "memory": "memory_store",
    "queue": "memory_queue",
    "projector": "projector",
}
"""Option that names a component → the component's kind."""


def _parts(named: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """Each part with its kind, and the parts that it names."""
    found = list(named)
    for _, part in named:
        inner = [(PLACES[k], v) for k, v in part.items() if k in PLACES and _is_part(v)]
        found += _parts(inner)
    return found


def _is_part(value: Any) -> bool:
    return isinstance(value, dict) and "name" in value


def _own_defaults(model: type[BaseModel]) -> dict[str, Any]:
    properties = model.model_json_schema()["properties"]
    return {key: option["default"] for key, option in properties.items() if "default" in option}
