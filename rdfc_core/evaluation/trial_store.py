"""What each trial said, kept as it is done: a run that is killed goes on with the next one."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from rdfc_core.errors import DataError
from rdfc_core.evaluation.trials import Trial
from rdfc_core.training.checkpoint import flush
from rdfc_core.utils.atomic import MOST_TEXT, MOST_WEIGHTS, replacing, within
from rdfc_core.utils.serialization import parse_json

log = logging.getLogger("rdfc")

Arrays = Mapping[str, NDArray[Any]]
"""What a method learnt, by name."""


@dataclass(frozen=True)
class TrialOutput:
    """What a trial said of the test part.

    Args:
        probabilities: (N, C); where a number is predicted, the numbers, (N, 1).
        temperature: By which they are calibrated; None if none was fitted.
        weights: Checksum of what the trial learnt, where that is kept.
    """

    probabilities: NDArray[np.float64]
    temperature: float | None = None
    weights: str | None = None


@dataclass(frozen=True)
class TrialStore:
    """One small JSON file a trial, in a folder a split; there whole or not at all.

    What is said of an inner fold has a ``part``, such as ``inner-1-of-3``, and a file of its own.
    """

    folder: Path

    def read(
        self, split: str, trial: Trial, case_ids: Sequence[str], part: str = ""
    ) -> TrialOutput | None:
        """What the trial said in an earlier run, or None.

        A file that is damaged, or tells of other cases, is left aside with a warning.
        """
        path = self._path(split, trial, part)
        if not path.exists():
            return None
        try:
            kept = parse_json(within(path, MOST_TEXT).read_text(encoding="utf-8"))
            probabilities = np.array(kept["probabilities"], np.float64)
            if kept["case_ids"] != list(case_ids) or probabilities.ndim != 2:
                raise ValueError("it tells of other cases")
            return TrialOutput(probabilities, kept["temperature"], kept.get("weights"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s cannot be used (%s): the method is trained again.", path, error)
            return None

    def write(
        self, split: str, trial: Trial, case_ids: Sequence[str], said: TrialOutput, part: str = ""
    ) -> None:
        """Keep what the trial said.

        Raises:
            DataError: If it cannot be written.
        """
        text = json.dumps(
            {
                "case_ids": list(case_ids),
                "temperature": said.temperature,
                "weights": said.weights,
                "probabilities": said.probabilities.tolist(),
            }
        )
        _write(self._path(split, trial, part), lambda partial: partial.write_text(text, "utf-8"))

    def read_weights(self, split: str, trial: Trial, checksum: str | None) -> Arrays | None:
        """What the trial learnt in an earlier run; None where it is not there as it was written."""
        path = self._path(split, trial).with_suffix(".safetensors")
        try:
            if checksum is None or checksum != _sha256(within(path, MOST_WEIGHTS)):
                return None
            return dict(load_file(path))
        except (OSError, ValueError, SafetensorError):
            return None

    def write_weights(self, split: str, trial: Trial, weights: Arrays) -> str:
        """Keep what the trial learnt.

        Returns:
            Its checksum, for `TrialOutput`.

        Raises:
            DataError: If it cannot be written.
        """
        path = self._path(split, trial).with_suffix(".safetensors")
        ordered = {key: np.asarray(value, order="C") for key, value in weights.items()}
        _write(path, lambda partial: save_file(ordered, partial))
        return _sha256(path)

    def _path(self, split: str, trial: Trial, part: str = "") -> Path:
        return self.folder / split / f"{'.'.join([trial.name, *([part] if part else [])])}.json"


def _write(path: Path, write: Callable[[Path], object]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            write(partial)
            flush(partial)
    except (OSError, SafetensorError) as error:
        raise DataError(
            f"{path} could not be written: {error}. What was judged before is kept; free some "
            "space and run the same command again."
        ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
