"""A trained run, opened: its study is resolved once, its readers and models are loaded once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rdfc_core.case import Case
from rdfc_core.config.resolve import ResolvedStudy, resolve
from rdfc_core.data.case_definition import CaseDefinition
from rdfc_core.data.cells import plain_value
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.errors import DataError, StudyError
from rdfc_core.extraction.needs import needs_of, preparer_of
from rdfc_core.interfaces import Dataset
from rdfc_core.models.as_made import require_as_made
from rdfc_core.models.loading import load as load_model
from rdfc_core.models.made_by import Seen, probe, seen_phantoms
from rdfc_core.models.model import Model
from rdfc_core.pipeline.case_list import cases_to_predict, manifest
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.plugin.registry import Registry, installed

log = logging.getLogger("rdfc")


class OpenRun:
    """What a trained run needs to look at other cases; each part is loaded when it is asked for.

    Args:
        path: The run folder.
        registry: Where components come from.
    """

    def __init__(self, path: Path, registry: Registry) -> None:
        self.place, self.registry = RunFolder(path), registry
        self._seen: Seen | None = None

    def __getstate__(self) -> dict[str, RunFolder]:
        return {"place": self.place}

    def __setstate__(self, state: dict[str, RunFolder]) -> None:
        """Where it is unpickled, components are those of that environment."""
        self.place, self.registry = state["place"], installed()
        self._seen = None

    @cached_property
    def study(self) -> ResolvedStudy:
        """The run's study.

        Raises:
            StudyError: If the folder holds no run.
        """
        return resolve(self.place.load_study(), self.registry)

    @cached_property
    def reader(self) -> AutoReader:
        """The readers, with the options that the study gave them.

        Raises:
            StudyError: If the folder holds no run.
        """
        return AutoReader.installed(self.registry, self.study.readers)

    @cached_property
    def models(self) -> Mapping[str, Model]:
        """Split → its trained model.

        Raises:
            StudyError: If the folder holds no trained run.
            DataError: If a model is damaged.
            PluginError: If a component gives other values than when a model was made.
        """
        _ = self.study  # what is no run is refused first
        return {folder.name: self.model(folder.name) for folder in self.place.models()}

    def model(self, split: str) -> Model:
        """The trained model of a split, once its components are known to be as they were.

        Raises:
            DataError: If the model is damaged.
            PluginError: If a component gives other values than when the model was made.
        """
        model = load_model(self.place.model(split), self.study, self.registry)
        if model.made_by is None:
            self._tell_once()
            return model
        ndim = model.made_by.ndim
        if self._seen is None:
            self._seen = seen_phantoms(model.views, ndim)
        now = probe(model, self.study, self.registry, ndim, self._seen)
        require_as_made(model, model.probed, now)
        return model

    def _tell_once(self) -> None:
        if self._seen is None:
            self._seen = {}, {}
            log.info(
                "The model in %s does not say what its components gave for phantoms, since an "
                "older rdfc wrote it: whether they have changed since cannot be told.",
                self.place.path,
            )

    @cached_property
    def definition(self) -> CaseDefinition:
        """What a case is in this run.

        Raises:
            DataError: If an older rdfc wrote the run and it does not say.
        """
        found = next(iter(self.models.values())).cases
        if found is None:
            raise DataError(
                f"The model in {self.place.path} does not say which value of a mask marked the "
                "tumours that it was trained on: an older rdfc wrote it. Delete the run's "
                "results.json and run its study again with the same --out: that is added, and "
                "nothing is trained again."
            )
        return found

    def dataset(self, listing: Path) -> Dataset:
        """A list as a data set, its columns as they were read for the run.

        Raises:
            StudyError: If the folder holds no run, or its views need what only its own data set
                could find in a list.
        """
        own: Dataset = self.study.build_dataset(self.registry)
        found = own.with_list(listing)
        if found is not None:
            return found
        views = next(iter(self.models.values())).views.values()
        needs = [needs_of(preparer_of(view)) for view in views]
        named = dict.fromkeys(
            name for one in needs for name in (*(one.images or ()), *one.every_column)
        )
        if named:  # a plain list does not say which of its columns these are
            raise StudyError(
                f"The run's views need {', '.join(named)} of each case, and its data set "
                f"{self.study.dataset.name!r} does not say how it reads them from a list "
                "(Dataset.with_list). Predict case by case, with --image, --mask and --column "
                "NAME=VALUE, or give rdfc.Case objects from Python."
            )
        return manifest(listing, self.registry)

    def listed_cases(self, listing: Path) -> list[Case]:
        """The cases of a list, whose columns mean what they meant to the run.

        Raises:
            StudyError: If the folder holds no run.
            DataError: If the list cannot be used.
        """
        return cases_to_predict(self.dataset(listing), self.reader)

    def single_case(
        self,
        image: Path | Mapping[str, Path],
        mask: Path | Mapping[str, Path],
        mask_value: int | None = None,
        columns: Mapping[str, str] = MappingProxyType({}),
    ) -> Case:
        """One case that is in no list, named by its first image.

        Args:
            image: The image file; of a run whose images have names, name → file.
            mask: The mask file; or the name of each image → its mask.
            mask_value: The value that marks the tumour; None: that of the run.
            columns: Name → text of the columns that views see.

        Raises:
            StudyError: If the folder holds no run.
            DataError: If images and masks do not fit together, or a file is claimed by two readers.
        """
        values = {name: plain_value(text) for name, text in columns.items()}
        further: dict[str, Any] = {
            "mask_value": mask_value, "columns": values, "view_columns": tuple(values)
        }  # fmt: skip
        if isinstance(image, Path) and isinstance(mask, Path):
            name = image.name.split(".")[0]
            case = Case(name, name, image.resolve(), mask.resolve(), **further)
        else:
            images = image if isinstance(image, Mapping) else {}
            main = self.definition.main_image
            name = next((path.name.split(".")[0] for path in images.values()), "case")
            main = main if main in images else None
            case = Case.of_images(name, name, images, mask, main=main, **further)
            case = case.with_files(Path.resolve)
        return self.reader.given_to([case])[0]
