"""What each trial said, kept as it is done: a run that is killed goes on with the next one."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rdfc_core.checkpoint import flush
from rdfc_core.errors import DataError
from rdfc_core.evaluate.trials import Trial
from rdfc_core.files import MOST_TEXT, replacing, within
from rdfc_core.plain_data import parse_json

log = logging.getLogger("rdfc")


@dataclass(frozen=True)
class Said:
    """What a trial said of the test part.

    Args:
        probabilities: (N, C).
        temperature: By which they are calibrated; None if none was fitted.
    """

    probabilities: NDArray[np.float64]
    temperature: float | None = None


@dataclass(frozen=True)
class Stages:
    """One small JSON file a trial, in a folder a split; there whole or not at all."""

    folder: Path

    def read(self, split: str, trial: Trial, case_ids: Sequence[str]) -> Said | None:
        """What the trial said in an earlier run, or None.

        A file that is damaged, or tells of other cases, is left aside with a warning.
        """
        path = self._path(split, trial)
        if not path.exists():
            return None
        try:
            kept = parse_json(within(path, MOST_TEXT).read_text(encoding="utf-8"))
            probabilities = np.array(kept["probabilities"], np.float64)
            if kept["case_ids"] != list(case_ids) or probabilities.ndim != 2:
                raise ValueError("it tells of other cases")
            return Said(probabilities, kept["temperature"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s cannot be used (%s): the method is trained again.", path, error)
            return None

    def write(self, split: str, trial: Trial, case_ids: Sequence[str], said: Said) -> None:
        """Keep what the trial said.

        Raises:
            DataError: If it cannot be written.
        """
        path = self._path(split, trial)
        text = json.dumps(
            {
                "case_ids": list(case_ids),
                "temperature": said.temperature,
                "probabilities": said.probabilities.tolist(),
            }
        )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as partial:
                partial.write_text(text, encoding="utf-8")
                flush(partial)
        except OSError as error:
            raise DataError(
                f"{path} could not be written: {error}. What was judged before is kept; free some "
                "space and run the same command again."
            ) from error

    def _path(self, split: str, trial: Trial) -> Path:
        return self.folder / split / f"{trial.name}.json"
