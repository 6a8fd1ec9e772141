"""A study: one YAML file that names every component and setting of a run.

In code a `Study` keeps ``{name, options}`` a part; `rdfc_core.config.resolve` validates the options
with each component's own configuration class.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import Field, field_validator, model_validator

from rdfc_core.config.settings import EvaluateSettings, PretrainSettings, Settings
from rdfc_core.errors import StudyError
from rdfc_core.plugin.component import Part, PartOf, parse_part, set_nested
from rdfc_core.utils.serialization import parse_yaml
from rdfc_core.utils.validation import validate

SHORTHAND = {
    "features": "views.radiomics.extractor",
    "encoder": "views.image.encoder",
    "objective": "pretext.objective",
    "memory": "pretext.memory",
}
"""Top-level words of a study and what they stand for."""

ADDED = ("versions", "inputs")
"""What a run adds to its resolved study."""

VIEW_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
OTHER_THAN_VIEWS = ("size", "picture")
"""What core itself keeps of every case beside its views; no view may be called so."""

VIEW_OF_PART = {"extractor": "features", "encoder": "image"}
"""A view that names an extractor is a feature view; one that names an encoder, an image view."""


class Study(Settings):
    """One study, as the user wrote it, with the preset filled in."""

    shorthand: ClassVar[Mapping[str, str]] = SHORTHAND

    preset: Literal["default", "paper"] = Field("default", description="Where defaults come from.")
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
        default={}, description="Options of readers by their names; the rest have their defaults."
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


def load_study(source: Path | Mapping[str, Any], overrides: Sequence[str] = ()) -> Study:
    """A study from a YAML file or a mapping, with ``KEY=VALUE`` overrides and its preset.

    Paths inside the study are relative to the working directory.

    Raises:
        StudyError: If the file is missing, is no YAML mapping, or a key or value does not fit.
    """
    given = _read(source) if isinstance(source, Path) else source
    named = set(given["views"]) if isinstance(given.get("views"), Mapping) else set()
    written = _canonical(given)
    listed = _holds(written, "evaluate.compare")
    for override in overrides:
        key, equals, value = override.partition("=")
        if not (equals and key.strip()):
            raise StudyError(f"--set {override}: write KEY=VALUE, for example pretrain.epochs=10.")
        try:
            set_nested(written, _long_form(key.strip()), parse_yaml(value))
            written |= {k: _evaluation(v) for k, v in written.items() if k == "evaluate"}
        except ValueError as error:
            raise StudyError(f"--set {override}: {error}.") from error
    base = _preset(written.get("preset", "default"), "preset")
    if "evaluate" in written:
        written["evaluate"] = _over_protocol(base, written["evaluate"], listed)
    return validate(Study, _over_preset(base, written, named), "")


def _over_protocol(base: dict[str, Any], evaluate: Any, listed: bool) -> Any:
    """What a study says under ``evaluate``; the protocol that it names goes into the preset.

    As with views, a study that lists the pretexts it compares gets no others.
    """
    evaluate = _evaluation(evaluate)
    if not (isinstance(evaluate, Mapping) and "preset" in evaluate):
        return evaluate
    protocol = _preset(evaluate["preset"], "evaluate", "evaluation")
    compare = evaluate.get("compare")
    if isinstance(compare, Mapping) and (listed or not compare):
        kept = {name: part for name, part in protocol["compare"].items() if name in compare}
        protocol["compare"] = kept
    base["evaluate"] = _merge(base.get("evaluate", {}), protocol)
    return {key: value for key, value in evaluate.items() if key != "preset"}


def preset_names(folder: str = "") -> list[str]:
    """The names that ``preset`` may have, or (``folder="evaluation"``) ``evaluate``."""
    return sorted(_preset_files(folder))


def _preset_files(folder: str) -> dict[str, Any]:
    place = files("rdfc_core.config.presets").joinpath(folder)
    return {p.name.removesuffix(".yaml"): p for p in place.iterdir() if p.name.endswith(".yaml")}


def _preset(name: Any, option: str, folder: str = "") -> dict[str, Any]:
    known = _preset_files(folder)
    if not isinstance(name, str) or name not in known:
        raise StudyError(f"{option}: there is no {name!r}. Use one of: {', '.join(sorted(known))}.")
    return cast(dict[str, Any], parse_yaml(known[name].read_text(encoding="utf-8")))


def _evaluation(value: Any) -> Any:
    """``evaluate: paper`` written out as ``evaluate: {preset: paper}``."""
    return {"preset": value} if isinstance(value, str) else value


def _read(path: Path) -> dict[str, Any]:
    try:
        data = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StudyError(f"The study {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise StudyError(f"The study {path} is not valid YAML: {error}.") from error
    if not isinstance(data, dict):
        raise StudyError(f"The study {path} holds no mapping. Start with: dataset: …")
    # A resolved study of a run folder can be run again: what it records about its making is left.
    return {key: value for key, value in data.items() if key not in ADDED}


def _long_form(key: str) -> str:
    first, dot, rest = key.partition(".")
    return SHORTHAND.get(first, first) + dot + rest


def _canonical(written: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the study with every shorthand written out.

    Raises:
        StudyError: If what a shorthand stands for is written out, too, or has no place.
    """
    study: dict[str, Any] = {k: _copy(v) for k, v in written.items() if k not in SHORTHAND}
    if "evaluate" in study:
        study["evaluate"] = _evaluation(study["evaluate"])
    for word, target in SHORTHAND.items():
        if word not in written:
            continue
        if _holds(study, target):
            raise StudyError(f"{word}: it stands for {target}, which is there, too. Drop one.")
        try:
            set_nested(study, target, written[word])
        except ValueError as error:
            raise StudyError(f"{word}: it stands for {target}, and {error}.") from error
    return study


def _holds(study: Any, dotted: str) -> bool:
    for key in dotted.split("."):
        if not isinstance(study, Mapping) or key not in study:
            return False
        study = study[key]
    return True


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(inner) for key, inner in value.items()}
    return value


def _over_preset(
    base: Mapping[str, Any], written: Mapping[str, Any], named: set[str]
) -> dict[str, Any]:
    """The study over its preset; a study that lists its views gets no others."""
    if named:
        kept = {**written.get("views", {}), **dict.fromkeys(named)}
        base = {**base, "views": {k: v for k, v in base["views"].items() if k in kept}}
    return cast(dict[str, Any], _merge(base, written))


def _merge(base: Any, over: Any) -> Any:
    if isinstance(over, str) and isinstance(base, Mapping) and "name" in base:
        try:
            parsed = parse_part(over)
        except ValueError:
            return over  # validation finds the same and knows where it stands
        over = {"name": parsed["name"], **parsed["options"]}
    if not (isinstance(base, Mapping) and isinstance(over, Mapping)):
        return over
    if "name" in over and "name" in base and over["name"] != base["name"]:
        return dict(over)  # another component: the preset's options are not meant for it
    merged = dict(base)
    for key, value in over.items():
        merged[key] = _merge(base[key], value) if key in base else value
    return merged
