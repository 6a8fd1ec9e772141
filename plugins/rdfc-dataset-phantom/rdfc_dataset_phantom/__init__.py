"""Generated tumours: a data set for demonstrations and tests that needs no file."""

from __future__ import annotations

from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components() -> list[Component]:
    """The data set ``phantom``."""
    return [
        Component(
            "dataset",
            "phantom",
            "Generated tumours, ultrasound-like in 2D or CT-like in 3D, mostly unlabelled",
            "rdfc_dataset_phantom.dataset:Phantoms",
            "rdfc_dataset_phantom.config:PhantomConfig",
        )
    ]
