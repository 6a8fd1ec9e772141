"""Where a pretraining keeps its files, and the metrics that it writes there after every epoch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rdfc_core.results import files
from rdfc_core.utils.atomic import MOST_TEXT, append_only, replacing, within
from rdfc_core.utils.serialization import parse_json


@dataclass(frozen=True)
class PretrainPaths:
    """Where a pretraining keeps its files.

    Args:
        folder: The run folder.
        split: The name of the split, which tells several pretrainings of a run apart.
    """

    folder: Path
    split: str

    @property
    def checkpoint(self) -> Path:
        """The newest checkpoint; the one before it lies beside it."""
        return self.folder / files.CHECKPOINTS / f"{self.split}.safetensors"

    @property
    def stable(self) -> Path:
        """The state before the learning rate began to fall, for a larger budget to go on from."""
        return self.folder / files.CHECKPOINTS / f"{self.split}.stable.safetensors"

    @property
    def metrics(self) -> Path:
        """One JSON line an epoch, of all splits."""
        return self.folder / files.METRICS


def record(paths: PretrainPaths, metrics: Mapping[str, float]) -> None:
    """Append the metrics of an epoch to the file.

    Args:
        paths: Whose file.
        metrics: By name, with ``epoch``, counted from 1.
    """
    paths.metrics.parent.mkdir(parents=True, exist_ok=True)
    with open(paths.metrics, "a", encoding="utf-8", opener=append_only) as file:
        file.write(json.dumps({"split": paths.split, **metrics}) + "\n")


def keep_epochs_until(paths: PretrainPaths, epoch: int) -> list[dict[str, float]]:
    """Drop what was written of this split after the checkpoint: those epochs are run again.

    A line that a crash cut short, or left as rubbish, goes, too.

    Args:
        paths: Whose file; none need exist.
        epoch: The last epoch that the checkpoint has behind it, counted from 1; 0 drops all.

    Returns:
        The metrics of the epochs that are kept of this split.
    """
    if not paths.metrics.exists():
        return []
    kept, own = [], []
    text = within(paths.metrics, MOST_TEXT).read_text(encoding="utf-8", errors="replace")
    for line in text.splitlines():
        try:
            entry = parse_json(line)
            behind = entry["split"] != paths.split or entry["epoch"] <= epoch
        except (ValueError, KeyError, TypeError):  # cut short by a killed process, or by hand
            continue
        if behind:
            kept.append(line + "\n")
        if behind and entry["split"] == paths.split:
            own.append({name: value for name, value in entry.items() if name != "split"})
    with replacing(paths.metrics) as partial:
        partial.write_text("".join(kept), encoding="utf-8")
    return own
