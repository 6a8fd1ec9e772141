"""Trainings that go wrong are noticed: one that diverges ends, one that collapses gives a hint."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Mapping

import torch

from rdfc_core.errors import DataError
from rdfc_core.interfaces import Objective, Pretext
from rdfc_core.plugin.attribution import third_party

log = logging.getLogger("rdfc")

ALIKE = 0.97
"""Mean cosine of different cases. Sound trainings of ResNets rise to 0.94 in their first epochs."""

FLAT = 1.5
"""Effective rank. Sound trainings stayed above 3, those of four cases included."""

SHRUNK = 0.01
"""Distance of cases to their mean, as a share of the largest that any epoch had. A task that is
trained on directions alone may let lengths fall, but by weight decay only, and slowly."""

PATIENCE = 3
"""Epochs in a row."""

SIGN = ".off_diagonal"


def refuse_divergence(metrics: Mapping[str, float], pretext: Pretext) -> None:
    """End a training whose loss, or any of whose weights, is no longer finite.

    Args:
        metrics: Of the epoch that has just ended.
        pretext: As it is after this epoch; not to be saved if it is refused.

    Raises:
        DataError: If it has diverged.
    """
    if not math.isfinite(metrics["loss"]):
        what = f"The loss became {metrics['loss']}"
    elif not _finite(pretext):
        what = "A weight became infinite or NaN"
    else:
        return
    raise DataError(
        f"{what} in epoch {metrics['epoch']}. The state before it is kept. {suspects(pretext)}"
        "Lower pretrain.learning_rate, or set pretrain.precision: 32-true, and begin afresh with "
        "--overwrite."
    )


def suspects(pretext: Pretext) -> str:
    """A sentence for each part of a task that others than rdfc offer, with a blank behind it."""
    foreign = third_party(m for m in pretext.modules() if isinstance(m, Pretext | Objective))
    return "".join(
        f"It comes from the {part}: check that with rdfc_core.testing.{check}. "
        for part, check in foreign.items()
    )


def _finite(pretext: Pretext) -> bool:
    # A sum is NaN or infinite if a number of it is, and takes a tenth of the time of `isfinite`.
    sums = [weight.detach().sum() for weight in pretext.parameters()]
    return not sums or bool(torch.stack(sums).isfinite().all())  # the device is waited for once


class CollapseMonitor:
    """Warns once of each view whose embeddings look collapsed for `PATIENCE` epochs in a row.

    Args:
        pretext: Named in the warning if others than rdfc offer it.
    """

    def __init__(self, pretext: Pretext | None = None) -> None:
        self._pretext = pretext
        self._widest: dict[str, float] = {}
        self._epochs: Counter[str] = Counter()
        self._told: set[str] = set()

    def look(self, metrics: Mapping[str, float]) -> None:
        """Look at the signs of an epoch, as `rdfc_core.training.collapse` names them."""
        for view in (key.removesuffix(SIGN) for key in metrics if key.endswith(SIGN)):
            cosine, rank = metrics[view + SIGN], metrics[f"{view}.effective_rank"]
            spread = metrics.get(f"{view}.spread", math.inf)
            widest = self._widest[view] = max(
                self._widest.get(view, 0.0), spread if spread < math.inf else 0.0
            )
            shrunk = spread <= SHRUNK * widest
            alike = cosine > ALIKE or rank < FLAT or shrunk
            self._epochs[view] = self._epochs[view] + 1 if alike else 0
            if self._epochs[view] < PATIENCE or view in self._told:
                continue
            self._told.add(view)
            log.warning(
                "View %s: for %d epochs, up to epoch %d, the embeddings of all cases have been "
                "alike (mean cosine of two cases %.3f, effective rank %.1f%s). If it stays so, "
                "nothing is learnt. %sLower pretrain.learning_rate, raise pretrain.batch_size, or "
                "use another objective or variant: one that keeps cases apart.",
                *(view, PATIENCE, metrics["epoch"], cosine, rank),
                f", distance to their mean {spread:.2g} after {widest:.2g}" if shrunk else "",
                suspects(self._pretext) if self._pretext else "",
            )
