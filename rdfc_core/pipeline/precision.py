"""Which number format a run trains in where its study leaves that to the machine."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.config.training_settings import AnyPrecision, Precision
from rdfc_core.pipeline.run_folder import RunFolder

if TYPE_CHECKING:
    from rdfc_core.interfaces import View

log = logging.getLogger("rdfc")


def settled(
    study: ResolvedStudy,
    place: RunFolder,
    overwrite: bool = False,
    volumes: bool = False,
    store: Path | None = None,
) -> ResolvedStudy:
    """The study with a precision in place of ``auto``: the run's own, or a new one's the fastest.

    Args:
        study: Resolved.
        place: Its run folder, whether begun or not.
        overwrite: What is there does not count.
        volumes: Whether an encoder of the study takes volumes.
        store: The folder that keeps what was found out about this machine.

    Raises:
        StudyError: If the folder's study cannot be read.
    """
    if study.pretrain.precision == "auto" and not overwrite and place.study.exists():
        study = as_begun(study, place.read_study())
    if study.pretrain.precision != "auto":
        return study
    from rdfc_core.training.device import fastest  # here: a finished run is told without torch

    quickest = fastest()
    return _in(study, "32-true" if _spoils(quickest, volumes, store) else quickest)


def refuse_unfit(study: ResolvedStudy, volumes: bool, store: Path | None) -> None:
    """Refuse a precision that this machine does not train in, or would get wrong.

    Args:
        study: With a precision in place of ``auto``.
        volumes: Whether an encoder of the study takes volumes.
        store: The folder that keeps what was found out about this machine.

    Raises:
        StudyError: If it says one.
    """
    from rdfc_core.training.bfloat16 import wrong_gradients
    from rdfc_core.training.device import refuse_half_without_gpu

    for key, one in _precisions(study):
        refuse_half_without_gpu(one or "32-true", key)
        if _spoils(one, volumes, store):
            raise wrong_gradients(key)


def encodes_volumes(views: Mapping[str, View]) -> bool:
    """Whether an encoder takes volumes, as 3D convolutions do."""
    encoders = (getattr(view, "encoder", None) for view in views.values())
    return any(getattr(encoder, "spatial_dims", 2) == 3 for encoder in encoders)


def _spoils(precision: AnyPrecision | None, volumes: bool, store: Path | None) -> bool:
    """Whether 3D convolutions would be trained on a processor that gets them wrong."""
    if precision != "bf16-mixed" or not volumes:
        return False
    import torch

    from rdfc_core.training.bfloat16 import conv3d_is_right

    gpu = torch.cuda.is_available() or torch.backends.mps.is_available()
    return not gpu and not conv3d_is_right(store)


def as_begun(study: ResolvedStudy, recorded: Mapping[str, Any]) -> ResolvedStudy:
    """The study with the precision that a run began with in place of ``auto``.

    So a run goes on, on any machine, in that precision.

    Args:
        study: Resolved.
        recorded: The run's own study, as plain data.
    """
    if study.pretrain.precision != "auto":
        return study
    pretrain = recorded.get("pretrain")
    precision = pretrain.get("precision") if isinstance(pretrain, dict) else None
    known = next((one for one in get_args(Precision) if one == precision), None)
    return study if known is None else _in(study, known)


def warn_if_slow(study: ResolvedStudy) -> None:
    """Warn of what makes training many times as long on this machine as it could be.

    Args:
        study: With a precision in place of ``auto``.
    """
    from rdfc_core.training.threads import (
        warn_if_busy,
    )  # here: a finished run is told without torch

    warn_if_emulated(study)
    warn_if_busy()


def warn_if_emulated(study: ResolvedStudy) -> None:
    """Warn of a precision that is slow on this machine.

    Args:
        study: With a precision in place of ``auto``.
    """
    from rdfc_core.training.device import (
        emulates_bfloat16,
    )  # here: a finished run is told without torch

    for key, one in _precisions(study):
        if one == "bf16-mixed" and emulates_bfloat16():
            log.warning(
                "%s is bf16-mixed, which this machine has to emulate: training takes "
                "several times as long as in 32-true. A new run with precision: auto takes what is "
                "fast.",
                key,
            )


def _precisions(study: ResolvedStudy) -> tuple[tuple[str, AnyPrecision | None], ...]:
    """Key → number format: of pretraining, and with labels where that is another."""
    supervised = study.evaluate.supervised.precision if study.evaluate.methods else None
    return (
        ("pretrain.precision", study.pretrain.precision),
        ("evaluate.supervised.precision", supervised),
    )


def _in(study: ResolvedStudy, precision: Precision) -> ResolvedStudy:
    return replace(study, pretrain=study.pretrain.model_copy(update={"precision": precision}))
