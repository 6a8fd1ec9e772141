"""The KiTS19 kidney tumour CT data set, in its official layout."""

from __future__ import annotations

from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components() -> list[Component]:
    """The data set ``kits19``."""
    return [
        Component(
            "dataset",
            "kits19",
            "Kidney tumours in CT, four subtypes (KiTS19 challenge)",
            "rdfc_dataset_kits19.dataset:Kits19",
            "rdfc_dataset_kits19.config:Kits19Config",
        )
    ]
