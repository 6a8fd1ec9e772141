"""Radiomics features by rdfc's own engine. Naming the component loads nothing heavy."""

from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components() -> list[Component]:
    """The feature extractor ``native``."""
    return [
        Component(
            "feature_extractor",
            "native",
            "PyRadiomics' shape, intensity and texture features, many times faster",
            "rdfc_features_native.extractor:NativeExtractor",
            "rdfc_features_native.config:NativeConfig",
        )
    ]
