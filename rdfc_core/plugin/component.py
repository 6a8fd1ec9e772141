"""What a plugin announces (`Component`) and how a study names it (`Part`)."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_serializer, model_validator

from rdfc_core.errors import ContractError, PluginError, RdfcError, out_of_memory
from rdfc_core.plugin.class_contract import require_class, require_config
from rdfc_core.plugin.importing import imported, side_effects
from rdfc_core.plugin.part_text import parse_part

log = logging.getLogger("rdfc")

INTERFACE_VERSION = 1
"""Raised when an interface changes so that existing plugins no longer fit."""

Kind = Literal[
    "dataset",
    "reader",
    "feature_extractor",
    "harmoniser",
    "image_encoder",
    "view",
    "objective",
    "memory_store",
    "memory_queue",
    "projector",
    "pretext",
    "optimizer",
    "schedule",
    "evaluator",
    "metric",
    "query_strategy",
    "report_section",
    "logger",
    "executor",
]
KINDS: tuple[str, ...] = get_args(Kind)


RESERVED = ("name", "options")
"""Words of a `Part`, which no option of a component may be called."""


class NoOptions(BaseModel):
    """The configuration of a component that has no options."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Component:
    """One thing a plugin offers. Creating it loads nothing: the class is imported when chosen.

    Args:
        kind: One of `KINDS`.
        name: How a study names it, for example ``timm``.
        summary: One line for lists.
        target: ``package.module:Class``; built as ``Class(config, **parts)``, where ``parts`` are
            the components that the configuration names in its `Part` fields, already built.
        config: ``package.module:Config``, a frozen pydantic model of the options.
        requires: Modules that must be installed, each with the reason and remedy to print where
            it is not: ``{"radiomics": "PyRadiomics has no build for Python 3.12 or later"}``.
        offered_by: The distribution and its version; filled in where plugins are found.
    """

    kind: Kind
    name: str
    summary: str
    target: str
    config: str = "rdfc_core.plugin.component:NoOptions"
    requires: Mapping[str, str] = field(default_factory=dict)
    offered_by: str = field(default="", init=False, compare=False)

    def __post_init__(self) -> None:
        for key in ("kind", "name", "summary", "target", "config"):
            if not isinstance(getattr(self, key), str):
                raise PluginError(
                    f"A Component has {getattr(self, key)!r} for its {key}, which is no text. "
                    "Upgrade or report the plugin."
                )
        if not _are_reasons(self.requires):
            raise PluginError(
                f"Component {self.name!r} has {self.requires!r} for what it requires, and each "
                "must be a module's name with a reason. Upgrade or report the plugin."
            )
        if self.kind not in KINDS:
            raise PluginError(
                f"Component {self.name!r} has the kind {self.kind!r}, which rdfc does not know. "
                f"Use one of: {', '.join(KINDS)}."
            )

    @property
    def unavailable(self) -> str | None:
        """Why the component cannot be used here, or None. Looks for modules, imports none."""
        for module, reason in self.requires.items():
            # The first part only: to look for ``a.b``, Python would import ``a``.
            if importlib.util.find_spec(module.partition(".")[0]) is None:
                return reason
        return None

    def offered(self, source: object) -> Component:
        """The same component, with the distribution that offers it."""
        copy = replace(self)
        object.__setattr__(copy, "offered_by", str(source))
        return copy

    def load(self) -> type[Any]:
        """The component's class, once it is known to be one of its kind.

        Raises:
            PluginError: If it is unavailable here, its module fails to import, or it breaks a
                promise of its kind.
        """
        if self.unavailable:
            raise PluginError(f"The {self.label} is not available: {self.unavailable}.")
        target = self._import(self.target)
        with self._held_to_contract():
            require_class(target, self.kind, part_fields(self.load_config()))
        return target

    def load_config(self) -> type[BaseModel]:
        """The pydantic model of the component's options, without loading the component.

        Raises:
            PluginError: If its module fails to import, or it lets anything pass.
        """
        config = self._import(self.config)
        with self._held_to_contract():
            require_config(config, RESERVED)
        return config

    def build(self, config: BaseModel, **parts: Any) -> Any:
        """The component itself.

        Args:
            config: Its options.
            parts: The components that the options name.

        Raises:
            PluginError: As `load`, or if its class fails to be built.
            RdfcError: If the class refuses the options.
        """
        target = self.load()
        with self._quietly(f"building {target.__name__}"):
            try:
                return target(config, **parts)
            except RdfcError:
                raise
            except Exception as error:
                if out_of_memory(error):
                    raise
                raise PluginError(
                    f"The {self.full_label} failed to be built: {type(error).__name__}: {error} "
                    f"(in {target.__name__}.__init__). Report it to its author, or use another."
                ) from error

    @property
    def label(self) -> str:
        """For messages: ``image encoder 'timm'``."""
        return f"{self.kind.replace('_', ' ')} {self.name!r}"

    @property
    def full_label(self) -> str:
        """With who offers it: ``image encoder 'timm' of rdfc-encoder-timm 0.1.0``."""
        return f"{self.label} of {self.offered_by}" if self.offered_by else self.label

    @contextmanager
    def _held_to_contract(self) -> Iterator[None]:
        try:
            yield
        except ContractError as error:
            raise PluginError(
                f"The {self.full_label} breaks its contract: {error} Its author finds it with "
                "rdfc_core.testing.check_component."
            ) from error

    @contextmanager
    def _quietly(self, action: str) -> Iterator[None]:
        """Inside, what the plugin's code does to the whole process is undone; it is told once."""
        try:
            with side_effects() as found:
                yield
        finally:
            for effect in found:
                sentence = f"The {self.full_label}: {action} {effect}."
                if sentence not in _told:
                    _told.add(sentence)
                    log.warning("%s", sentence)

    def _import(self, path: str) -> type[Any]:
        with self._quietly(f"importing {path.partition(':')[0]}"):
            found: type[Any] = imported(path, self.full_label)
        return found


_told: set[str] = set()
"""What was warned of already in this process."""


def part_fields(config_class: type[BaseModel]) -> dict[str, Kind]:
    """Option → the kind of component that it names, for the options that name one."""
    return {
        key: marker.kind
        for key, info in config_class.model_fields.items()
        for marker in info.metadata
        if isinstance(marker, PartOf)
    }


def _are_reasons(requires: object) -> bool:
    return isinstance(requires, Mapping) and all(
        isinstance(module, str)
        and all(part.isidentifier() for part in module.split("."))
        and isinstance(reason, str)
        for module, reason in requires.items()
    )


@dataclass(frozen=True)
class PartOf:
    """Marks a configuration field as the name of another component of this kind.

    ``encoder: Annotated[Part, PartOf("image_encoder")]``; the built component is then passed to
    the class as the keyword of the same name.
    """

    kind: Kind


class Part(BaseModel):
    """A component as a study names it: ``timm``, ``timm:model=resnet18``, or a mapping.

    A mapping holds ``name`` and the options beside it: ``{name: timm, model: resnet18}``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    options: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _from_shorthand(cls, value: Any) -> Any:
        if isinstance(value, str):
            return parse_part(value)
        if isinstance(value, Mapping) and "name" in value:
            if set(value) == {"name", "options"} and isinstance(value["options"], Mapping):
                return dict(value)
            options = {key: option for key, option in value.items() if key != "name"}
            return {"name": value["name"], "options": options}
        if not isinstance(value, Mapping | Part):
            raise ValueError("write NAME, NAME:KEY=VALUE,…, or a mapping with name and options")
        return value

    @model_serializer
    def _as_mapping(self) -> dict[str, Any]:
        return {"name": self.name, **self.options}
