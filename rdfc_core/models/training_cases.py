"""Where the training cases lie, beside a saved model: ``training_cases.safetensors``.

A file of its own, since a model that is given away need not take its training cases along: without
it the model predicts as before, and does not say how far a case is from them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from rdfc_core.errors import DataError
from rdfc_core.results.files import TRAINING_CASES
from rdfc_core.training.checkpoint import flush
from rdfc_core.utils.atomic import MOST_WEIGHTS, replacing, within

AT_ONCE = 256
"""Cases whose distances to all training cases are in memory at one time."""


@dataclass(frozen=True, eq=False)
class TrainingCases:
    """N training cases in the space that a saved model stands on.

    Each source of features is centred and scaled as a block, so that its rows have a mean squared
    length of 1: neither a thousand handcrafted features nor a hundred learnt ones outweigh the
    others.

    Args:
        case_ids: N ids.
        labels: Of each; None for those that served pretraining alone.
        vectors: (N, F), float16 when saved.
        held_out: (N,) distance of each to its k-th nearest of another patient.
        shares: (N,) what each counts: every patient counts once.
        centres: Source → (F,), taken from its features.
        scales: Source → what they are divided by.
    """

    case_ids: tuple[str, ...]
    labels: tuple[str | None, ...]
    vectors: NDArray[np.float32]
    held_out: NDArray[np.float32]
    shares: NDArray[np.float32]
    centres: Mapping[str, NDArray[np.float32]]
    scales: Mapping[str, float]
    _labelled: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        places = [place for place, label in enumerate(self.labels) if label is not None]
        object.__setattr__(self, "_labelled", np.array(places, np.int64))

    def place(self, positions: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """(M, F): other cases in this space, from their features by source."""
        return np.concatenate(
            [
                (positions[source] - centre) / self.scales[source]
                for source, centre in self.centres.items()
            ],
            axis=1,
        )

    def look(
        self, vectors: NDArray[np.float32], neighbours: int, shown: int
    ) -> tuple[NDArray[np.float64], list[list[tuple[int, float]]]]:
        """How far other cases are, and which labelled ones are nearest.

        Args:
            vectors: (M, F), of `place`.
            neighbours: The distance is that to the so many nearest.
            shown: How many labelled ones are named.

        Returns:
            (M,) distances; and of each case places among the training cases with their distances,
            the nearest first.
        """
        far = np.zeros(len(vectors))
        named: list[list[tuple[int, float]]] = []
        own = self.vectors.astype(np.float64)
        for start in range(0, len(vectors), AT_ONCE):
            apart = distances(vectors[start : start + AT_ONCE], own)
            k = min(neighbours, apart.shape[1])
            far[start : start + len(apart)] = np.partition(apart, k - 1, axis=1)[:, k - 1]
            for row in apart[:, self._labelled]:
                nearest = np.argsort(row, kind="stable")[:shown]
                named.append([(int(self._labelled[n]), float(row[n])) for n in nearest])
        return far, named

    def percentiles(self, far: NDArray[np.float64]) -> NDArray[np.float64]:
        """(M,): percent of the training patients' cases that are nearer to the others, 0 to 100."""
        order = np.argsort(self.held_out, kind="stable")
        reached = np.concatenate([[0.0], np.cumsum(self.shares[order].astype(np.float64))])
        nearer = np.searchsorted(self.held_out[order], far, side="left")
        return np.asarray(100 * reached[nearer] / reached[-1])

    def save(self, folder: Path, model: str) -> None:
        """Write the file beside the model.

        Args:
            folder: Of the model.
            model: Checksum of its weights.
        """
        arrays: dict[str, NDArray[Any]] = {
            "vectors": self.vectors.astype(np.float16),
            "held_out": self.held_out.astype(np.float32),
            "shares": self.shares.astype(np.float32),
            **{f"centre.{name}": one.astype(np.float32) for name, one in self.centres.items()},
        }
        about = {
            "case_ids": self.case_ids,
            "labels": self.labels,
            "scales": dict(self.scales),
            "model": model,
        }
        with replacing(folder / TRAINING_CASES) as partial:
            save_file(arrays, partial, {"about": json.dumps(about)})
            flush(partial)

    @classmethod
    def read(cls, folder: Path, model: str) -> TrainingCases | None:
        """What lies beside the model; None where nothing does, or what is of another model.

        Raises:
            DataError: If the file is damaged.
        """
        path = folder / TRAINING_CASES
        if not path.exists():
            return None
        try:
            with safe_open(within(path, MOST_WEIGHTS), "numpy") as file:
                about = json.loads((file.metadata() or {})["about"])
                arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            if about["model"] != model:
                return None
            found = cls(
                tuple(map(str, about["case_ids"])),
                tuple(None if one is None else str(one) for one in about["labels"]),
                arrays["vectors"].astype(np.float32),
                arrays["held_out"],
                arrays["shares"],
                {name: arrays[f"centre.{name}"] for name in about["scales"]},
                {name: float(scale) for name, scale in about["scales"].items()},
            )
            counts = {len(found.case_ids), len(found.labels), *map(len, (found.vectors,))}
            width = sum(len(one) for one in found.centres.values())
            if len({*counts, len(found.held_out)}) != 1 or found.vectors.shape[1:] != (width,):
                raise ValueError("its parts do not belong together")
        except (OSError, SafetensorError, LookupError, TypeError, ValueError) as error:
            raise DataError(
                f"{path} cannot be used: {error}. Remove it, and distances to the training cases "
                "are left out; or train the model again."
            ) from error
        return found


def save_beside(cases: TrainingCases | None, folder: Path, model: str) -> None:
    """Write the file beside a model, or remove what an earlier model has left there."""
    if cases is None:
        (folder / TRAINING_CASES).unlink(missing_ok=True)
    else:
        cases.save(folder, model)


def distances(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """(M, N): Euclidean, of (M, F) and (N, F)."""
    a, b = a.astype(np.float64, copy=False), b.astype(np.float64, copy=False)
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.asarray(np.sqrt(np.maximum(squared, 0)))


def spread(
    positions: Mapping[str, NDArray[np.float32]],
) -> tuple[dict[str, NDArray[np.float32]], dict[str, float]]:
    """Centres and scales of sources by which `TrainingCases` are placed; (N, F) of each."""
    centres = {name: one.mean(axis=0, dtype=np.float64) for name, one in positions.items()}
    lengths = {
        name: float(np.sqrt(((one - centres[name]) ** 2).sum(axis=1).mean()))
        for name, one in positions.items()
    }
    return (
        {name: one.astype(np.float32) for name, one in centres.items()},
        {name: length or 1.0 for name, length in lengths.items()},
    )


def patients_apart(
    vectors: NDArray[np.float32], patients: Sequence[str], neighbours: int
) -> NDArray[np.float64]:
    """(N,): distance of each training case to its k-th nearest of another patient.

    Args:
        vectors: (N, F).
        patients: (N,), at least two different ones.
        neighbours: k; fewer where other patients have fewer cases.
    """
    owners = np.unique(list(patients), return_inverse=True)[1]
    found, exact = np.zeros(len(vectors)), vectors.astype(np.float64)
    for start in range(0, len(vectors), AT_ONCE):
        own = slice(start, start + AT_ONCE)
        apart = distances(exact[own], exact)
        apart[owners[own][:, None] == owners[None, :]] = np.inf
        ordered = np.sort(apart, axis=1)
        finite = np.isfinite(ordered).sum(axis=1)
        last = np.minimum(neighbours, finite) - 1
        found[own] = ordered[np.arange(len(ordered)), last]
    return found
