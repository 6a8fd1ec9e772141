"""The device that networks are trained on, and the number format that suits it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import torch

from rdfc_core.config.training_settings import AnyPrecision, Precision
from rdfc_core.distributed.process_group import ALONE, ProcessGroup
from rdfc_core.errors import StudyError
from rdfc_core.training.cpu_instructions import cpu_instructions

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def fastest() -> Precision:
    """bfloat16 where the device multiplies it, which takes about half the time; single elsewhere.

    Source: measured on a processor (docs/performance.md); of GPUs, NVIDIA's since Ampere.
    """
    if not torch.cuda.is_available() and torch.backends.mps.is_available():
        return "32-true"  # nothing was measured there
    return "32-true" if emulates_bfloat16() else "bf16-mixed"


def emulates_bfloat16() -> bool:
    """Whether the device multiplies bfloat16 in other numbers, which takes many times as long.

    Source: measured on a processor with AVX2 alone (docs/performance.md).
    """
    if torch.cuda.is_available():
        return not torch.cuda.is_bf16_supported(including_emulation=False)
    if torch.backends.mps.is_available():
        return False
    return not any(cpu_instructions())


def concrete(precision: AnyPrecision) -> Precision:
    """The precision itself, and in place of ``auto`` the machine's own."""
    return fastest() if precision == "auto" else precision


def refuse_half_without_gpu(precision: AnyPrecision, option: str) -> None:
    """Refuse 16-mixed on a processor, where Fabric would train in bf16-mixed instead.

    Args:
        precision: Of the training.
        option: The key of the study that says it.

    Raises:
        StudyError: If there is no GPU for it.
    """
    if precision != "16-mixed" or torch.cuda.is_available() or torch.backends.mps.is_available():
        return
    raise StudyError(
        f"{option} is 16-mixed, which is trained in on GPUs alone, and this machine has none. Set "
        "it to 32-true, bf16-mixed, or auto."
    )


def device_for(precision: AnyPrecision, group: ProcessGroup = ALONE) -> Fabric:
    """The accelerator of this machine, or its processor; of a group, this process's own.

    Raises:
        StudyError: If the machine does not train in this precision.
    """
    refuse_half_without_gpu(precision, "precision")
    from lightning_fabric import Fabric  # here, since it takes seconds, and predicting does without

    # It says at every training, of which a study may have a hundred, what the study says already.
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    precision = concrete(precision)
    if group.size > 1:
        from rdfc_core.distributed.fabric import device_in

        return device_in(group, precision)
    return Fabric(accelerator="auto", devices=1, precision=precision)
