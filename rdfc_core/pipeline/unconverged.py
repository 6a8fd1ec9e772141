"""What a run says of pretrainings that ended before their task was learnt."""

from __future__ import annotations

from collections.abc import Mapping

from rdfc_core.training.convergence import Convergence


def unconverged(pretext: str, splits: Mapping[str, Convergence]) -> str | None:
    """The sentence on pretrainings that ended before their task was learnt; None if all learnt it.

    Args:
        pretext: Name of a compared one, or "" for the study's own.
        splits: Split → how far the pretraining on it came.
    """
    early = {name: told for name, told in splits.items() if told.history and not told.converged}
    if not early:
        return None
    split, told = next(iter(early.items()))
    steps = max(one.epochs * one.epoch_steps for one in early.values())
    epochs = max(one.epochs for one in early.values())
    larger = []  # each budget that would end it before it is twice as long
    if told.settings.epochs < 2 * epochs:
        larger.append(f"--set pretrain.epochs={2 * epochs}")
    if told.settings.steps is not None and told.settings.steps < 2 * steps:
        larger.append(f"--set pretrain.steps={2 * steps}")
    first, last = told.history[0][1], told.history[-1][1]
    name, loss = f"{split}.{pretext}" if pretext else split, "the loss"
    if len(splits) > 1:
        where = f"in {len(early)} of {len(splits)} splits"
        name, loss = f"{pretext}, {where}" if pretext else where, f"on {split} the loss"
    return (
        f"Pretraining ({name}) ended unconverged after {steps} steps: {loss} that tells when the "
        f"task is learnt went from {first:.3g} to {last:.3g} and had not settled. What follows "
        "judges a network that has not learnt its task. To go on from there, with RUN for the "
        f"run's folder: rdfc run RUN/study.yaml --out RUN {' '.join(larger)}."
    )
