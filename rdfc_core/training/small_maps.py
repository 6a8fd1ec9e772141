"""Convolutions of maps of at most 2 × 2 as one product of matrices, on a processor.

A 3 × 3 window on a padded map of 2 × 2 meets zeros in 20 of 36 places, and oneDNN's gradient of
the weights reaches a quarter of the processor's speed there. As a matrix from all places to all
places the same layer needs 16 products in place of 36, each at full speed. Networks of small
pictures end in such maps: a ResNet's last stage on 64 × 64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from rdfc_core.utils.overridden import overridden

LARGEST = 2
"""Height and width of the largest map: 16 places would need 256 matrices in place of 9."""

FEWEST = 16
"""Maps of a batch for which the matrix is worth putting together (docs/performance.md)."""


@contextmanager
def as_products(networks: Iterable[nn.Module]) -> Iterator[None]:
    """Inside, what such layers compute of small maps are products; the weights are the same.

    Args:
        networks: On a processor.
    """
    with ExitStack() as undo:
        for network in networks:
            for layer in network.modules():
                if type(layer) is nn.Conv2d and _eligible(layer):
                    own = _forward(layer._conv_forward)
                    undo.enter_context(overridden(layer, "_conv_forward", own))
        yield


def _eligible(layer: nn.Conv2d) -> bool:
    return (
        layer.kernel_size == (3, 3)
        and layer.stride == (1, 1)
        and layer.padding in ((1, 1), "same")
        and layer.dilation == (1, 1)
        and layer.groups == 1
        and layer.padding_mode == "zeros"
    )


def _forward(convolve: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def forward(maps: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        small = maps.ndim == 4 and len(maps) >= FEWEST and max(maps.shape[2:]) <= LARGEST
        # The gradient lies as such weights do; of others each window would be gathered bit by bit.
        if not small or not weight.is_contiguous(memory_format=torch.channels_last):
            return convolve(maps, weight, bias)
        if torch.is_autocast_enabled("cpu"):
            dtype = torch.get_autocast_dtype("cpu")
            maps, weight = maps.to(dtype), weight.to(dtype)
        out: Tensor = _Product.apply(maps, weight)
        return out if bias is None else out + bias.to(out.dtype)[:, None, None]

    return forward


class _Product(torch.autograd.Function):
    """(B, C, H, W), (D, C, 3, 3) → (B, D, H, W), of numbers of one format."""

    @staticmethod
    def forward(context: Any, maps: Tensor, weight: Tensor) -> Tensor:
        height, width = maps.shape[2:]
        matrix = torch.cat(
            [_window(weight, y, x, height, width).reshape(len(weight), -1)
             for y in range(height) for x in range(width)]
        )  # fmt: skip
        rows = maps.permute(0, 2, 3, 1).reshape(len(maps), -1)
        context.save_for_backward(rows, matrix)
        context.shape = maps.shape
        return _maps(rows @ matrix.T, maps.shape)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        rows, matrix = context.saved_tensors
        _, channels, height, width = context.shape
        given = gradients[0].permute(0, 2, 3, 1).reshape(len(rows), -1)
        of_maps = of_weight = None
        if context.needs_input_grad[0]:
            of_maps = _maps(given @ matrix, context.shape)
        if context.needs_input_grad[1]:
            products = (given.T @ rows).view(height, width, -1, height, width, channels)
            of_weight = products.new_zeros(products.shape[2], 3, 3, channels).permute(0, 3, 1, 2)
            for y in range(height):
                for x in range(width):
                    _window(of_weight, y, x, height, width).add_(products[y, x])
        return of_maps, of_weight


def _window(weight: Tensor, y: int, x: int, height: int, width: int) -> Tensor:
    """The weights, (D, H, W, C), by which the place (y, x) of a map sees each of its places."""
    return weight.permute(0, 2, 3, 1)[:, 1 - y : 1 - y + height, 1 - x : 1 - x + width]


def _maps(rows: Tensor, shape: torch.Size) -> Tensor:
    """(B, H × W × D) as (B, D, H, W), whose channels lie side by side."""
    return rows.view(shape[0], shape[2], shape[3], -1).permute(0, 3, 1, 2)
