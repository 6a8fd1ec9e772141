"""The inputs of an exported model: names, shapes and meaning; and cases to try it on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rdfc_core.errors import StudyError
from rdfc_core.interfaces import Prepared, View
from rdfc_core.interfaces.collated import Collated
from rdfc_core.models.made_by import seen_phantoms
from rdfc_core.plugin.attribution import origin
from rdfc_core.views.feature_view import MEASURED, FeatureView
from rdfc_core.views.image_view import ImageView

TRIED = 2
"""Cases on which an export is compared with rdfc: as many as there are phantoms."""

FITTED = {"names", "median", "mean", "scale"}
"""What a feature view has learnt that an exported model repeats."""

Kind = Literal["picture", "features", "collated"]


@dataclass(frozen=True)
class Port:
    """An input of an exported model.

    Args:
        name: Of the input: that of its view, and behind a point its place in a mapping.
        view: The view.
        path: Its place in what the view collates; nothing where that is one tensor.
        kind: ``picture``: (N, C, H, W) or (N, C, Z, H, W) in [0, 1]; ``features``: (N, F) as they
            were measured, NaN where one is missing; ``collated``: what the view itself makes.
        shape: Of a case.
        dtype: Of NumPy.
    """

    name: str
    view: str
    path: tuple[str, ...]
    kind: Kind
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class TriedCases:
    """Cases to try an export on.

    Args:
        prepared: View → `TRIED` cases as `rdfc_core.models.model.Model.predict` takes them.
        arrays: Input → the same cases as the exported model takes them.
        ports: The inputs.
    """

    prepared: Mapping[str, Sequence[Prepared]]
    arrays: Mapping[str, NDArray[Any]]
    ports: tuple[Port, ...]


def tried_cases(
    views: Mapping[str, View], names: Sequence[str], ndim: int, seed: int = 0
) -> TriedCases:
    """Inputs of a model, and cases drawn for them: nobody's data.

    Args:
        views: All views of the model, fitted.
        names: Those that the exported model looks at.
        ndim: Axes of the tumours.
        seed: Of what is drawn.

    Raises:
        StudyError: If a view does what an exported model cannot repeat.
    """
    rng = np.random.default_rng(seed)
    others = {n: v for n, v in views.items() if not isinstance(v, FeatureView | ImageView)}
    phantoms, unseen = seen_phantoms(others, ndim)
    prepared: dict[str, list[Prepared]] = {}
    arrays: dict[str, NDArray[Any]] = {}
    ports: list[Port] = []
    for name, view in views.items():
        if isinstance(view, FeatureView):
            refuse_unknown_steps(name, view)
            prepared[name] = _drawn_features(view, rng)
            given: Collated = torch.from_numpy(np.stack([one.array for one in prepared[name]]))
            kind: Kind = "features"
        elif isinstance(view, ImageView):
            prepared[name] = _drawn_pictures(view, rng)
            given, kind = view.collate(prepared[name]), "picture"
        elif name in phantoms:
            prepared[name] = phantoms[name]
            given, kind = view.collate(phantoms[name]), "collated"
        else:
            raise StudyError(
                f"A model with the {origin(view)} cannot be exported: the view makes nothing of a "
                f"phantom ({unseen[name]}), so that there is no case to compare the export on. "
                "Use rdfc predict, or a run without this view."
            )
        if name not in names:
            continue
        for path, tensor in leaves(given):
            port = ".".join((name, *path))
            array = tensor.numpy()
            ports.append(Port(port, name, path, kind, tuple(array.shape[1:]), array.dtype.name))
            arrays[port] = array
    return TriedCases(prepared, arrays, tuple(ports))


def refuse_unknown_steps(name: str, view: FeatureView) -> None:
    """Check that a feature view does no more with features than an exported model repeats.

    Raises:
        StudyError: If it has learnt anything else.
    """
    further = sorted(set(view.state()) - FITTED)
    if view.harmonise is not None:
        further = ["harmonise", *further]
    if further == [MEASURED]:
        raise StudyError(
            f"The view {name!r} keeps stable features alone, and an exported model takes all that "
            "are measured. Export a run whose view has no option stable, or use rdfc predict."
        )
    if further:
        raise StudyError(
            f"The view {name!r} does more with its features than an exported model can repeat "
            f"(it has learnt {', '.join(further[:3])}): what becomes of a case depends on where it "
            "is from. Export a run whose view has no such step."
        )


def leaves(cases: Collated, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Tensor]]:
    """Its tensors, with their places."""
    if isinstance(cases, Tensor):
        yield path, cases
        return
    for name, inner in cases.items():
        yield from leaves(inner, (*path, name))


def batch_of(ports: Sequence[Port], tensors: Sequence[Tensor]) -> dict[str, Collated]:
    """View → its cases, from one tensor an input."""
    batch: dict[str, Any] = {}
    for port, tensor in zip(ports, tensors, strict=True):
        if not port.path:
            batch[port.view] = tensor
            continue
        place = batch.setdefault(port.view, {})
        for name in port.path[:-1]:
            place = place.setdefault(name, {})
        place[port.path[-1]] = tensor
    return batch


def _drawn_features(view: FeatureView, rng: np.random.Generator) -> list[Prepared]:
    """Features about their means, one of them missing in each case."""
    state = view.state()
    spread = np.where(np.isfinite(state["scale"]), state["scale"], 1.0)
    found = []
    for place in range(TRIED):
        values = state["mean"] + spread * rng.normal(size=len(spread))
        if len(values) > 1:
            values[place % len(values)] = np.nan
        found.append(Prepared(values, view.names))
    return found


def _drawn_pictures(view: ImageView, rng: np.random.Generator) -> list[Prepared]:
    """Noise in [0, 1] of the size that the network sees."""
    size, channels = (view.state()[key] for key in ("size", "channels"))
    shape = (int(channels[0]), *map(int, size))
    return [Prepared(rng.random(shape).astype(np.float32)) for _ in range(TRIED)]
