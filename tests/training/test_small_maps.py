"""Products in place of convolutions of small maps: the same numbers and gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from rdfc_core.training.small_maps import as_products


def layer(bias: bool, seed: int = 0) -> nn.Conv2d:
    torch.manual_seed(seed)
    return nn.Conv2d(5, 7, 3, padding=1, bias=bias).double().to(memory_format=torch.channels_last)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (2, 2), (3, 2)])
def test_the_numbers_and_gradients_are_those_of_the_convolution(size, bias):
    own = layer(bias)
    maps = torch.randn(16, 5, *size, dtype=torch.float64, requires_grad=True)
    told = torch.randn(16, 7, *size, dtype=torch.float64)
    wanted = [maps, *own.parameters()]
    plain = own(maps)
    expected = torch.autograd.grad(plain, wanted, told)
    with as_products([own]):
        out = own(maps)
        found = torch.autograd.grad(out, wanted, told)
    torch.testing.assert_close(out, plain)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_the_gradient_lies_as_the_weights_do():
    own = layer(bias=False)
    with as_products([own]):
        own(torch.randn(16, 5, 2, 2, dtype=torch.float64)).sum().backward()
    assert own.weight.grad is not None
    assert own.weight.grad.stride() == own.weight.stride()


def test_a_gradient_is_that_of_differences():
    own = layer(bias=False)
    maps = torch.randn(16, 5, 2, 2, dtype=torch.float64, requires_grad=True)
    with as_products([own]):
        assert torch.autograd.gradcheck(own, (maps,))


def test_it_is_done_in_half_precision_under_autocast():
    own = layer(bias=False).float()
    maps = torch.randn(16, 5, 2, 2)
    with as_products([own]), torch.autocast("cpu", torch.bfloat16):
        out = own(maps)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), own(maps), atol=0.05, rtol=0.02)


def test_others_are_left_alone():
    others = nn.ModuleList(
        [
            nn.Conv2d(5, 5, 3),
            nn.Conv2d(5, 5, 3, padding=1, stride=2),
            nn.Conv2d(5, 5, 3, padding=2, dilation=2),
            nn.Conv2d(5, 5, 3, padding=1, groups=5),
            nn.Conv2d(5, 5, 3, padding=1, padding_mode="circular"),
            nn.Conv2d(5, 5, 1),
        ]
    )
    maps = torch.randn(16, 5, 4, 4)
    before = [one(maps) for one in others]
    with as_products([others]):
        for one, out in zip(others, before, strict=True):
            assert torch.equal(one(maps), out)


@pytest.mark.parametrize(
    ("maps", "inside", "convolutions"), [(16, True, 0), (15, True, 1), (16, False, 1)]
)
def test_products_are_taken_inside_alone_and_of_batches_that_pay(
    maps, inside, convolutions, monkeypatch
):
    own, asked, convolve = layer(bias=False), [], functional.conv2d
    with as_products([own]):
        if inside:
            monkeypatch.setattr(functional, "conv2d", lambda *a: asked.append(1) or convolve(*a))
            own(torch.randn(maps, 5, 2, 2, dtype=torch.float64))
    if not inside:
        monkeypatch.setattr(functional, "conv2d", lambda *a: asked.append(1) or convolve(*a))
        own(torch.randn(maps, 5, 2, 2, dtype=torch.float64))
    assert len(asked) == convolutions
