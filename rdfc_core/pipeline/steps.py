"""The steps of a study, in their order."""

from __future__ import annotations

from typing import Literal, get_args

Step = Literal["extract", "pretrain", "evaluate"]
STEPS: tuple[Step, ...] = get_args(Step)


def reaches(done: Step, wanted: Step) -> bool:
    """Whether a run that ended with one step has done the other one, too."""
    return STEPS.index(done) >= STEPS.index(wanted)
