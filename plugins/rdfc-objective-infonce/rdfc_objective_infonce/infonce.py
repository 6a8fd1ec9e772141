"""The objective: each view has to find its counterpart among other cases, in both directions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor

from rdfc_core.errors import ShapeError
from rdfc_core.interfaces import Memory, MemoryStore, Objective, at_least_single
from rdfc_objective_infonce.config import InfoNCEConfig
from rdfc_objective_infonce.hard_negatives import debiased, weighted
from rdfc_objective_infonce.losses import (
    Others,
    estimate_log_z,
    info_nce,
    nce,
    others_of,
)
from rdfc_objective_infonce.shared_negatives import draw_shared, shared_similarities
from rdfc_objective_infonce.streaming_logsumexp import others_in_memory, others_shared

logger = logging.getLogger("rdfc")

CASES_PER_NEGATIVE = 4
"""With more than 4 K cases the batch shares its negatives, which is 4 times as fast (measured:
docs/performance.md). With fewer, as in studies of a few thousand cases, the paper's draws stay."""


class InfoNCE(Objective):
    """InfoNCE (or NCE) of two views, summed over both directions, in four variants.

    Logs, each the mean of both directions: ``positive_similarity``, ``negative_similarity`` and
    ``top1``, the share of anchors whose positive is nearer than every negative.

    Source: Zhao & Yang 2021, Eqs. 1 and 2; the variants' sources stand in the README.
    """

    log_z: Tensor

    def __init__(self, config: InfoNCEConfig) -> None:
        super().__init__()
        self.config = config
        self.uses_memory = config.variant != "in-batch"
        self.positive_from_memory = config.variant in ("stale-positive", "full-bank")
        """The positive is read from the memory by its index; `Correspondence` asks."""
        if config.estimator == "nce":
            # One constant a direction, as the public code of CMC keeps them; NaN until estimated.
            self.register_buffer("log_z", torch.full((2,), torch.nan))
            self._settled: set[int] = set()  # directions whose constant is known to be there
            self.register_load_state_dict_post_hook(_unsettle)  # type: ignore[no-untyped-call]
        if config.variant == "fresh-positive":
            _warn_of_drift()

    def forward(self, a: Tensor, b: Tensor, memory: Memory) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The loss of a batch: a against the candidates of b's view, plus b against those of a's.

        Args:
            a: Unit-length embeddings of one view, (B, D).
            b: Unit-length embeddings of the same cases in the other view, (B, D).
            memory: The memories of both views, and which cases the batch holds.

        Returns:
            The loss, a scalar, and the logs.

        Raises:
            ShapeError: If ``a`` and ``b`` differ in shape, or there is only one case to compare.
        """
        if a.ndim != 2 or a.shape != b.shape or len(memory.indices) != len(a):
            raise ShapeError(
                f"Two views of {len(memory.indices)} cases have embeddings of shape "
                f"{tuple(a.shape)} and {tuple(b.shape)}: both must be (B, D)."
            )
        # In half precision a cosine is off by up to 0.004, a logit at temperature 0.07 by 0.06.
        with torch.autocast(a.device.type, enabled=False):
            a, b = at_least_single(a), at_least_single(b)
            if self.config.variant == "in-batch":
                losses = self._in_batch(a, b, memory.indices.to(a.device))
            else:
                losses = (
                    self._against(memory.b, a, b, memory, direction=0),
                    self._against(memory.a, b, a, memory, direction=1),
                )
        (loss_a, logs_a), (loss_b, logs_b) = losses
        return loss_a + loss_b, {key: (logs_a[key] + logs_b[key]) / 2 for key in logs_a}

    def _against(
        self, store: MemoryStore, anchors: Tensor, fresh: Tensor, memory: Memory, direction: int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Anchors of one view against the memory of the other, (B, D) each."""
        if store.rows < 2:
            raise ShapeError(
                f"The memory holds {store.rows} case(s), and a case needs another to be told from: "
                "pretrain on at least 2 cases."
            )
        config = self.config
        stale = config.variant != "fresh-positive"
        positives = store.read(memory.indices) if stale else fresh
        positive = (anchors * positives).sum(1)
        if config.variant == "full-bank" or self._takes_all(store.rows):
            others_at = partial(others_in_memory, anchors, store, memory.indices)
            return self._info_nce(positive, others_at, store.rows - 1)
        if not self._shares(store.rows):
            similarities = store.similarities(
                anchors, config.negatives, memory.indices, memory.generator
            )
        else:
            draw = draw_shared(store, config.negatives, memory.indices, memory.generator)
            if config.estimator == "infonce":
                others_at = partial(others_shared, anchors, store, draw)
                return self._info_nce(positive, others_at, config.negatives)
            similarities = shared_similarities(anchors, store, draw)
        if config.estimator == "infonce":
            others_at = partial(others_of, similarities)
            return self._info_nce(positive, others_at, similarities.shape[1])
        return self._nce(positive, similarities, store.rows, direction)

    def _takes_all(self, rows: int) -> bool:
        """Whether all other rows stand for draws that would name them several times over.

        The noise-contrastive estimate needs its draws: it weighs them against their number.
        """
        config = self.config
        plain = config.negatives_per == "auto" and config.estimator == "infonce"
        return plain and rows <= config.negatives

    def _shares(self, rows: int) -> bool:
        """Whether the batch shares its negatives."""
        config = self.config
        if config.negatives_per != "auto":
            return config.negatives_per == "batch"
        many = rows > CASES_PER_NEGATIVE * config.negatives
        if many:
            _tell_of_sharing(rows, config.negatives)
        return many

    def _in_batch(
        self, a: Tensor, b: Tensor, indices: Tensor
    ) -> tuple[tuple[Tensor, dict[str, Tensor]], tuple[Tensor, dict[str, Tensor]]]:
        own = indices.unsqueeze(0) == indices.unsqueeze(1)
        # A GPU's values are not looked at, as that would wait for it. Epochs show no case twice.
        if len(indices) < 2 or (not indices.is_cuda and bool(own.all())):
            raise ShapeError(
                f"The batch holds {len(indices)} row(s) of one case, and variant in-batch compares "
                "different cases: raise the batch size, or use a variant with a bank."
            )
        similarities = a @ b.T
        positive = similarities.diagonal()
        count = (~own).sum(1)
        return (
            self._info_nce(positive, partial(others_of, similarities, own=own), count),
            self._info_nce(positive, partial(others_of, similarities.T, own=own), count),
        )

    def _info_nce(
        self, positive: Tensor, others_at: Callable[[float], Others], count: Tensor | int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of anchors whose ``count`` negatives sum up to ``others_at(temperature)``."""
        config = self.config
        others = others_at(config.temperature)
        if config.hardness or config.false_negatives:
            others = self._cared_for(positive, others, others_at, count)
        loss = info_nce(
            positive,
            others.log_sum,
            config.temperature,
            positive_in_denominator=config.positive_in_denominator,
        )
        return loss, _logs(positive, others.mean.mean(), others.highest)

    def _cared_for(
        self,
        positive: Tensor,
        others: Others,
        others_at: Callable[[float], Others],
        count: Tensor | int,
    ) -> Others:
        """Hard negatives weighted, false ones taken out."""
        config = self.config
        counted = torch.as_tensor(count, device=positive.device, dtype=positive.dtype)
        log_sum = others.log_sum
        if config.hardness:
            log_sum = weighted(
                lambda temperature: others_at(temperature).log_sum,
                counted,
                config.temperature,
                config.hardness,
            )
        log_sum = debiased(log_sum, positive, counted, config.temperature, config.false_negatives)
        return replace(others, log_sum=log_sum)

    def _nce(
        self, positive: Tensor, negatives: Tensor, rows: int, direction: int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        log_z = self._normaliser(positive, negatives, rows, direction)
        loss = nce(positive, negatives, self.config.temperature, log_z, rows)
        seen = negatives.detach()
        return loss, _logs(positive, seen.mean(), seen.amax(1))

    def _normaliser(self, positive: Tensor, negatives: Tensor, rows: int, direction: int) -> Tensor:
        """Log Z of this direction: estimated once, from the first batch, and kept."""
        kept = self.log_z[direction]
        if direction not in self._settled:
            # Not `if kept.isnan()`, for which the CPU would wait: a checkpoint may have brought it.
            estimate = estimate_log_z(positive, negatives, self.config.temperature, rows)
            kept.copy_(torch.where(kept.isnan(), estimate, kept))
            self._settled.add(direction)
        return kept


def _unsettle(objective: InfoNCE, _: Any) -> None:
    """Loaded normalisers may be none yet."""
    objective._settled.clear()


def _logs(positive: Tensor, negative_mean: Tensor, highest: Tensor) -> dict[str, Tensor]:
    positive = positive.detach()
    return {
        "positive_similarity": positive.mean(),
        "negative_similarity": negative_mean,
        "top1": (positive > highest).float().mean(),
    }


@cache
def _warn_of_drift() -> None:
    logger.warning(
        "objective infonce: variant fresh-positive is known to degenerate: its positives are fresh "
        "and its negatives stale, and the towers learn to tell the two apart by drifting. "
        "Use stale-positive or in-batch unless this is what you study."
    )


@cache
def _tell_of_sharing(rows: int, negatives: int) -> None:
    logger.info(
        "objective infonce: the memory holds %d cases, over %d times the %d negatives, so that a "
        "batch shares its negatives. negatives_per: case draws them for each case alone.",
        rows,
        CASES_PER_NEGATIVE,
        negatives,
    )
