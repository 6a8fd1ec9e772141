"""What rdfc relies on in an `ImageEncoder`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rdfc_core.contract.promises import require, require_kind
from rdfc_core.testing.assertions import conformance

if TYPE_CHECKING:
    from rdfc_core.interfaces import ImageEncoder


@conformance
def check_image_encoder(
    encoder: ImageEncoder, channels: Sequence[int] = (1, 3), size: Sequence[int] = (64, 64)
) -> None:
    """Check an encoder's networks for several numbers of channels.

    Args:
        encoder: Built.
        channels: Numbers of channels to try.
        size: Of the pictures, (H, W), or (Z, Y, X) for three spatial dimensions.

    Raises:
        AssertionError: If building seeds or changes what belongs to the whole process, a network
            does not give (B, F) features of each picture alone, cannot be trained as a whole, its
            layer groups miss a parameter or hold one twice, or there is not a mean and a deviation
            for each channel.
    """
    import torch

    from rdfc_core.contract.global_state import UNLIKELY_SEED, left_alone
    from rdfc_core.contract.networks import require_normalisation
    from rdfc_core.interfaces import ImageEncoder
    from rdfc_core.testing.networks import check_layer_groups, check_network

    who = require_kind(encoder, ImageEncoder)
    require(
        encoder.spatial_dims in (2, 3),
        f"{who}.spatial_dims is {encoder.spatial_dims}; it has to be 2 or 3.",
    )
    require(
        len(size) == encoder.spatial_dims,
        f"{who} takes pictures with {encoder.spatial_dims} axes: call this check with a size of "
        f"as many numbers, not {tuple(size)}.",
    )
    for count in channels:
        generator = torch.Generator().manual_seed(count)
        given = encoder.normalisation(count)
        require_normalisation(given, count, f"{who}.normalisation({count})")
        mean, deviation = (torch.tensor(one).view(-1, *[1] * len(size)) for one in given)
        batch = (torch.rand(3, count, *size, generator=generator) - mean) / deviation
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(UNLIKELY_SEED)  # seeding with the seed of a test would not be seen
            with left_alone(f"{who}.build()", weights=True):
                encoder.build(count)
        network = check_network(
            lambda count=count: encoder.build(count),  # type: ignore[misc]
            batch,
            f"The network of {who} for {count} channel(s)",
        )
        groups = encoder.layer_groups(network)
        check_layer_groups(groups, network, f"The layer groups of {who}")
