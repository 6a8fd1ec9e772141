"""Loads a study, in order: read, written out, set, laid over its preset, validated, resolved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rdfc_core.config.merge import over_preset, over_protocol, preset, written_out
from rdfc_core.config.renamed import refuse_old_names, translated
from rdfc_core.config.resolve import ResolvedStudy, resolve
from rdfc_core.config.study import OF_THE_VIEW, SHORTHAND, Study
from rdfc_core.config.task_fit import of_task, refuse_idle
from rdfc_core.errors import StudyError
from rdfc_core.plugin.part_text import parse_part, set_nested
from rdfc_core.plugin.registry import Registry
from rdfc_core.utils.atomic import MOST_TEXT, within
from rdfc_core.utils.serialization import parse_yaml
from rdfc_core.utils.validation import validate

Source = str | Path | Mapping[str, Any] | Study
"""A study file, its content, or a `Study`."""

Overrides = Mapping[str, Any] | Sequence[str]
"""Dotted option → value, or ``KEY=VALUE`` texts."""

ADDED = ("versions", "inputs")
"""What a run adds to its resolved study."""


def load(source: Source, overrides: Overrides, registry: Registry) -> ResolvedStudy:
    """A study with every option of every component checked and filled in.

    Args:
        source: The study.
        overrides: Set over its own options.
        registry: Where components come from.

    Raises:
        StudyError: If the study cannot be read, or a key or value does not fit.
        PluginError: If a component is unknown, unavailable or named by two distributions.
    """
    return resolve(load_study(source, overrides), registry)


def load_study(source: Source, overrides: Overrides = ()) -> Study:
    """A study with what is set over it, laid over its preset; its components are not asked.

    Paths inside the study are relative to the working directory. The study that a run wrote is
    not laid over a preset: it says everything, and what the preset has gained since is no part
    of that run.

    Args:
        source: A study file, its content as a mapping, or a `Study`.
        overrides: Dotted option → value, or ``KEY=VALUE`` texts.

    Raises:
        StudyError: If the file is missing, is no YAML mapping, or a key or value does not fit.
    """
    if isinstance(source, Study):
        complete = source.model_dump(mode="json")  # its preset is in it already
        return validate(Study, _overridden(complete, overrides), "") if overrides else source
    given, recorded = _given(source)
    written = _canonical(given)
    lists_compared = _holds(written, "evaluate.compare")
    written = _overridden(written, overrides)
    base = preset(written.get("preset", "default"), "preset")
    if recorded and _holds(written, "evaluate.preset"):  # --set evaluate=paper
        base = {"evaluate": base.get("evaluate", {})}
    elif recorded:
        base = {}
    if "evaluate" in written:
        written["evaluate"] = over_protocol(base, written["evaluate"], lists_compared)
    if not recorded:
        refuse_idle(written)
        base = of_task(written.get("task"), base)
    views = given.get("views")
    named = set(views) if isinstance(views, Mapping) else set()
    return validate(Study, over_preset(base, written, named), "")


def read_recorded(path: Path) -> dict[str, Any]:
    """The ``study.yaml`` of a run, whose options have the names of today.

    Args:
        path: The file.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is no YAML mapping.
    """
    data = parse_yaml(within(path, MOST_TEXT).read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise ValueError("it holds no mapping")
    return translated(data)


def wrote_study(study: Any) -> bool:
    """Whether the content of a ``study.yaml`` was written by a run, not by hand."""
    versions = study.get("versions") if isinstance(study, Mapping) else None
    return isinstance(versions, Mapping) and "rdfc-core" in versions


def without_added(study: Mapping[str, Any]) -> dict[str, Any]:
    """A study without what a run records about its making, so that it can be run again."""
    return {key: value for key, value in study.items() if key not in ADDED}


def _given(source: str | Path | Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """The study as it is written, with the names of today; and whether a run wrote it."""
    study = source if isinstance(source, Mapping) else _read(Path(source))
    if wrote_study(study):
        return without_added(translated(study)), True
    refuse_old_names(study)
    return (study if isinstance(source, Mapping) else without_added(study)), False


def _read(path: Path) -> dict[str, Any]:
    try:
        data = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StudyError(f"The study {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise StudyError(f"The study {path} is not valid YAML: {error}.") from error
    if not isinstance(data, dict):
        raise StudyError(f"The study {path} holds no mapping. Start with: dataset: …")
    return data


def _canonical(written: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the study with every shorthand written out.

    Raises:
        StudyError: If what a shorthand stands for is written out, too, or has no place.
    """
    study: dict[str, Any] = {k: _copy(v) for k, v in written.items() if k not in SHORTHAND}
    if "evaluate" in study:
        study["evaluate"] = written_out(study["evaluate"])
    for word, target in SHORTHAND.items():
        if word not in written:
            continue
        if _holds(study, target):
            raise StudyError(f"{word}: it stands for {target}, which is there, too. Drop one.")
        try:
            for place, value in _places(word, target, written[word]):
                set_nested(study, place, value)
        except ValueError as error:
            raise StudyError(f"{word}: it stands for {target}, and {error}.") from error
    return study


def _places(key: str, target: str, value: Any) -> list[tuple[str, Any]]:
    """What is set, and where: options of the view beside the component that a shorthand names.

    Args:
        key: As it was written; only a shorthand itself can hold options of its view.
        target: What it stands for.
        value: As it was written.

    Raises:
        ValueError: If a text is no component with its options.
    """
    begins = OF_THE_VIEW.get(key)
    if begins is None:
        return [(target, value)]
    options = value
    if isinstance(value, str) and begins in value:
        parsed = parse_part(value)
        options = {"name": parsed["name"], **parsed["options"]}
    if not isinstance(options, Mapping):
        return [(target, value)]
    view = target.rpartition(".")[0]
    found = [(f"{view}.{k}", v) for k, v in options.items() if str(k).startswith(begins)]
    own = {k: v for k, v in options.items() if not str(k).startswith(begins)}
    if not found:
        return [(target, value)]
    return [*([(target, own)] if own else []), *found]


def _overridden(study: dict[str, Any], overrides: Overrides) -> dict[str, Any]:
    """The study with the overrides in it.

    Raises:
        StudyError: If one cannot be understood, has an old name, or its place is taken.
    """
    for key, value, said in _parsed(overrides):
        try:
            for target, own in _places(key, _long_form(key), value):
                asked: dict[str, Any] = {}
                set_nested(asked, target, own)
                refuse_old_names(asked, f"{said}: ")
                set_nested(study, target, own)
        except ValueError as error:
            raise StudyError(f"{said}: {error}.") from error
        if "evaluate" in study:
            study["evaluate"] = written_out(study["evaluate"])
    return study


def _parsed(overrides: Overrides) -> Iterable[tuple[str, Any, str]]:
    """Key, value and how messages call it, of each override."""
    if isinstance(overrides, str):
        raise StudyError(f"overrides is the text {overrides!r}. Give a list of texts, or a dict.")
    if isinstance(overrides, Mapping):
        for key, value in overrides.items():
            if not isinstance(key, str) or not key.strip():
                raise StudyError(f"overrides: {key!r} is no option, such as 'pretrain.epochs'.")
            yield key.strip(), value, f"overrides: {key}={value!r}"
        return
    for text in overrides:
        key, equals, written = text.partition("=")
        if not (equals and key.strip()):
            raise StudyError(f"--set {text}: write KEY=VALUE, for example pretrain.epochs=10.")
        try:
            yield key.strip(), parse_yaml(written), f"--set {text}"
        except ValueError as error:
            raise StudyError(f"--set {text}: {error}.") from error


def _long_form(key: str) -> str:
    first, dot, rest = key.partition(".")
    long = SHORTHAND.get(first, first)
    if first in OF_THE_VIEW and rest.startswith(OF_THE_VIEW[first]):
        long = long.rpartition(".")[0]
    return long + dot + rest


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
