"""rdfc-harmoniser-combat: ComBat, as rdfc's harmoniser ``combat``."""

from collections.abc import Sequence

from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components() -> Sequence[Component]:
    """The harmoniser ``combat``."""
    return [
        Component(
            "harmoniser",
            "combat",
            "ComBat: location and scale of each scanner or site, by empirical Bayes",
            "rdfc_harmoniser_combat.harmoniser:ComBat",
            "rdfc_harmoniser_combat.config:ComBatConfig",
        )
    ]
