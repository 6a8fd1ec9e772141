"""One training with labels that any process can do: a network and all that it is trained on."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from rdfc_core.config.supervised_settings import SupervisedSettings
from rdfc_core.config.training_settings import AnyPrecision
from rdfc_core.data.targets import Truth
from rdfc_core.evaluation import finetuning
from rdfc_core.evaluation.classifiers import LinearProbe
from rdfc_core.interfaces import View
from rdfc_core.interfaces.collated import Collated
from rdfc_core.models.hybrid import Hybrid, predict
from rdfc_core.models.layer_groups import Plan
from rdfc_core.training.batches import label_steps
from rdfc_core.training.threads import computing_with
from rdfc_core.utils.progress import Advance


@dataclass(frozen=True)
class NetworkTraining:
    """A network with the weights to begin with, and the arguments of `finetuning.fit`.

    Args:
        network: Is trained in place.
        views: View name → the view, for its augmentation.
        cases: View name → (N, …), the training cases as collated.
        truth: (N,) class indices, or numbers.
        settings: Budget, optimiser, and the course of the learning rate.
        precision: Number format of the forward pass.
        balanced: Weigh classes by their rarity.
        seed: Decides order, augmentation and dropout.
        plan: Factors on the learning rate; None: all weights are fresh.
        probe: Fitted first, for the head to begin with; None: as the head is.
    """

    network: Hybrid
    views: Mapping[str, View]
    cases: Mapping[str, Collated]
    truth: Truth
    settings: SupervisedSettings
    precision: AnyPrecision
    balanced: bool
    seed: int
    plan: Plan | None = None
    probe: LinearProbe | None = None

    @property
    def steps(self) -> int:
        """How many steps it takes."""
        return label_steps(len(self.truth), self.settings)

    def run(self, threads: int, advance: Advance | None = None) -> None:
        """Train the network.

        Args:
            threads: Of the processor.
            advance: Told of a tenth of the steps at a time.

        Raises:
            DataError: If the loss is no longer finite.
            StudyError: If gradients would be wrong in this precision.
        """
        with computing_with(threads):
            finetuning.fit(
                self.network,
                self.views,
                self.cases,
                self.truth,
                self.settings,
                self.precision,
                self.balanced,
                self.seed,
                self.plan,
                self.probe,
                advance,
            )


@dataclass(frozen=True)
class Errand:
    """A training for another process, and what is wanted of it.

    Args:
        training: To be done.
        asked: View name → (M, …), the cases that the network is asked about afterwards.
        threads: Of the processor.
        kept: Whether its weights are wanted, too.
    """

    training: NetworkTraining
    asked: Mapping[str, Collated]
    threads: int
    kept: bool

    def run(self) -> TrainedElsewhere:
        """Train, and ask."""
        self.training.run(self.threads)
        network = self.training.network
        with computing_with(self.threads):
            probabilities = predict(network, self.asked)
        weights = {k: v.detach().cpu() for k, v in network.state_dict().items()}
        return TrainedElsewhere(probabilities, weights if self.kept else None)


@dataclass(frozen=True)
class TrainedElsewhere:
    """What a training gave.

    Args:
        probabilities: (M, C) of the cases that it was asked about.
        weights: The network's; None where they are not wanted.
    """

    probabilities: NDArray[np.float64]
    weights: Mapping[str, Tensor] | None


def packed(errand: Errand) -> bytes:
    """The errand as bytes.

    By plain pickle: torch's own way of sending tensors to processes needs shared memory, of which
    containers have little.
    """
    return pickle.dumps(errand)


def run_packed(errand: bytes) -> bytes:
    """What a worker process does: the training, and its outcome as bytes."""
    unpacked: Errand = pickle.loads(errand)
    return pickle.dumps(unpacked.run())


def unpacked(outcome: bytes) -> TrainedElsewhere:
    """The outcome that a worker sent."""
    found: TrainedElsewhere = pickle.loads(outcome)
    return found
