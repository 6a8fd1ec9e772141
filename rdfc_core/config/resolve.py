"""A study with every option validated by its component's own configuration, and filled in.

A `ResolvedStudy` can be built, and written back with every default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from rdfc_core.config import training_parts
from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.config.study import Study
from rdfc_core.config.task_fit import refuse_unfit
from rdfc_core.config.training_settings import PretrainSettings, TrainingSettings
from rdfc_core.errors import StudyError
from rdfc_core.interfaces.dataset import Dataset, SplitSpec
from rdfc_core.plugin.component import Kind, Part, part_fields
from rdfc_core.plugin.registry import Registry
from rdfc_core.results.vocabulary import CLASSIFICATION, REGRESSION, TaskName
from rdfc_core.utils.validation import validate

Trained = TypeVar("Trained", bound=TrainingSettings)

TRAINED_BY: tuple[Kind, ...] = ("optimizer", "schedule")
"""Kinds of the components that settings of a training name, and the options that name them."""


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
        return registry.get(self.kind, self.name).build(self.config, **parts)

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
    task: TaskName = CLASSIFICATION
    compare: Mapping[str, ResolvedPart] = field(default_factory=dict)
    """Other pretexts by the name of their rows; what stands in ``evaluate.compare``."""
    training: tuple[ResolvedPart, ...] = ()
    """Optimisers and schedules, of pretraining and of training with labels."""
    starts: Mapping[str, Mapping[str, ResolvedPart]] = field(default_factory=dict)
    """Start → the study's views with its image encoders beginning there (``evaluate.starts``)."""
    metrics: Mapping[str, ResolvedPart] = field(default_factory=dict)
    """Metrics beside those of every run, by their names in the results (``evaluate.metrics``)."""
    evaluators: Mapping[str, ResolvedPart] = field(default_factory=dict)
    """Methods and controls of plugins, by their names in the results (``evaluate.evaluators``)."""
    query_strategies: Mapping[str, ResolvedPart] = field(default_factory=dict)
    """Strategies that are tried, by their names in the results (``evaluate.query_strategies``)."""

    def dump(self) -> dict[str, Any]:
        """The study as plain data, ready for YAML."""
        return {
            "preset": self.preset,
            "task": self.task,
            "dataset": self.dataset.dump(),
            "views": {name: view.dump() for name, view in self.views.items()},
            "pretext": self.pretext.dump(),
            "readers": {name: _options(reader) for name, reader in self.readers.items()},
            "split": dict(self.split),
            "pretrain": self.pretrain.model_dump(mode="json"),
            "evaluate": self.evaluate.model_dump(mode="json"),
            "seed": self.seed,
        }

    def build_dataset(self, registry: Registry) -> Dataset:
        """The data set, whose labels mean what the task takes them for.

        Raises:
            PluginError: If a component is not available or fails to load.
        """
        return built_dataset(self.dataset, self.task, registry)

    def parts(self) -> list[ResolvedPart]:
        """Every part of the study."""
        tops = [self.dataset, *self.views.values(), self.pretext, *self.compare.values()]
        tops += [*self.training, *self.metrics.values(), *self.evaluators.values()]
        tops += self.query_strategies.values()
        tops += [view for views in self.starts.values() for view in views.values()]
        return [part for top in tops for part in top.walk()]

    def split_spec(self, protocol: SplitSpec) -> SplitSpec:
        """The data set's protocol with the study's overrides.

        Raises:
            StudyError: If an override does not fit.
        """
        return validate(SplitSpec, {**protocol.model_dump(), **self.split}, "split")


def built_dataset(part: ResolvedPart, task: TaskName, registry: Registry) -> Dataset:
    """A data set whose labels mean what a task takes them for."""
    dataset: Dataset = part.build(registry)
    return dataset.with_numbers() if task == REGRESSION else dataset


def resolve(study: Study, registry: Registry) -> ResolvedStudy:
    """Validate every part's options with its component's own configuration.

    Raises:
        StudyError: If an option is unknown or does not fit; the message gives its path.
        PluginError: If a component is unknown, unavailable or named by two distributions.
    """
    validate(SplitSpec, study.split, "split")
    refuse_unfit(study.task, study.evaluate)
    compare = {
        name: resolve_part("pretext", part, registry, f"evaluate.compare.{name}")
        for name, part in study.evaluate.compare.items()
    }
    evaluators = {
        name: resolve_part("evaluator", part, registry, f"evaluate.evaluators.{name}")
        for name, part in study.evaluate.evaluators.items()
    }
    metrics = {
        name: resolve_part("metric", part, registry, f"evaluate.metrics.{name}")
        for name, part in study.evaluate.metrics.items()
    }
    queries = {
        name: resolve_part("query_strategy", part, registry, f"evaluate.query_strategies.{name}")
        for name, part in study.evaluate.query_strategies.items()
    }
    views = {
        name: resolve_part("view", part, registry, f"views.{name}")
        for name, part in study.views.items()
    }
    starts = {
        name: _started(views, options, registry, f"evaluate.starts.{name}")
        for name, options in study.evaluate.starts.items()
    }
    pretrain, of_pretraining = _trained_by(study.pretrain, registry, "pretrain")
    supervised, of_labels = _trained_by(study.evaluate.supervised, registry, "evaluate.supervised")
    return ResolvedStudy(
        preset=study.preset,
        dataset=resolve_part("dataset", study.dataset, registry, "dataset"),
        views=views,
        pretext=resolve_part("pretext", study.pretext, registry, "pretext"),
        readers=resolve_readers(study, registry),
        split=study.split,
        pretrain=pretrain,
        evaluate=study.evaluate.model_copy(
            update={
                "compare": _filled(compare),
                "metrics": _filled(metrics),
                "evaluators": _filled(evaluators),
                "query_strategies": _filled(queries),
                "starts": _filled_starts(study.evaluate.starts, starts),
                "supervised": supervised,
                "task": study.task,
            }
        ),
        seed=study.seed,
        task=study.task,
        compare=compare,
        training=(*of_pretraining, *of_labels),
        starts=starts,
        metrics=metrics,
        evaluators=evaluators,
        query_strategies=queries,
    )


def _filled(parts: Mapping[str, ResolvedPart]) -> dict[str, Part]:
    """The parts as a study names them, with all their options."""
    return {name: Part.model_validate(part.dump()) for name, part in parts.items()}


def _trained_by(
    settings: Trained, registry: Registry, path: str
) -> tuple[Trained, list[ResolvedPart]]:
    """The settings with optimiser and schedule filled in, and these as parts."""
    found: dict[str, Part] = {}
    parts: list[ResolvedPart] = []
    for kind in TRAINED_BY:
        named: Part = getattr(settings, kind)
        found[kind], config = training_parts.filled(
            kind, named, settings, registry, f"{path}.{kind}"
        )
        parts += [] if config is None else [ResolvedPart(kind, named.name, config)]
    return settings.model_copy(update=found), parts


def _started(
    views: Mapping[str, ResolvedPart], options: Mapping[str, Any], registry: Registry, path: str
) -> dict[str, ResolvedPart]:
    """The views, with these options laid over those of their image encoders.

    Raises:
        StudyError: If no view has an image encoder, or an option does not fit.
    """
    encoders = [
        (name, key, part)
        for name, view in views.items()
        for key, part in view.parts.items()
        if part.kind == "image_encoder"
    ]
    if not encoders:
        raise StudyError(f"{path}: no view of the study has an image encoder. Leave it out.")
    found = dict(views)
    for name, key, part in encoders:
        encoder = Part.model_validate({**part.dump(), **options})
        begun = resolve_part(part.kind, encoder, registry, path)
        config = found[name].config.model_copy(update={key: Part.model_validate(begun.dump())})
        found[name] = replace(found[name], config=config, parts={**found[name].parts, key: begun})
    return found


def _filled_starts(
    asked: Mapping[str, Mapping[str, Any]], starts: Mapping[str, Mapping[str, ResolvedPart]]
) -> dict[str, dict[str, Any]]:
    """The options of each start as validated: paths are absolute."""
    filled = {}
    for name, options in asked.items():
        parts = [part for view in starts[name].values() for part in view.walk()]
        encoder = next(part for part in parts if part.kind == "image_encoder").dump()
        filled[name] = {key: encoder[key] for key in options}
    return filled


def resolve_part(kind: Kind, part: Part, registry: Registry, path: str) -> ResolvedPart:
    """One part, and the parts its configuration names.

    Raises:
        StudyError: If an option is unknown or does not fit.
        PluginError: If the component is unknown, unavailable or named by two distributions.
    """
    component = registry.get(kind, part.name)
    config_class = component.load_config()
    config = validate(config_class, part.options, path)
    parts = {
        key: resolve_part(inner_kind, getattr(config, key), registry, f"{path}.{key}")
        for key, inner_kind in part_fields(config_class).items()
        if getattr(config, key) is not None
    }
    filled = {key: Part.model_validate(inner.dump()) for key, inner in parts.items()}
    config = _absolute_paths(config).model_copy(update=filled)
    return ResolvedPart(kind, part.name, config, parts)


def resolve_readers(study: Study, registry: Registry) -> dict[str, ResolvedPart]:
    """The readers that a study names, with their options."""
    return {
        name: resolve_part("reader", _reader(name, options), registry, f"readers.{name}")
        for name, options in study.readers.items()
    }


def _reader(name: str, options: Mapping[str, Any]) -> Part:
    return validate(Part, {"name": name, "options": options}, "readers")


def _options(part: ResolvedPart) -> dict[str, Any]:
    return {key: value for key, value in part.dump().items() if key != "name"}


def _absolute_paths(config: BaseModel) -> BaseModel:
    """The same configuration, readable from any folder: a run is resumed from anywhere."""
    paths = {
        key: Path(value).expanduser().resolve()
        for key in type(config).model_fields
        if isinstance(value := getattr(config, key), Path)
    }
    return config.model_copy(update=paths) if paths else config
