"""A study over its preset: which of the preset's parts stay, and which options are taken."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any, cast

from rdfc_core.errors import StudyError
from rdfc_core.plugin.part_text import parse_part
from rdfc_core.utils.serialization import parse_yaml


def preset_names(folder: str = "") -> list[str]:
    """The names that ``preset`` may have, or (``folder="evaluation"``) ``evaluate``."""
    return sorted(_preset_files(folder))


def _preset_files(folder: str) -> dict[str, Any]:
    place = files("rdfc_core.config.presets").joinpath(folder)
    return {p.name.removesuffix(".yaml"): p for p in place.iterdir() if p.name.endswith(".yaml")}


def preset(name: Any, option: str, folder: str = "") -> dict[str, Any]:
    """The content of a preset.

    Args:
        name: Its name.
        option: What messages call it.
        folder: As of `preset_names`.

    Raises:
        StudyError: If there is no such preset.
    """
    known = _preset_files(folder)
    if not isinstance(name, str) or name not in known:
        raise StudyError(f"{option}: there is no {name!r}. Use one of: {', '.join(sorted(known))}.")
    return cast(dict[str, Any], parse_yaml(known[name].read_text(encoding="utf-8")))


def over_protocol(base: dict[str, Any], evaluate: Any, listed: bool) -> Any:
    """What a study says under ``evaluate``; the protocol that it names goes into the preset.

    As with views, a study that lists the pretexts it compares gets no others.
    """
    evaluate = written_out(evaluate)
    if not (isinstance(evaluate, Mapping) and "preset" in evaluate):
        return evaluate
    protocol = preset(evaluate["preset"], "evaluate", "evaluation")
    compare = evaluate.get("compare")
    if isinstance(compare, Mapping) and (listed or not compare):
        kept = {name: part for name, part in protocol["compare"].items() if name in compare}
        protocol["compare"] = kept
    base["evaluate"] = merge(base.get("evaluate", {}), protocol)
    return {key: value for key, value in evaluate.items() if key != "preset"}


def over_preset(
    base: Mapping[str, Any], written: Mapping[str, Any], named: set[str]
) -> dict[str, Any]:
    """The study over its preset; a study that lists its views gets no others."""
    if named:
        kept = {**written.get("views", {}), **dict.fromkeys(named)}
        views = {k: v for k, v in base.get("views", {}).items() if k in kept}
        base = {**base, "views": views}
    return cast(dict[str, Any], merge(base, written))


def merge(base: Any, over: Any) -> Any:
    """``over`` laid over ``base``: mappings key by key, unless they name different components."""
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
        merged[key] = merge(base[key], value) if key in base else value
    return merged


def written_out(evaluate: Any) -> Any:
    """``evaluate: paper`` written out as ``evaluate: {preset: paper}``."""
    return {"preset": evaluate} if isinstance(evaluate, str) else evaluate
