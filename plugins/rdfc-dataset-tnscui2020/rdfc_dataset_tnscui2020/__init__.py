"""The TN-SCUI2020 thyroid ultrasound data set, in the layout in which it is handed out."""

from __future__ import annotations

from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components() -> list[Component]:
    """The data set ``tn-scui2020``."""
    return [
        Component(
            "dataset",
            "tn-scui2020",
            "Thyroid nodules in ultrasound, benign or malignant (TN-SCUI2020 challenge)",
            "rdfc_dataset_tnscui2020.dataset:TnScui2020",
            "rdfc_dataset_tnscui2020.config:TnScui2020Config",
        )
    ]
