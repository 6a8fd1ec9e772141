"""Which of a study's views a method takes."""

from __future__ import annotations

from collections.abc import Mapping

from rdfc_core.interfaces import Tower, View
from rdfc_core.views.feature_view import FeatureView


def handcrafted(views: Mapping[str, View]) -> str | None:
    """The view whose features conventional radiomics takes: the first that measures an image."""
    found = (n for n, view in views.items() if isinstance(view, FeatureView) and view.measures)
    return next(found, None)


def of_columns(views: Mapping[str, View]) -> list[str]:
    """The views that look at columns of the data set and at no image."""
    return [name for name, view in views.items() if view.needs.images == ()]


def image_view(views: Mapping[str, View]) -> str:
    """The name of the view that is trained alone, or "" if there is none."""
    return pictured({name: view.blank_tower() for name, view in views.items()}) or ""


def pictured(towers: Mapping[str, Tower]) -> str | None:
    """The view that is trained alone: the one called ``image``, or the first with pictures."""
    found = [name for name, tower in towers.items() if tower.picture_shape]
    return "image" if "image" in found else next(iter(found), None)
