"""Whether a saved model meets the components that it was made by: told before it is used."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.errors import DataError, PluginError
from rdfc_core.extraction.watched import component_of
from rdfc_core.interfaces import FeatureExtractor, View
from rdfc_core.models.building import network_part
from rdfc_core.models.made_by import MadeBy, Probe
from rdfc_core.models.model import Model
from rdfc_core.plugin.attribution import origin

log = logging.getLogger("rdfc")

SHOWN = 3
"""Differences that a message names."""


@dataclass(frozen=True)
class Limits:
    """How far numbers may be from those that were saved.

    Args:
        rounding: Up to here, processors and libraries differ.
        refused: From here on, it is another measurement; between the two it is warned of.
        relative: By the larger of the two numbers.
    """

    rounding: float
    refused: float
    relative: bool = False


FEATURES = Limits(1e-4, 1e-2, relative=True)
PICTURES = Limits(1e-3, 1e-2)
NETWORKS = Limits(2e-3, 2e-2)


@dataclass(frozen=True)
class Deviation:
    """A number that is not what it was.

    Args:
        part: The component that gives it.
        what: The feature, or what else it is.
        before: As it was saved.
        now: As it is.
        refused: Whether it is too far off to go on.
    """

    part: object
    what: str
    before: float
    now: float
    refused: bool


def require_as_made(model: Model, saved: Mapping[str, NDArray[Any]], now: Probe) -> None:
    """Refuse components that give other values than when the model was made.

    Args:
        model: Loaded; knows what it was made by.
        saved: The probe's numbers as they were saved.
        now: The probe as it is measured here.

    Raises:
        PluginError: If a recipe has changed, or what a component gives for a phantom.
        DataError: If the numbers are of no view of the model.
    """
    before = model.made_by
    assert before is not None
    _require_recipes(model, before, now.made_by)
    found = list(_differences(model, before, saved, now))
    refused = [one for one in found if one.refused]
    if refused:
        raise PluginError(
            f"The {_told(refused)}. What this model would say of cases is wrong then. Install "
            f"{_remedy(before, now.made_by)}, or run its study again with --overwrite."
        )
    if found:
        log.warning("The %s: more than rounding. Check predictions of known cases.", _told(found))
    changed = {
        component: version
        for component, version in before.versions.items()
        if now.made_by.versions.get(component) != version
    }
    if changed:
        component, version = next(iter(changed.items()))
        more = f" and {len(changed) - 1} more components" if len(changed) > 1 else ""
        log.warning(
            "The model was made with the %s of %s%s; here it is %s. What it gives for phantoms is "
            "as it was.",
            *(component, version, more),
            now.made_by.versions.get(component, "not installed"),
        )


def _prepares(view: View) -> object:
    """Whose code it is: that of a feature extractor behind the view, or the view's own."""
    part = component_of(view.preparer())
    return part if isinstance(part, FeatureExtractor) else view


def _require_recipes(model: Model, before: MadeBy, now: MadeBy) -> None:
    for view, recipe in before.recipes.items():
        changed = list(_changed(recipe, now.recipes.get(view), ""))
        if changed:
            part = _prepares(model.views[view])
            key, old, new = changed[0]
            more = f" ({len(changed) - 1} more)" if len(changed) > 1 else ""
            raise PluginError(
                f"The {origin(part)} has another recipe than when the model was made: {key} of "
                f"the view {view!r} was {old!r} and is {new!r}{more}. Install "
                f"{_remedy(before, now)}, or run its study again with --overwrite."
            )


def _changed(before: Any, now: Any, key: str) -> Iterator[tuple[str, Any, Any]]:
    """Dotted key, value before and value now, of all that differs."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for name in sorted({*before, *now}):
            inner = f"{key}.{name}" if key else str(name)
            yield from _changed(before.get(name), now.get(name), inner)
    elif before != now:
        yield key or "the recipe", before, now


def _differences(
    model: Model, before: MadeBy, saved: Mapping[str, NDArray[Any]], now: Probe
) -> Iterator[Deviation]:
    arrays = now.arrays()
    for key, old in saved.items():
        kind, _, rest = key.partition(".")
        of_network = kind == "network"
        view = rest if of_network else rest.rpartition(".")[0]
        if view not in model.views:
            raise DataError(
                f"The saved model holds numbers of {view!r}, which is no view of its study: it is "
                "damaged or of another study. Copy the run's folder again, or run its study again."
            )
        names: tuple[str, ...] = ()
        own = names
        if of_network:
            part: object = network_part(model.views[view])
            limits = NETWORKS
        else:
            part = _prepares(model.views[view])
            names, own = (made.features.get(view, ()) for made in (before, now.made_by))
            limits = FEATURES if names else PICTURES
        new = arrays.get(key)
        if new is None:
            told = f"of a phantom (now: {now.made_by.unprobed.get(view, 'nothing')})"
            yield Deviation(part, f"what it makes {told}", float(old.flat[0]), np.nan, True)
        elif new.shape != old.shape or own != names:
            yield Deviation(part, "the number of values", old.size, new.size, True)
        else:
            yield from _values(part, kind, old, new, names, limits)


def _values(
    part: object,
    kind: str,
    old: NDArray[Any],
    new: NDArray[Any],
    names: tuple[str, ...],
    limits: Limits,
) -> Iterator[Deviation]:
    old, new = old.astype(np.float64).ravel(), new.astype(np.float64).ravel()
    off = np.abs(new - old)
    if limits.relative:
        off = off / np.maximum(1e-12, np.maximum(np.abs(old), np.abs(new)))
    off = np.where(np.isnan(old) & np.isnan(new), 0.0, off)
    off = np.where(np.isnan(off), np.inf, off)  # a value that one of them lacks
    for place in np.argsort(-off)[: SHOWN + 1]:
        if off[place] > limits.rounding:
            thing = "value" if kind == "prepared" else "network feature"
            what = names[place] if names else f"{thing} {place}"
            refused = bool(off[place] > limits.refused)
            yield Deviation(part, what, float(old[place]), float(new[place]), refused)


def _told(found: list[Deviation]) -> str:
    """Whose values differ, and which: those of the first component."""
    first = found[0]
    own = [one for one in found if one.part is first.part][:SHOWN]
    values = ", ".join(f"{one.what} was {one.before:.6g} and is {one.now:.6g}" for one in own)
    return (
        f"{origin(first.part)} gives other values for built-in phantoms than when the model was "
        f"made: {values}"
    )


def _remedy(before: MadeBy, now: MadeBy) -> str:
    """What to install: what is another version here, or was one."""
    other = sorted({v for name, v in before.versions.items() if now.versions.get(name) != v and v})
    return " and ".join(other) or "the code that it was made with"
