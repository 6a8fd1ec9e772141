"""Radiomics features by rdfc's own engine. Naming the component loads nothing heavy."""

from typing import TYPE_CHECKING, Any

from rdfc_core import Component, hookimpl

if TYPE_CHECKING:
    from rdfc_features_native.pyradiomics_api import RadiomicsFeatureExtractor

__all__ = ["RadiomicsFeatureExtractor", "rdfc_components"]

rdfc_interface = 1


@hookimpl
def rdfc_components() -> list[Component]:
    """The feature extractors ``native``, ``ibsi`` and ``colour``."""
    return [
        Component(
            "feature_extractor",
            "native",
            "PyRadiomics' shape, intensity and texture features, many times faster",
            "rdfc_features_native.extractor:NativeExtractor",
            "rdfc_features_native.config:NativeConfig",
        ),
        Component(
            "feature_extractor",
            "ibsi",
            "The IBSI's 173 features of 11 families, with its image processing and filters",
            "rdfc_features_native.ibsi.extractor:IbsiExtractor",
            "rdfc_features_native.ibsi.config:IbsiConfig",
        ),
        Component(
            "feature_extractor",
            "colour",
            "22 statistics of a picture's colours: red, green, blue, hue, saturation, contrasts",
            "rdfc_features_native.colour:ColourExtractor",
            "rdfc_features_native.colour_config:ColourConfig",
        ),
    ]


def __getattr__(name: str) -> Any:
    """The drop-in class for scripts of PyRadiomics, loaded when it is asked for."""
    if name == "RadiomicsFeatureExtractor":
        from rdfc_features_native.pyradiomics_api import RadiomicsFeatureExtractor

        return RadiomicsFeatureExtractor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
