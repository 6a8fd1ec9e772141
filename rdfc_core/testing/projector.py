"""What rdfc relies on in a `Projector`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdfc_core.contract.promises import require_kind
from rdfc_core.testing.assertions import conformance

if TYPE_CHECKING:
    from rdfc_core.interfaces import Projector


@conformance
def check_projector(projector: Projector) -> None:
    """Check a projector on a few rows, in every precision that runs use.

    Args:
        projector: Built.

    Raises:
        AssertionError: If it builds no network of the widths that it is given, the network gives
            no numbers, or stops the gradient, or both that it builds are one.
    """
    import torch

    from rdfc_core.contract.global_state import UNLIKELY_SEED
    from rdfc_core.contract.projectors import FEATURES, ROWS, WIDTH, require_projector
    from rdfc_core.interfaces import Projector
    from rdfc_core.testing.precision import require_network_in_halves

    who = require_kind(projector, Projector)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(UNLIKELY_SEED)  # of the seed of before, seeding alike could not be told
        require_projector(projector)
        network = projector.build(FEATURES, WIDTH)
        rows = torch.randn(ROWS, FEATURES, generator=torch.Generator().manual_seed(1))
        require_network_in_halves(network, rows, f"The network of {who}.build()")
