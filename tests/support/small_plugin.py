"""Announces the small parts, as the light module of any plugin does."""

from __future__ import annotations

from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components() -> list[Component]:
    here, light = "tests.support.small_parts", "tests.support.small_preparers"
    return [
        Component(
            "feature_extractor",
            "outline",
            "Twelve features by NumPy alone",
            f"{light}:OutlineFeatures",
            f"{light}:OutlineConfig",
        ),
        Component(
            "image_encoder",
            "small-cnn",
            "Two convolutions",
            f"{here}:SmallCnn",
            f"{here}:SmallCnnConfig",
        ),
        Component(
            "image_encoder",
            "started-cnn",
            "The same, beginning with given weights",
            f"{here}:StartedCnn",
            f"{here}:StartedCnnConfig",
        ),
        Component(
            "image_encoder",
            "small-cnn-3d",
            "Two convolutions with depth",
            f"{here}:SmallVolumeCnn",
            f"{here}:SmallCnnConfig",
        ),
        Component(
            "view",
            "tokens",
            "Rows of the tumour, as many as it has",
            f"{here}:TokenView",
            f"{here}:TokenViewConfig",
        ),
        Component(
            "view",
            "greys",
            "The histogram of grey values",
            f"{here}:GreyView",
            f"{here}:GreyViewConfig",
        ),
    ]
