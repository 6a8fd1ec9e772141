"""Batch normalisation over the rows of all processes, on any device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist
from torch.nn import functional

_own_rows = functional.batch_norm


@contextmanager
def synchronised(wanted: bool) -> Iterator[None]:
    """Inside, batch normalisation in training takes mean and variance over all processes.

    The function is exchanged and not the layers: a model then is the same as one that a single
    process trained, and layers that normalise and do more, as timm's, are covered.
    torch.nn.SyncBatchNorm works on GPUs alone.
    """
    if wanted:
        functional.batch_norm = _all_rows
    try:
        yield
    finally:
        functional.batch_norm = _own_rows


def _all_rows(
    input: Tensor,  # as torch calls it
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """As `torch.nn.functional.batch_norm`."""
    if not training:
        return _own_rows(input, running_mean, running_var, weight, bias, False, momentum, eps)
    values = input.float()  # sums of many half-precision numbers would lose their digits
    axes = [axis for axis in range(input.ndim) if axis != 1]
    shape = [1, -1, *[1] * (input.ndim - 2)]
    own = values.new_tensor([values.numel() / values.shape[1]])
    sums: Tensor = _Sum.apply(torch.cat([values.sum(axes), own]))
    count = sums[-1].detach()
    mean = sums[:-1] / count
    centred = values - mean.view(shape)
    # A second pass: the mean of squares less the square of the mean loses digits.
    variance: Tensor = _Sum.apply(centred.square().sum(axes)) / count
    if running_mean is not None and running_var is not None:
        with torch.no_grad():
            running_mean.lerp_(mean.to(running_mean), momentum)
            running_var.lerp_((variance * count / (count - 1)).to(running_var), momentum)
    scale = torch.rsqrt(variance + eps)
    scale = scale if weight is None else scale * weight
    normed = centred * scale.view(shape)
    return (normed if bias is None else normed + bias.view(shape)).to(input.dtype)


class _Sum(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of theirs, as each makes use of it."""

    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        return _summed(own)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _summed(gradients[0])


def _summed(own: Tensor) -> Tensor:
    total = own.clone(memory_format=torch.contiguous_format)
    dist.all_reduce(total)
    return total
