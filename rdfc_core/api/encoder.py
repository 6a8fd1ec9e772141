"""A trained tower of a run, for networks of the user's own."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from rdfc_core.api.case_source import Cases, Lists, cases_of
from rdfc_core.case import Case, Tumour, voxels_inside
from rdfc_core.data.case_definition import CaseDefinition
from rdfc_core.errors import DataError, ShapeError
from rdfc_core.extraction.needs import needs_of, preparer_of, preparers_of
from rdfc_core.extraction.shared_mask_grid import mask_grid_of
from rdfc_core.interfaces import Prepared, Tower, View
from rdfc_core.interfaces.collated import Collated, to_device
from rdfc_core.mask_grid import MaskGrid
from rdfc_core.models.model import Model
from rdfc_core.pipeline.predict import of_other_kind
from rdfc_core.volume import Volume, check_finite

log = logging.getLogger("rdfc")


class Encoder(nn.Module):
    """A pretrained network of a run with its preprocessing.

    Called with tensors as `prepare` gives them, it is an ordinary module, (B, …) → (B, F), that can
    be trained. Called with cases, or with an image and a mask, it prepares them first.

    It begins in evaluation mode, with the weights of the pretext: call ``train()`` to train it.

    Example:
        ```python
        encoder = run.encoder("image")
        features = encoder("lesion.png", "lesion-mask.png")  # (1, F)
        network = torch.nn.Sequential(encoder, torch.nn.Linear(encoder.out_features, 2))
        ```
    """

    tower: Tower

    def __init__(
        self,
        name: str,
        view: View,
        tower: Tower,
        lists: Lists,
        definition: CaseDefinition,
        mask_grid: MaskGrid | None,
    ) -> None:
        super().__init__()
        self.name = name
        self.tower = tower
        self._view, self._lists, self._definition = view, lists, definition
        self._grid = mask_grid
        self.eval()

    @property
    def out_features(self) -> int:
        """F, the width of the output."""
        return self.tower.out_features

    @property
    def picture_shape(self) -> tuple[int, ...]:
        """(C, H, W) or (C, Z, H, W) of the pictures in [0, 1] it takes; empty if it takes none."""
        return self.tower.picture_shape

    def forward(self, batch: Collated | Cases | Tumour | Any, mask: Any = None) -> torch.Tensor:
        """Features, (B, F), not normalised.

        Args:
            batch: A tensor as `prepare` and `augment` give it, (B, …); or what `prepare` takes.
            mask: As of `prepare`.
        """
        if not isinstance(batch, torch.Tensor | Mapping) or mask is not None:
            device = next((one.device for one in self.tower.parameters()), torch.device("cpu"))
            batch = to_device(self.prepare(batch, mask), device)
        features: torch.Tensor = self.tower(batch)
        return features

    def prepare(self, cases: Cases | Tumour | Any, mask: Any = None) -> Any:
        """What the network sees of cases, (N, …) float32 on the CPU: cut out and scaled as trained.

        Args:
            cases: A `Case`, several, (image, mask) tuples of paths, a manifest, a DataFrame, or one
                or several `Tumour`; with ``mask``: an image, as a path or an array.
            mask: The mask of the image, as a path or an array of its shape, other than 0 inside.
                Arrays have a spacing of 1 mm; give a `Tumour` where it is another.

        Raises:
            DataError: If a case cannot be used.
            StudyError: If what a case is differs from the run.
        """
        if mask is not None and not _is_path(cases):
            cases = _tumour(cases, mask)
        elif mask is not None:
            cases = (cases, mask)
        if isinstance(cases, Tumour):
            cases = [cases]
        if isinstance(cases, list) and cases and all(isinstance(one, Tumour) for one in cases):
            return self._collated([self._seen(tumour) for tumour in cases])
        named = self._definition.applied_to(cases_of(cases, self._lists))
        return self._collated([self._of_case(case) for case in named])

    def augment(self, batch: Any, generator: torch.Generator) -> Any:
        """A random variation of prepared cases, as in pretraining, (B, …) → (B, …)."""
        return self._view.augment(batch, generator)

    def layer_groups(self) -> Mapping[str, Sequence[nn.Module]]:
        """Named groups of layers from input to output, for rates of their own, or freezing."""
        return self.tower.layer_groups()

    def _collated(self, prepared: Sequence[Prepared]) -> Any:
        for sentence in self._view.adapt(prepared):
            log.warning("The view %r: %s", self.name, sentence)
        return self._view.collate(prepared)

    def _of_case(self, case: Case) -> Prepared:
        needs = needs_of(preparer_of(self._view))
        tumour = (replace(case, mask_grid=self._grid) if self._grid else case).load(needs)
        try:
            return self._seen(tumour, case.columns)
        except DataError as error:
            raise DataError(f"Case {case.case_id}: {error}") from error

    def _seen(self, tumour: Tumour, columns: Mapping[str, str] | None = None) -> Prepared:
        columns = tumour.columns if columns is None else columns
        preparer = preparer_of(self._view)
        needs = needs_of(preparer)
        if needs.images != () and not self._view.accepts(tumour.ndim):
            raise DataError(f"{of_other_kind(self.name, tumour.ndim)}.")
        missing = [name for name in needs.columns if name not in tumour.columns]
        several = needs.images is not None and len(needs.images) > 1
        missing += [n for n in needs.images or () if several and n not in tumour.images]
        missing += [name for name in needs.fit_columns if name not in columns]
        if missing:
            raise DataError(
                f"the view {self.name!r} needs {', '.join(map(repr, missing))} of a tumour. Give "
                "its images and columns, or a Case that has them."
            )
        prepared = preparer.prepare(tumour)
        seen = {name: columns[name] for name in needs.fit_columns}
        return replace(prepared, columns=seen) if seen else prepared


def encoder_of(name: str, model: Model, lists: Lists, definition: CaseDefinition) -> Encoder:
    """The encoder of a view of a trained model.

    Raises:
        DataError: If the pretext trained none of this name.
    """
    towers = model.pretext.encoders()
    if name not in towers:
        raise DataError(
            f"There is no trained encoder {name!r} in this run. It has: {', '.join(towers)}."
        )
    grid = mask_grid_of(preparers_of(model.views))
    return Encoder(name, model.views[name], towers[name], lists, definition, grid)


def _is_path(value: Any) -> bool:
    return isinstance(value, str | Path)


def _tumour(image: Any, mask: Any) -> Tumour:
    """An image and a mask in memory.

    Raises:
        ShapeError: If they are no pictures or volumes of one shape.
        DataError: If the mask is empty, or the image holds NaN or infinite samples.
    """
    grey, outline = (
        np.asarray(one.detach().cpu() if isinstance(one, torch.Tensor) else one)
        for one in (image, mask)
    )
    if grey.shape != outline.shape or grey.ndim not in (2, 3):
        raise ShapeError(
            f"The image has the shape {grey.shape} and the mask {outline.shape}. Give both as "
            "(H, W), or as (Z, Y, X)."
        )
    return Tumour(check_finite(Volume.of(grey)), voxels_inside(Volume.of(outline), None))
