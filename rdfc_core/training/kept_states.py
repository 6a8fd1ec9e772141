"""What a finished run keeps of its pretrainings: as little as a larger budget goes on from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rdfc_core.results import files
from rdfc_core.training import checkpoint

OF_NEXT_STEP: dict[str, Any] = {
    "optimizer": None,
    "scaler": {},
    "generator": None,
    "torch": None,
    "cuda": [],
}
"""What a state needs for a next step alone, and what stands in its place where there is none."""

PREVIOUS, STABLE = "previous-", ".stable"


def shrink(folder: Path) -> None:
    """Remove what no larger budget needs from the checkpoints of a finished run.

    The states before the last, and the optimiser's part of those that the learning rate has ended:
    a larger budget goes on from where it began to fall. Damaged files are left as they are.

    Args:
        folder: The run folder.

    Raises:
        DataError: If a file cannot be written.
    """
    for path in sorted((folder / files.CHECKPOINTS).glob("*.safetensors")):
        if path.name.startswith(PREVIOUS) or not _sound(path):
            continue
        if not path.stem.endswith(STABLE) and path.with_suffix(f"{STABLE}.safetensors").exists():
            state = checkpoint.read(path)
            if state["convergence"]["decay_from"] is not None and state["optimizer"] is not None:
                checkpoint.save(path, {**state, **OF_NEXT_STEP})
        path.with_name(f"{PREVIOUS}{path.name}").unlink(missing_ok=True)


def has_ended(state: Mapping[str, Any]) -> bool:
    """Whether a state is that of a training after its last step, and good for no further one."""
    return state["optimizer"] is None


def _sound(path: Path) -> bool:
    try:
        checkpoint.read(path)
    except checkpoint.DAMAGED:
        return False
    return True
