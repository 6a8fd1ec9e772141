"""A study: one YAML file that names every component and setting of a run.

In code a `Study` keeps ``{name, options}`` a part. `resolve` validates the options with each
component's own configuration class and gives a `ResolvedStudy`, which can be built and written
back with every default filled in.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from rdfc_core.component import Kind, Part, PartOf, parse_part, set_nested
from rdfc_core.errors import StudyError
from rdfc_core.interfaces.dataset import SplitSpec
from rdfc_core.plugins import Registry

SHORTHAND = {
    "features": "views.radiomics.extractor",
    "encoder": "views.image.encoder",
    "objective": "pretext.objective",
    "memory": "pretext.memory",
}
"""Top-level words of a study and what they stand for."""

VIEW_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
OTHER_THAN_VIEWS = ("size", "picture")
"""What core itself keeps of every case beside its views; no view may be called so."""

VIEW_OF_PART = {"extractor": "features", "encoder": "image"}
"""A view that names an extractor is a feature view; one that names an encoder, an image view."""


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PretrainSettings(_Settings):
    """How the pretext task is trained."""

    epochs: int = Field(100, ge=0, description="Passes over the pretext cases.")
    batch_size: int = Field(64, ge=2, description="Cases a step, over all devices.")
    optimizer: Literal["sgd", "adamw"] = Field("sgd", description="SGD as in the paper, or AdamW.")
    learning_rate: float = Field(3e-3, gt=0, description="Peak learning rate.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD.")
    weight_decay: float = Field(1e-4, ge=0, description="Weight decay.")
    warmup_epochs: int = Field(0, ge=0, description="Epochs of linear warm-up.")
    schedule: Literal["constant", "cosine"] = Field(
        "constant", description="Learning rate after the warm-up."
    )
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field(
        "32-true", description="Number format of the forward pass."
    )
    checkpoint_every: int = Field(1, ge=1, description="Epochs between checkpoints.")


class EvaluateSettings(_Settings):
    """How the learnt features are judged."""

    classifiers: tuple[Literal["logistic", "sgd", "knn"], ...] = Field(
        ("logistic", "knn"),
        description="Linear probes: logistic regression, the paper's SGD layer, or neighbours.",
    )
    logistic_c: float = Field(1.0, gt=0, description="C of the logistic regression, fixed.")
    class_weight: Literal["balanced", "none"] = Field(
        "balanced", description="Weigh classes by their rarity, or not."
    )
    neighbours: int = Field(15, ge=1, description="k of the nearest neighbours.")
    sgd_epochs: int = Field(100, ge=1, description="Epochs of the SGD layer.")
    sgd_learning_rate: float = Field(3e-3, gt=0, description="Its learning rate, ÷10 at 70 %.")
    controls: tuple[
        Literal[
            "random-init", "radiomics", "shape-only", "no-shape", "size-only", "shuffled-labels"
        ],
        ...,
    ] = Field(
        ("random-init", "radiomics", "shape-only", "no-shape", "size-only", "shuffled-labels"),
        description="What the learnt features are compared with.",
    )
    bootstrap: int = Field(1000, ge=100, description="Patient-level resamples an interval.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Coverage of the intervals.")


class Study(_Settings):
    """One study, as the user wrote it, with the preset filled in."""

    preset: Literal["default", "paper"] = Field("default", description="Where defaults come from.")
    dataset: Annotated[Part, PartOf("dataset")]
    views: dict[str, Annotated[Part, PartOf("view")]] = Field(min_length=1)
    pretext: Annotated[Part, PartOf("pretext")]
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
    for override in overrides:
        key, equals, value = override.partition("=")
        if not (equals and key.strip()):
            raise StudyError(f"--set {override}: write KEY=VALUE, for example pretrain.epochs=10.")
        try:
            set_nested(written, _long_form(key.strip()), yaml.safe_load(value))
        except (ValueError, yaml.YAMLError) as error:
            reason = " ".join(str(error).split())
            raise StudyError(f"--set {override}: {reason}.") from error
    preset = written.get("preset", "default")
    known = sorted(
        p.name.removesuffix(".yaml")
        for p in files("rdfc_core.presets").iterdir()
        if p.name.endswith(".yaml")
    )
    if preset not in known:
        raise StudyError(f"preset: there is no {preset!r}. Use one of: {', '.join(known)}.")
    base = yaml.safe_load(files("rdfc_core.presets").joinpath(f"{preset}.yaml").read_text())
    return validate(Study, _over_preset(base, written, named), "")


def _read(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StudyError(f"The study {path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StudyError(
            f"The study {path} is not valid YAML: {' '.join(str(error).split())}."
        ) from error
    if not isinstance(data, dict):
        raise StudyError(f"The study {path} holds no mapping. Start with: dataset: …")
    # A resolved study of a run folder can be run again: what it records about its making is left.
    data.pop("versions", None)
    return data


def _long_form(key: str) -> str:
    first, dot, rest = key.partition(".")
    return SHORTHAND.get(first, first) + dot + rest


def _canonical(written: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the study with every shorthand written out.

    Raises:
        StudyError: If what a shorthand stands for is written out, too, or has no place.
    """
    study: dict[str, Any] = {k: _copy(v) for k, v in written.items() if k not in SHORTHAND}
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


@dataclass(frozen=True)
class ResolvedPart:
    """A component with its validated options, and the parts it is made of."""

    kind: Kind
    name: str
    config: BaseModel
    parts: Mapping[str, ResolvedPart] = field(default_factory=dict)

    def build(self, registry: Registry) -> Any:
        """The component's object, with its parts built before it.

        Raises:
            PluginError: If a component is not available or fails to load.
        """
        parts = {key: part.build(registry) for key, part in self.parts.items()}
        return registry.get(self.kind, self.name).load()(self.config, **parts)

    def dump(self) -> dict[str, Any]:
        """Name and all options, defaults included, as plain data."""
        options = self.config.model_dump(mode="json")
        return {"name": self.name, **options, **{k: p.dump() for k, p in self.parts.items()}}

    def walk(self) -> list[ResolvedPart]:
        """This part and all parts below it."""
        return [self, *(found for part in self.parts.values() for found in part.walk())]


@dataclass(frozen=True)
class ResolvedStudy:
    """A study whose every option is validated and filled in."""

    preset: str
    dataset: ResolvedPart
    views: Mapping[str, ResolvedPart]
    pretext: ResolvedPart
    readers: Mapping[str, ResolvedPart]
    split: Mapping[str, Any]
    pretrain: PretrainSettings
    evaluate: EvaluateSettings
    seed: int

    def dump(self) -> dict[str, Any]:
        """The study as plain data, ready for YAML."""
        return {
            "preset": self.preset,
            "dataset": self.dataset.dump(),
            "views": {name: view.dump() for name, view in self.views.items()},
            "pretext": self.pretext.dump(),
            "readers": {name: _options(reader) for name, reader in self.readers.items()},
            "split": dict(self.split),
            "pretrain": self.pretrain.model_dump(mode="json"),
            "evaluate": self.evaluate.model_dump(mode="json"),
            "seed": self.seed,
        }

    def parts(self) -> list[ResolvedPart]:
        """Every part of the study."""
        tops = [self.dataset, *self.views.values(), self.pretext]
        return [part for top in tops for part in top.walk()]

    def split_spec(self, protocol: SplitSpec) -> SplitSpec:
        """The data set's protocol with the study's overrides.

        Raises:
            StudyError: If an override does not fit.
        """
        return validate(SplitSpec, {**protocol.model_dump(), **self.split}, "split")


def resolve(study: Study, registry: Registry) -> ResolvedStudy:
    """Validate every part's options with its component's own configuration.

    Raises:
        StudyError: If an option is unknown or does not fit; the message gives its path.
        PluginError: If a component is unknown, unavailable or named by two distributions.
    """
    validate(SplitSpec, study.split, "split")
    return ResolvedStudy(
        preset=study.preset,
        dataset=resolve_part("dataset", study.dataset, registry, "dataset"),
        views={
            name: resolve_part("view", part, registry, f"views.{name}")
            for name, part in study.views.items()
        },
        pretext=resolve_part("pretext", study.pretext, registry, "pretext"),
        readers={
            name: resolve_part(
                "reader", Part(name=name, options=options), registry, f"readers.{name}"
            )
            for name, options in study.readers.items()
        },
        split=study.split,
        pretrain=study.pretrain,
        evaluate=study.evaluate,
        seed=study.seed,
    )


def resolve_part(kind: Kind, part: Part, registry: Registry, path: str) -> ResolvedPart:
    """One part, and the parts its configuration names.

    Raises:
        StudyError: If an option is unknown or does not fit.
        PluginError: If the component is unknown, unavailable or named by two distributions.
    """
    config_class = registry.get(kind, part.name).load_config()
    config = validate(config_class, part.options, path)
    parts = {
        key: resolve_part(inner_kind, getattr(config, key), registry, f"{path}.{key}")
        for key, inner_kind in _part_fields(config_class).items()
        if getattr(config, key) is not None
    }
    filled = {key: Part.model_validate(inner.dump()) for key, inner in parts.items()}
    config = _absolute_paths(config).model_copy(update=filled)
    return ResolvedPart(kind, part.name, config, parts)


def _options(part: ResolvedPart) -> dict[str, Any]:
    return {key: value for key, value in part.dump().items() if key != "name"}


def _part_fields(config_class: type[BaseModel]) -> dict[str, Kind]:
    return {
        key: marker.kind
        for key, info in config_class.model_fields.items()
        for marker in info.metadata
        if isinstance(marker, PartOf)
    }


def _absolute_paths(config: BaseModel) -> BaseModel:
    """The same configuration, readable from any folder: a run is resumed from anywhere."""
    paths = {
        key: Path(value).expanduser().resolve()
        for key in type(config).model_fields
        if isinstance(value := getattr(config, key), Path)
    }
    return config.model_copy(update=paths) if paths else config


Model = TypeVar("Model", bound=BaseModel)


def validate(model: type[Model], options: Any, path: str) -> Model:
    """The options as the model, or one sentence about the first thing that does not fit.

    Raises:
        StudyError: With the path of the option, what is wrong, and the nearest known name.
    """
    try:
        return model.model_validate(options)
    except ValidationError as error:
        raise StudyError(_sentence(error, model, options, path)) from error


def _sentence(error: ValidationError, model: type[BaseModel], options: Any, path: str) -> str:
    errors = error.errors()
    first, steps = errors[0], _steps(errors[0], options)
    where = ".".join(str(step) for step in ([path] if path else []) + steps)
    alternatives = [one for one in errors if _steps(one, options) == steps]  # of a union
    more = len(errors) - len(alternatives)
    tail = f" ({more} more like this.)" if more else ""
    if first["type"] == "extra_forbidden":
        holder = _holder(model, steps[:-1])
        known = sorted([*holder.model_fields, *(SHORTHAND if holder is Study else ())])
        near = difflib.get_close_matches(str(first["loc"][-1]), known, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return f"{where}: there is no such option.{hint} Known here: {', '.join(known)}.{tail}"
    if first["type"] == "missing":
        return f"{where}: this is needed and missing.{tail}"
    messages = [one["msg"].removeprefix("Value error, ") for one in alternatives]
    message = ", or ".join(text[:1].lower() + text[1:] for text in messages)
    given = repr(first["input"])
    shown = f" (given: {given if len(given) <= 60 else given[:57] + '...'})"
    if isinstance(first["input"], Mapping) and first["type"] == "value_error":
        shown = ""  # a rule about several options, which the message names
    return f"{where}: {message}{shown}.{tail}"


def _steps(error: Mapping[str, Any], options: Any) -> list[str | int]:
    """Where in the options the error is, without pydantic's names for the members of a union."""
    steps: list[str | int] = []
    for step in error["loc"]:
        in_mapping = isinstance(options, Mapping) and step in options
        in_list = isinstance(options, list | tuple) and isinstance(step, int)
        if in_mapping or in_list:
            options = options[step]
        elif error["type"] != "missing" or step != error["loc"][-1]:
            continue
        steps.append(step)
    return steps


def _holder(model: type[BaseModel], steps: Sequence[Any]) -> type[BaseModel]:
    for step in steps:
        info = model.model_fields.get(str(step))
        if info is None or not isinstance(info.annotation, type):
            break
        if not issubclass(info.annotation, BaseModel):
            break
        model = info.annotation
    return model
