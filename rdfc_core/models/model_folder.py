"""The folder of a saved model: ``weights.safetensors`` and ``model.json``; no pickle."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from rdfc_core.data.case_definition import CaseDefinition
from rdfc_core.models.made_by import MadeBy
from rdfc_core.results.case_set import CaseSet
from rdfc_core.results.files import MODEL_ABOUT, MODEL_WEIGHTS
from rdfc_core.results.safeguards import Safeguards
from rdfc_core.results.schema import Selection
from rdfc_core.results.vocabulary import Layer, TaskName
from rdfc_core.training.checkpoint import flush
from rdfc_core.utils.atomic import MOST_TEXT, MOST_WEIGHTS, partial_name, within

# What a damaged model folder raises:
DAMAGED = (OSError, SafetensorError, LookupError, TypeError, ValueError, RuntimeError, MemoryError)

PROBE = "probe."
"""What the names of a probe's arrays begin with; NaN there are features that a phantom lacks."""

Arrays = Mapping[str, NDArray[Any]]


class About(BaseModel):
    """What ``model.json`` says.

    Without a selection, as older models: the linear classifier. Without a task: classification.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: tuple[str, ...]
    layer: Layer
    views: tuple[str, ...] | None
    sha256: str = ""
    cases: CaseDefinition | None = None
    selection: Selection | None = None
    made_by: MadeBy | None = None
    task: TaskName | None = None
    learnt_from: dict[str, CaseSet] | None = None
    safeguards: Safeguards | None = None


def write(folder: Path, arrays: Arrays, about: About) -> str:
    """Write both files; each appears whole or not at all.

    Weights and description that do not belong together are known by the checksum.

    Returns:
        The checksum.
    """
    partial = partial_name(folder)
    partial.mkdir(parents=True)
    try:
        weights = partial / MODEL_WEIGHTS
        save_file({key: np.asarray(value, order="C") for key, value in arrays.items()}, weights)
        flush(weights)
        checksum = _sha256(weights)
        said = about.model_copy(update={"sha256": checksum}).model_dump(mode="json")
        text = json.dumps(
            {k: v for k, v in said.items() if v is not None or k == "views"}, indent=2
        )
        (partial / MODEL_ABOUT).write_text(text, encoding="utf-8")
        if folder.exists():  # perhaps with somebody else's files beside ours
            for name in (MODEL_WEIGHTS, MODEL_ABOUT):
                (partial / name).replace(folder / name)
            partial.rmdir()
        else:
            partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return checksum


def checksum(folder: Path) -> str:
    """SHA-256 of the weights, as the folder's description has it.

    Raises:
        OSError, ValueError: If the description is missing or damaged.
    """
    return About.model_validate_json(within(folder / MODEL_ABOUT, MOST_TEXT).read_bytes()).sha256


def read(folder: Path) -> tuple[About, dict[str, NDArray[Any]]]:
    """What the folder holds.

    Raises:
        OSError, ValueError, SafetensorError: If a file is missing or damaged.
    """
    about = About.model_validate_json(within(folder / MODEL_ABOUT, MOST_TEXT).read_bytes())
    # safetensors itself does not notice a bit that turned over among the numbers.
    if about.sha256 != _sha256(within(folder / MODEL_WEIGHTS, MOST_WEIGHTS)):
        raise ValueError("its weights do not match their checksum")
    arrays = load_file(folder / MODEL_WEIGHTS)
    for key, values in arrays.items():
        if not key.startswith(("view.", PROBE)) and not np.isfinite(values).all():
            raise ValueError(f"its weights {key} hold NaN or infinite numbers")
    return about, arrays


def below(arrays: Arrays, prefix: str) -> dict[str, NDArray[Any]]:
    """The arrays whose names begin so, by the rest of their names."""
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def members_of(arrays: Arrays) -> dict[str, dict[str, NDArray[Any]]]:
    """Candidate → what was saved of it."""
    found: dict[str, dict[str, NDArray[Any]]] = {}
    for key, value in below(arrays, "member.").items():
        name, _, part = key.partition("/")
        found.setdefault(name, {})[part] = value
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
