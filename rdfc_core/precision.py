"""Which number format a run trains in where its study leaves that to the machine."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from rdfc_core.resolve import ResolvedStudy
from rdfc_core.run_folder import RunFolder
from rdfc_core.settings import Precision


def settled(study: ResolvedStudy, place: RunFolder, overwrite: bool = False) -> ResolvedStudy:
    """The study with a precision in place of ``auto``: the run's own, or a new one's the fastest.

    Args:
        study: Resolved.
        place: Its run folder, whether begun or not.
        overwrite: What is there does not count.
    """
    known = study if overwrite else as_begun(study, place)
    if known.pretrain.precision != "auto":
        return known
    from rdfc_core.training import fastest  # here: a finished run is told without torch

    return _in(study, fastest())


def as_begun(study: ResolvedStudy, place: RunFolder) -> ResolvedStudy:
    """The study with the precision of the run in the folder in place of ``auto``.

    So a run goes on, on any machine, in the precision that it began with.

    Raises:
        StudyError: If the folder's study cannot be read.
    """
    if study.pretrain.precision != "auto" or not place.study.exists():
        return study
    pretrain = place.read_study().get("pretrain")
    recorded = pretrain.get("precision") if isinstance(pretrain, dict) else None
    known = next((one for one in get_args(Precision) if one == recorded), None)
    return study if known is None else _in(study, known)


def _in(study: ResolvedStudy, precision: Precision) -> ResolvedStudy:
    return replace(study, pretrain=study.pretrain.model_copy(update={"precision": precision}))
