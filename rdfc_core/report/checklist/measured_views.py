"""Views of handcrafted features in the saved models of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rdfc_core.report.checklist.evidence import Evidence
from rdfc_core.report.checklist.saved_model import SavedModel


@dataclass(frozen=True)
class MeasuredView:
    """A view of handcrafted features in a saved model.

    Args:
        model: The model.
        view: The view's name.
        names: Its features.
        recipe: Of its extractor.
    """

    model: SavedModel
    view: str
    names: tuple[str, ...]
    recipe: Mapping[str, Any]

    @property
    def at(self) -> str:
        """Where the recipe stands in ``model.json``."""
        return f"made_by.recipes.{self.view}.extractor"

    @property
    def extractor(self) -> str:
        """Its name."""
        return str(self.recipe.get("extractor", ""))

    @property
    def parameters(self) -> Mapping[str, Any]:
        """PyRadiomics' parameters, for the axes that the run's tumours have; empty without any."""
        found = self.recipe.get("parameters")
        if not isinstance(found, Mapping):
            return {}
        ndim = self.model.made_by.get("ndim")
        own = found.get("pictures" if ndim == 2 else "volumes", found)
        return own if isinstance(own, Mapping) else {}

    @property
    def parameters_at(self) -> str:
        """Where they stand."""
        axes = "pictures" if self.model.made_by.get("ndim") == 2 else "volumes"
        inside = axes in (self.recipe.get("parameters") or {})
        return f"{self.at}.parameters{f'.{axes}' if inside else ''}"

    @property
    def settings(self) -> Mapping[str, Any]:
        """Of the parameters; the options of an extractor that takes none of PyRadiomics'."""
        if "parameters" not in self.recipe:
            return self.recipe
        found = self.parameters.get("setting")
        return found if isinstance(found, Mapping) else {}

    @property
    def settings_at(self) -> str:
        """Where they stand."""
        return f"{self.parameters_at}.setting" if "parameters" in self.recipe else self.at


def views_of(run: Evidence) -> list[str]:
    """Views of handcrafted features, by the study."""
    views = run.setting("views") or {}
    return [n for n, view in views.items() if isinstance(view, Mapping) and "extractor" in view]


def measured(run: Evidence) -> list[MeasuredView]:
    """Views of handcrafted features in the first saved model that records them."""
    for model in run.models.values():
        recipes = model.made_by.get("recipes") or {}
        features = model.made_by.get("features") or {}
        found = [
            MeasuredView(model, view, tuple(features.get(view, ())), recipes[view]["extractor"])
            for view in views_of(run)
            if isinstance(recipes.get(view, {}).get("extractor"), Mapping)
        ]
        if found:
            return found
    return []
