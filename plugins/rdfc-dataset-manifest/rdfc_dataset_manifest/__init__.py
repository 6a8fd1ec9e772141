"""Any data set that a CSV file lists."""

from __future__ import annotations

from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components() -> list[Component]:
    """The data set ``manifest``."""
    return [
        Component(
            "dataset",
            "manifest",
            "Any data set listed in a CSV file, PyRadiomics' batch files included",
            "rdfc_dataset_manifest.dataset:Manifest",
            "rdfc_dataset_manifest.config:ManifestConfig",
        )
    ]
