"""What this processor multiplies bfloat16 by."""

from __future__ import annotations

from typing import NamedTuple

import torch


class CpuInstructions(NamedTuple):
    """Instructions for bfloat16: of AVX-512, and tiles of AMX."""

    avx512_bf16: bool
    amx_tile: bool


def cpu_instructions() -> CpuInstructions:
    """What the processor has."""
    if hasattr(torch.cpu, "get_capabilities"):
        able = torch.cpu.get_capabilities()
        return CpuInstructions(bool(able.get("avx512_bf16")), bool(able.get("amx_tile")))
    # Before that function was there, torch said so by private names alone.
    return CpuInstructions(
        torch.cpu._is_avx512_bf16_supported(), torch.cpu._is_amx_tile_supported()
    )
