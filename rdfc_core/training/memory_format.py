"""How networks of pictures lie in memory, and whether they are compiled, while they are trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

import torch

from rdfc_core.config.training_settings import Compilation, PretrainSettings
from rdfc_core.errors import StudyError
from rdfc_core.interfaces import Tower
from rdfc_core.training.small_maps import as_products
from rdfc_core.utils.overridden import overridden

CHANNELS_LAST = {3: torch.channels_last, 4: torch.channels_last_3d}
"""By the number of axes of one picture, channels included."""


@contextmanager
def laid_out(
    towers: Iterable[Tower], settings: PretrainSettings, device: torch.device
) -> Iterator[None]:
    """Inside, towers that take pictures are laid out and compiled as the settings say.

    Afterwards they are as before, in the layout in which they are saved and judged.

    Args:
        towers: Those that are trained; others than of pictures are left alone.
        settings: Channels last or not, and the mode of the compiler.
        device: Where they are trained.

    Raises:
        StudyError: If a tower cannot be compiled.
    """
    pictures = [tower for tower in towers if tower.picture_shape]
    with ExitStack() as undo:
        undo.enter_context(channels_last(pictures, device, settings.channels_last))
        if settings.compile is not None:
            undo.enter_context(_compiled(pictures, settings.compile))
        elif device.type == "cpu":
            undo.enter_context(as_products(pictures))
        yield


@contextmanager
def channels_last(
    towers: Iterable[Tower], device: torch.device, wanted: bool | None = None
) -> Iterator[None]:
    """Inside, the channels of a pixel lie side by side in the weights; afterwards as before.

    Args:
        towers: Those of pictures are laid out, others left alone.
        device: Where they are trained.
        wanted: Whether to; None: where it was measured to be quicker.
    """
    with ExitStack() as undo:
        for tower in towers:
            if _wants_channels_last(tower, device, wanted):
                tower.to(memory_format=CHANNELS_LAST[len(tower.picture_shape)])
                undo.callback(tower.to, memory_format=torch.contiguous_format)
        yield


def _wants_channels_last(tower: Tower, device: torch.device, wanted: bool | None) -> bool:
    if wanted is None:
        return device.type == "cpu" and len(tower.picture_shape) == 3
    return wanted and len(tower.picture_shape) in CHANNELS_LAST


def like_weights(optimizer: torch.optim.Optimizer) -> None:
    """Lay out what the optimiser remembers of each weight as the weight lies.

    A checkpoint keeps no layout; with one for weights and another for moments, the optimiser's step
    takes twice as long.
    """
    for weight, remembered in optimizer.state.items():
        for name, value in remembered.items():
            if isinstance(value, torch.Tensor) and value.shape == weight.shape:
                remembered[name] = torch.empty_like(weight, dtype=value.dtype).copy_(value)


@contextmanager
def _compiled(towers: Iterable[Tower], mode: Compilation) -> Iterator[None]:
    # torch.compiler names no exception of its own; this is what the compiler's errors share. Loaded
    # here, since it takes seconds.
    from torch._dynamo.exc import TorchDynamoException

    with ExitStack() as undo:
        for tower in towers:
            # Batches have one of two sizes: a graph for each is quicker than one for any.
            compiled = torch.compile(tower.forward, mode=mode, dynamic=False)
            undo.enter_context(overridden(tower, "forward", compiled))
        try:
            yield
        except TorchDynamoException as error:
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise StudyError(
                f"pretrain.compile: the network could not be compiled ({reason}). Leave the "
                "option out."
            ) from error
