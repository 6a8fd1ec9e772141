"""A paper's study, as a data set's plugin carries it, made ready to run on a copy of the data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rdfc_core.errors import StudyError
from rdfc_core.interfaces import PublishedStudy
from rdfc_core.plugin.registry import Registry


def published_study(registry: Registry, name: str) -> PublishedStudy:
    """What a paper did with the data set.

    Args:
        registry: Where the data set comes from.
        name: Its name.

    Raises:
        PluginError: If there is no such data set.
        StudyError: If no published study comes with it.
    """
    published: PublishedStudy | None = registry.get("dataset", name).load().published()
    if published is None:
        able = sorted(
            component.name
            for component, _ in registry.components("dataset")
            if component.name != name and component.load().published() is not None
        )
        raise StudyError(
            f"No published study comes with the data set {name!r}, only with: "
            f"{', '.join(able) or 'none of those installed'}. The same comparison on any data: "
            f"rdfc run --dataset {name}:root=DIR --set evaluate=paper."
        )
    return published


def on_copy(
    published: PublishedStudy, name: str, root: Path, quick: bool
) -> tuple[dict[str, Any], list[str]]:
    """The study on a copy of its data, and the overrides that make it quick.

    Args:
        published: The paper's study.
        name: The data set.
        root: Where the copy lies.
        quick: An hour's work on two cores instead of the paper's settings.

    Returns:
        A study and ``KEY=VALUE`` overrides, for `rdfc_core.config.load.load_study`.
    """
    study = {**published.study, "dataset": {"name": name, "root": str(root)}}
    changed = published.quick if quick else {}
    return study, [f"{key}={json.dumps(value)}" for key, value in changed.items()]
