"""A study: one YAML file that names every component and setting of a run.

In code a `Study` keeps ``{name, options}`` a part; `rdfc_core.config.load` reads one, and
`rdfc_core.config.resolve` validates the options with each component's own configuration class.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.config.settings import Settings
from rdfc_core.config.task_fit import refuse_survival
from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.plugin.component import Part, PartOf
from rdfc_core.results.vocabulary import CLASSIFICATION, TaskName

SHORTHAND = {
    "features": "views.radiomics.extractor",
    "encoder": "views.image.encoder",
    "objective": "pretext.objective",
    "memory": "pretext.memory",
}
"""Top-level words of a study and what they stand for."""

OF_THE_VIEW = {"features": "stable"}
"""Shorthand → what options begin with that belong to the view around the component it names."""

VIEW_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
OTHER_THAN_VIEWS = ("size", "picture")
"""What core itself keeps of every case beside its views; no view may be called so."""

VIEW_OF_PART = {"extractor": "features", "encoder": "image"}
"""A view that names an extractor is a feature view; one that names an encoder, an image view."""


class Study(Settings):
    """One study, as the user wrote it, with the preset filled in."""

    shorthand: ClassVar[Mapping[str, str]] = SHORTHAND

    preset: Literal["default", "paper"] = Field("default", description="Where defaults come from.")
    task: TaskName = Field(
        CLASSIFICATION,
        description="What labels are: classes to tell apart, or (regression) numbers to predict.",
    )
    dataset: Annotated[Part, PartOf("dataset")] = Field(description="Where the cases come from.")
    views: dict[str, Annotated[Part, PartOf("view")]] = Field(
        min_length=1,
        description="The ways to look at a case, each under a name of its own; one that names an "
        "extractor is a feature view, one that names an encoder an image view.",
    )
    pretext: Annotated[Part, PartOf("pretext")] = Field(
        description="The self-supervised task that pretrains the views."
    )
    readers: dict[str, dict[str, Any]] = Field(
        default={},
        description="Readers by their names, with their options: they go before those that are not "
        "named, which have their defaults. Two that claim one file are refused.",
    )
    split: dict[str, Any] = Field(default={}, description="Overrides of the data set's protocol.")
    pretrain: PretrainSettings = PretrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    seed: int = Field(0, ge=0, description="Seeds everything that is random.")

    @model_validator(mode="before")
    @classmethod
    def _name_views(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and isinstance(value.get("views"), Mapping):
            views = {name: _named_view(view) for name, view in value["views"].items()}
            return {**value, "views": views}
        return value

    @field_validator("task", mode="before")
    @classmethod
    def _no_survival(cls, value: Any) -> Any:
        refuse_survival(value)
        return value

    @field_validator("views")
    @classmethod
    def _plain_names(cls, views: dict[str, Part]) -> dict[str, Part]:
        for name in views:
            if not VIEW_NAME.fullmatch(name):
                raise ValueError(f"call a view by letters, digits and _, not {name!r}")
            if name in OTHER_THAN_VIEWS:
                raise ValueError(f"{name!r} is taken by rdfc itself; call the view something else")
        return views


def _named_view(view: Any) -> Any:
    if isinstance(view, Mapping) and "name" not in view:
        for part, kind in VIEW_OF_PART.items():
            if part in view:
                return {"name": kind, **view}
    return view
