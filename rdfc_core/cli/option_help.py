"""Options in words: a component's JSON schema as people read it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

TYPES = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
    "object": "mapping",
}
BOUNDS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minLength": "length ≥ {}",
}


@dataclass(frozen=True)
class Option:
    """An option as people read it.

    Args:
        name: In a study.
        type: In words, with its bounds.
        default: As JSON; None: the option is required.
        description: What it means.
        values: What single values stand for.
    """

    name: str
    type: str
    default: str | None
    description: str
    values: Mapping[str, str]


def options_in_words(schema: Schema, kinds: Mapping[str, str]) -> Iterator[Option]:
    """Every option of a schema.

    Args:
        schema: What pydantic's ``model_json_schema`` gives of the options.
        kinds: Option → the kind of component that it names, for those that name one.
    """
    for name, option in schema.get("properties", {}).items():
        what = type_in_words(option, schema.get("$defs", {}))
        if kind := kinds.get(name):
            several = option.get("type") in ("object", "array")
            or_null = " or null" if what.endswith("null") else ""
            what = f"{'mapping of ' if several else ''}{kind.replace('_', ' ')}{or_null}"
        default = as_json(option["default"]) if "default" in option else None
        # What single values stand for: ``json_schema_extra={"values": {value: meaning}}``.
        values = option.get("values", {})
        yield Option(name, what, default, option.get("description", ""), values)


def option_lines(
    schema: Schema, kinds: Mapping[str, str], presets: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """An option's name, type, bounds and default; then what it and its named values mean.

    Args:
        schema: What pydantic's ``model_json_schema`` gives of the options.
        kinds: Option → the kind of component that it names, for those that name one.
        presets: Preset → option → value, where it differs from the default.
    """
    for option in options_in_words(schema, kinds):
        default = "required" if option.default is None else f"default: {option.default}"
        others = "".join(
            f"; preset {preset}: {as_json(values[option.name])}"
            for preset, values in presets.items()
            if option.name in values and as_json(values[option.name]) != option.default
        )
        yield f"  {option.name}: {option.type} ({default}{others})"
        if option.description:
            yield f"      {option.description}"
        for value, meaning in option.values.items():
            yield f"      {value}: {meaning}"


def as_json(value: Any) -> str:
    """A value as a study would write it, which takes JSON for YAML."""
    return json.dumps(value, ensure_ascii=False)


def type_in_words(schema: Schema, known: Mapping[str, Schema]) -> str:
    """A type with its bounds, such as ``whole number, ≥ 1`` or ``list of text``.

    Args:
        schema: Of one option.
        known: The definitions that it may refer to, by name.
    """
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        others = {key: one for key, one in known.items() if key != name}
        # A type that holds itself is not unfolded for ever.
        return type_in_words(known[name], others) if name in known else name
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(type_in_words(one, known) for one in schema[several])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return f"one of {', '.join(map(json.dumps, schema['enum']))}"
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        return _list_in_words(schema, known)
    what = "path" if schema.get("format") == "path" else TYPES.get(kind, kind)
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        what += f" of {type_in_words(schema['additionalProperties'], known)}"
    bounds = [words.format(schema[key]) for key, words in BOUNDS.items() if key in schema]
    return ", ".join([what, *bounds])


def _list_in_words(schema: Schema, known: Mapping[str, Schema]) -> str:
    if "prefixItems" in schema:
        entries = [type_in_words(one, known) for one in schema["prefixItems"]]
        return f"[{'; '.join(entries)}]"
    entry = type_in_words(schema["items"], known) if "items" in schema else "anything"
    least, most = schema.get("minItems"), schema.get("maxItems")
    several = f"list of {least}" if least == most and least is not None else "list"
    return f"{several} of ({entry})" if "," in entry or " or " in entry else f"{several} of {entry}"
