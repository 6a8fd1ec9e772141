"""Radiomics features by PyRadiomics. Naming the component loads nothing heavy."""

from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components() -> list[Component]:
    """The feature extractor ``pyradiomics``."""
    return [
        Component(
            "feature_extractor",
            "pyradiomics",
            "Shape, intensity and texture features by PyRadiomics 3.0.1",
            "rdfc_features_pyradiomics.extractor:PyRadiomicsExtractor",
            "rdfc_features_pyradiomics.config:PyRadiomicsConfig",
            requires={
                "radiomics": "PyRadiomics is not installed, and its release 3.0.1 cannot be built "
                "for Python 3.12 or later. Use Python 3.11 and install it as the README of "
                "rdfc-features-pyradiomics shows"
            },
        )
    ]
