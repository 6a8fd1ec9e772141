"""What is saved of a split's model, as far as it shows how the model came about."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from rdfc_core.report.parquet import damaged
from rdfc_core.results import files
from rdfc_core.results.case_set import CaseSet
from rdfc_core.results.vocabulary import ENSEMBLE, PROBE
from rdfc_core.utils.atomic import MOST_TEXT, MOST_WEIGHTS, within
from rdfc_core.utils.serialization import parse_json

CLASSIFIER, MEMBER, VIEW_STATE = "classifier.", "member.", "view."
NETWORK_WEIGHTS = "network."
ABOUT_ALONE = ("bias", "fill")
"""Arrays of a linear member that are no map of features."""


@dataclass(frozen=True)
class SavedModel:
    """The folder of a model.

    Args:
        folder: ``model/SPLIT`` of a run.
        about: What ``model.json`` says.
    """

    folder: Path
    about: Mapping[str, Any]

    @property
    def name(self) -> str:
        """As a run folder's reader finds it: ``model/holdout``."""
        return f"{files.MODELS}/{self.folder.name}"

    @property
    def description(self) -> str:
        """``model/holdout/model.json``."""
        return f"{self.name}/{files.MODEL_ABOUT}"

    @property
    def weights(self) -> str:
        """``model/holdout/weights.safetensors``."""
        return f"{self.name}/{files.MODEL_WEIGHTS}"

    @property
    def sha256(self) -> str:
        """Of the weights, as the description has it."""
        return str(self.about.get("sha256") or "")

    @cached_property
    def intact(self) -> bool:
        """Whether the weights are those that the description is of."""
        path = self.folder / files.MODEL_WEIGHTS
        if not path.is_file():
            return False
        with within(path, MOST_WEIGHTS).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256

    @property
    def chosen(self) -> tuple[str, ...]:
        """The candidates that predict; the linear probe where nothing was chosen."""
        selection = self.about.get("selection")
        members = selection.get("members") if isinstance(selection, Mapping) else None
        return tuple(map(str, members)) if members else (PROBE,)

    @property
    def candidates(self) -> tuple[str, ...]:
        """All that are saved."""
        selection = self.about.get("selection")
        ranking = selection.get("ranking") if isinstance(selection, Mapping) else None
        names = [str(one.get("candidate")) for one in ranking or () if isinstance(one, Mapping)]
        return tuple(name for name in names if name != ENSEMBLE) or (PROBE,)

    @property
    def made_by(self) -> Mapping[str, Any]:
        """Recipes, names of features and versions; empty where an older rdfc saved it."""
        found = self.about.get("made_by")
        return found if isinstance(found, Mapping) else {}

    def learnt_from(self, part: str) -> CaseSet | None:
        """The cases that a part of it has learnt from; None where that is not recorded."""
        recorded = self.about.get("learnt_from")
        found = recorded.get(part) if isinstance(recorded, Mapping) else None
        return CaseSet.model_validate(found) if found else None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of its arrays.

        Raises:
            DataError: If the weights cannot be read.
        """
        path = self.folder / files.MODEL_WEIGHTS
        try:
            with safe_open(within(path, MOST_WEIGHTS), framework="numpy") as file:
                return tuple(file.keys())
        except (OSError, SafetensorError, ValueError) as error:
            raise damaged(path, error) from error

    def array(self, name: str) -> NDArray[Any]:
        """One of its arrays, and no other is read."""
        with safe_open(self.folder / files.MODEL_WEIGHTS, framework="numpy") as file:
            return np.asarray(file.get_tensor(name))

    def fitted_views(self) -> list[str]:
        """Views that have learnt statistics from cases."""
        found = [name.split(".")[1] for name in self.names if name.startswith(VIEW_STATE)]
        return list(dict.fromkeys(found))

    def inputs(self, candidate: str) -> int | None:
        """How many numbers a linear candidate weighs; None of networks that labels train."""
        prefix = f"{MEMBER}{candidate}/"
        own = [name for name in self.names if name.startswith(prefix)]
        if any(name.startswith(prefix + NETWORK_WEIGHTS) for name in own):
            return None
        maps = [name for name in own if name.removeprefix(prefix) not in ABOUT_ALONE]
        if not own and f"{CLASSIFIER}weight" in self.names:
            maps = [f"{CLASSIFIER}weight"]
        return sum(int(np.any(self.array(name) != 0, axis=0).sum()) for name in maps)


def saved_models(folder: Path) -> dict[str, SavedModel]:
    """Split → its model, of a run folder.

    Raises:
        DataError: If a description is damaged.
    """
    found = {}
    for path in sorted((folder / files.MODELS).glob(f"*/{files.MODEL_ABOUT}")):
        try:
            about = parse_json(within(path, MOST_TEXT).read_text(encoding="utf-8"))
        except ValueError as error:
            raise damaged(path, error) from error
        if not isinstance(about, Mapping):
            raise damaged(path, ValueError("it holds no mapping"))
        found[path.parent.name] = SavedModel(path.parent, about)
    return found
