"""Whether 3D convolutions on this processor have right gradients in bfloat16.

With torch 2.15 they have not: the weights' gradient of a convolution of 16 → 4 channels on maps of
2 × 4 × 4 is wrong in every try, up to infinite, and nothing says so. So it is tried out, and what
came of it is kept beside the store, by processor and version of torch.
"""

from __future__ import annotations

import json
import logging
import platform
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

import torch
from torch import nn

from rdfc_core.errors import StudyError
from rdfc_core.training.cpu_instructions import cpu_instructions
from rdfc_core.utils.atomic import replacing
from rdfc_core.utils.serialization import parse_json

log = logging.getLogger("rdfc")

OUTCOMES = "bfloat16.json"
"""File beside the store: processor and version of torch → whether gradients are right."""

SHAPES = ((2, 4, 4), (2, 8, 8), (4, 4, 4), (3, 5, 5), (8, 8, 8))
"""Of the maps that are tried, (Z, H, W)."""

CHANNELS = ((16, 4), (4, 16), (16, 16), (1, 8))
"""In and out."""

MOST_ERROR = 0.05
"""Of a gradient, relative to its length; rounding to bfloat16 makes 0.004."""


def conv3d_is_right(folder: Path | None = None) -> bool:
    """Whether 3D convolutions in bfloat16 have right outputs and gradients on this processor.

    Args:
        folder: Of the store, where the outcome is kept; None, or where nothing can be written
            there: it is tried each time that a process asks.
    """
    file = folder / OUTCOMES if folder is not None else None
    outcomes = _read(file)
    machine = _machine()
    if isinstance(outcomes.get(machine), bool):
        return bool(outcomes[machine])
    right = _tried()
    if file is not None:
        try:
            with replacing(file) as partial:
                partial.write_text(json.dumps({**outcomes, machine: right}, indent=1) + "\n")
        except OSError as error:
            log.debug("What came of trying bfloat16 cannot be kept in %s: %s", file, error)
    return right


def refuse_wrong_gradients(
    networks: Iterable[nn.Module], precision: str, device: torch.device, option: str
) -> None:
    """Refuse to train 3D convolutions in bfloat16 on a processor that gets their gradients wrong.

    Args:
        networks: What is trained.
        precision: Of the training.
        device: Where it is trained.
        option: The key of the study that says the precision.

    Raises:
        StudyError: If they would be wrong.
    """
    if precision != "bf16-mixed" or device.type != "cpu":
        return
    if any(has_wrong_gradients(network) for network in networks):
        raise wrong_gradients(option)


def has_wrong_gradients(network: nn.Module) -> bool:
    """Whether a network has layers whose gradients are wrong in bfloat16 on this processor."""
    volumes = any(isinstance(one, nn.Conv3d | nn.ConvTranspose3d) for one in network.modules())
    return volumes and not _tried()


def wrong_gradients(option: str) -> StudyError:
    """Why bfloat16 is refused, and what to do.

    Args:
        option: The key of the study that says the precision.
    """
    return StudyError(
        f"{option} is bf16-mixed, and torch {torch.__version__} computes wrong gradients of 3D "
        "convolutions in bfloat16 on this processor. Set it to 32-true or auto, or train on a GPU."
    )


@cache
def _tried() -> bool:
    generator = torch.Generator().manual_seed(0)
    return all(_is_right(channels, shape, generator) for shape in SHAPES for channels in CHANNELS)


def _is_right(
    channels: tuple[int, int], shape: tuple[int, ...], generator: torch.Generator
) -> bool:
    conv = nn.Conv3d(*channels, 3, padding=1)
    weight = torch.randn(conv.weight.shape, generator=generator) / 10
    maps = torch.randn(2, channels[0], *shape, generator=generator)
    found = []
    with torch.enable_grad():
        for half in (False, True):
            conv.weight = nn.Parameter(weight.clone())
            taken = maps.clone().requires_grad_()
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                given = conv(taken)
            given.float().square().mean().backward()
            found.append((given.detach().float(), conv.weight.grad, taken.grad))
    return all(
        bool((exact - rounded).norm() <= MOST_ERROR * exact.norm())  # also refuses NaN
        for exact, rounded in zip(*found, strict=True)
        if exact is not None and rounded is not None
    )


def _machine() -> str:
    """The processor, what torch uses of it, and the version of torch."""
    name = platform.processor() or platform.machine()
    with suppress(OSError, StopIteration):  # on other systems what Python knows has to do
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    parts = (name, torch.backends.cpu.get_cpu_capability(), f"torch {torch.__version__}")
    bf16, amx = cpu_instructions()
    return ", ".join((*parts, f"bf16 {bf16}, amx {amx}"))


def _read(file: Path | None) -> dict[str, object]:
    if file is None:
        return {}
    try:
        outcomes = parse_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none yet, or damaged: it is tried again
        return {}
    return outcomes if isinstance(outcomes, dict) else {}
