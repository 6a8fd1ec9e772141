"""What a plugin announces (`Component`) and how a study names it (`Part`)."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_serializer, model_validator

from rdfc_core.errors import PluginError, out_of_memory
from rdfc_core.utils.serialization import parse_yaml

INTERFACE_VERSION = 1
"""Raised when an interface changes so that existing plugins no longer fit."""

Kind = Literal[
    "dataset",
    "reader",
    "feature_extractor",
    "image_encoder",
    "view",
    "objective",
    "memory_store",
    "pretext",
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
    """

    kind: Kind
    name: str
    summary: str
    target: str
    config: str = "rdfc_core.plugin.component:NoOptions"
    requires: Mapping[str, str] = field(default_factory=dict)

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

    def load(self) -> type[Any]:
        """The component's class.

        Raises:
            PluginError: If it is unavailable here or its module fails to import.
        """
        if self.unavailable:
            raise PluginError(f"The {self.label} is not available: {self.unavailable}.")
        return self._import(self.target)

    def load_config(self) -> type[BaseModel]:
        """The pydantic model of the component's options, without loading the component.

        Raises:
            PluginError: If its module fails to import.
        """
        return self._import(self.config)

    @property
    def label(self) -> str:
        """For messages: ``image encoder 'timm'``."""
        return f"{self.kind.replace('_', ' ')} {self.name!r}"

    def _import(self, path: str) -> type[Any]:
        module_name, _, attribute = path.partition(":")
        try:
            found: type[Any] = getattr(importlib.import_module(module_name), attribute)
        except (Exception, SystemExit) as error:  # a plugin may fail in any way: say which one
            if out_of_memory(error):  # it is no plugin's fault then
                raise MemoryError(str(error)) from error
            remedy = "Reinstall or upgrade the plugin."
            own = module_name.partition(".")[0]
            if isinstance(error, AttributeError) or not attribute:
                remedy = "Write package.module:Class in its Component."
            elif isinstance(error, ModuleNotFoundError) and error.name:
                outside = error.name.partition(".")[0] != own
                remedy = (
                    f"Install {error.name}, or announce it by requires= in the plugin's Component."
                    if outside
                    else "Correct the module's name in the plugin's Component."
                )
            raise PluginError(
                f"The {self.label} could not be loaded from {path}: "
                f"{type(error).__name__}: {error}. {remedy}"
            ) from error
        return found


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


def parse_part(text: str) -> dict[str, Any]:
    """``timm:model=resnet18,pretrained=true`` as name and options; values are read as YAML.

    A comma inside brackets or quotes does not end a value: ``timm:size=[64,64]``. Dots nest.

    Raises:
        ValueError: If an option has no ``=``, its value is no YAML, or there is no colon.
    """
    name, _, rest = text.partition(":")
    if "=" in name or "," in name:
        raise ValueError(
            f"{text!r} has its options after {'a comma' if ',' in name else 'nothing'}; write "
            "NAME:KEY=VALUE, with a colon before the first and commas between them"
        )
    options: dict[str, Any] = {}
    for option in _split_options(rest):
        key, equals, value = option.partition("=")
        if not equals:
            raise ValueError(f"{option!r} in {text!r} is not KEY=VALUE")
        try:
            parsed = parse_yaml(value)
        except ValueError as error:
            raise ValueError(f"{value!r} in {text!r} is not valid YAML") from error
        set_nested(options, key.strip(), parsed)
    return {"name": name.strip(), "options": options}


def set_nested(mapping: dict[str, Any], dotted: str, value: Any) -> None:
    """Set ``mapping[a][b] = value`` for ``dotted`` = ``a.b``, making mappings on the way.

    Raises:
        ValueError: If a name on the way holds a plain value.
    """
    *path, last = dotted.split(".")
    for depth, key in enumerate(path):
        inner = mapping.setdefault(key, {})
        if isinstance(inner, str):  # the shorthand of a part: "timm" becomes {name: timm}
            parsed = parse_part(inner)
            inner = mapping[key] = {"name": parsed["name"], **parsed["options"]}
        if not isinstance(inner, dict):
            raise ValueError(f"{'.'.join(path[: depth + 1])} is {inner!r}, which holds no options")
        mapping = inner
    mapping[last] = value


def _split_options(text: str) -> list[str]:
    pieces, depth, quote, start = [], 0, "", 0
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "[{(":
            depth += 1
        elif character in "]})":
            depth -= 1
        elif character == "," and depth == 0:
            pieces.append(text[start:position])
            start = position + 1
    pieces.append(text[start:])
    return [piece for piece in pieces if piece.strip()]
