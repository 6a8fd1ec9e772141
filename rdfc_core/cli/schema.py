"""Options in words: a component's JSON schema as people read it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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


def option_lines(schema: Schema, kinds: Mapping[str, str]) -> Iterator[str]:
    """An option's name, type, bounds and default; then what it and its named values mean.

    Args:
        schema: What pydantic's ``model_json_schema`` gives of the options.
        kinds: Option → the kind of component that it names, for those that name one.
    """
    for name, option in schema.get("properties", {}).items():
        kind = kinds.get(name)
        what = type_in_words(option, schema.get("$defs", {}))
        if kind:
            what = f"{kind.replace('_', ' ')}{' or null' if what.endswith('null') else ''}"
        default = (
            f"default: {json.dumps(option['default'], ensure_ascii=False)}"
            if "default" in option
            else "required"
        )
        yield f"  {name}: {what} ({default})"
        if option.get("description"):
            yield f"      {option['description']}"
        # What single values stand for: ``json_schema_extra={"values": {value: meaning}}``.
        for value, meaning in option.get("values", {}).items():
            yield f"      {value}: {meaning}"


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
