"""What of a study measures its cases, where not all that trains on them is installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rdfc_core.config.resolve import ResolvedPart, built_dataset, resolve_part, resolve_readers
from rdfc_core.config.study import Study
from rdfc_core.errors import PluginError, StudyError
from rdfc_core.interfaces.dataset import Dataset
from rdfc_core.plugin.registry import Registry
from rdfc_core.results.vocabulary import CLASSIFICATION, TaskName


@dataclass(frozen=True)
class Measured:
    """Of a study what its cases are measured by; the rest may be installed elsewhere."""

    dataset: ResolvedPart
    views: Mapping[str, ResolvedPart]
    readers: Mapping[str, ResolvedPart]
    left_out: Mapping[str, str]
    """Views that cannot be made here → why."""
    task: TaskName = CLASSIFICATION

    def build_dataset(self, registry: Registry) -> Dataset:
        """The data set, as `ResolvedStudy.build_dataset`."""
        return built_dataset(self.dataset, self.task, registry)


def resolve_measured(study: Study, registry: Registry) -> Measured:
    """What of a study measures its cases, where not all that trains on them is installed.

    Raises:
        StudyError: If an option is unknown or does not fit, or no view can be made here.
        PluginError: If the data set or a reader is unknown or unavailable.
    """
    views, left_out = {}, {}
    for name, part in study.views.items():
        try:
            views[name] = resolve_part("view", part, registry, f"views.{name}")
        except PluginError as error:
            left_out[name] = str(error)
    if not views:
        raise StudyError(f"No view can be made here. {' '.join(left_out.values())}")
    return Measured(
        dataset=resolve_part("dataset", study.dataset, registry, "dataset"),
        views=views,
        readers=resolve_readers(study, registry),
        left_out=left_out,
        task=study.task,
    )
