"""A component as text, ``timm:model=resnet18``: its name and its options."""

from __future__ import annotations

from typing import Any

from rdfc_core.utils.serialization import parse_yaml


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
