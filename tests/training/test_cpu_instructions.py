"""What torch says of the processor, by whichever names it has."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from rdfc_core.training import cpu_instructions


def test_public_and_private_names_say_the_same():
    private = (torch.cpu._is_avx512_bf16_supported(), torch.cpu._is_amx_tile_supported())
    assert cpu_instructions.cpu_instructions() == private


@pytest.mark.parametrize("bf16", [True, False])
def test_a_torch_without_the_public_name_is_asked_by_the_private_ones(monkeypatch, bf16):
    older = SimpleNamespace(
        _is_avx512_bf16_supported=lambda: bf16, _is_amx_tile_supported=lambda: not bf16
    )
    monkeypatch.setattr(cpu_instructions, "torch", SimpleNamespace(cpu=older))
    assert cpu_instructions.cpu_instructions() == (bf16, not bf16)
