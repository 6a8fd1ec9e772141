"""Which number format a run trains in where its study leaves that to the machine."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from rdfc_core.resolve import ResolvedStudy
from rdfc_core.run_folder import RunFolder
from rdfc_core.settings import AnyPrecision, Precision

log = logging.getLogger("rdfc")


def settled(study: ResolvedStudy, place: RunFolder, overwrite: bool = False) -> ResolvedStudy:
    """The study with a precision in place of ``auto``: the run's own, or a new one's the fastest.

    Args:
        study: Resolved.
        place: Its run folder, whether begun or not.
        overwrite: What is there does not count.

    Raises:
        StudyError: If the folder's study cannot be read.
    """
    if study.pretrain.precision == "auto" and not overwrite and place.study.exists():
        study = as_begun(study, place.read_study())
    if study.pretrain.precision != "auto":
        return study
    from rdfc_core.training.device import fastest  # here: a finished run is told without torch

    return _in(study, fastest())


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


def warn_if_emulated(study: ResolvedStudy) -> None:
    """Warn of a precision that is slow on this machine.

    Args:
        study: With a precision in place of ``auto``.
    """
    from rdfc_core.training.device import (
        emulates_bfloat16,
    )  # here: a finished run is told without torch

    for key, one in (
        ("pretrain", study.pretrain.precision),
        ("evaluate.supervised", _with_labels(study)),
    ):
        if one == "bf16-mixed" and emulates_bfloat16():
            log.warning(
                "%s.precision is bf16-mixed, which this machine has to emulate: training takes "
                "several times as long as in 32-true. A new run with precision: auto takes what is "
                "fast.",
                key,
            )


def _with_labels(study: ResolvedStudy) -> AnyPrecision | None:
    """What networks are trained in with labels, where that is not as in pretraining."""
    return study.evaluate.supervised.precision if study.evaluate.methods else None


def _in(study: ResolvedStudy, precision: Precision) -> ResolvedStudy:
    return replace(study, pretrain=study.pretrain.model_copy(update={"precision": precision}))
