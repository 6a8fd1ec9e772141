"""A trained model: views, towers and a linear classifier; saved as safetensors and JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.contract.networks import require_rows
from rdfc_core.data.case_definition import CaseDefinition
from rdfc_core.errors import DataError, StudyError
from rdfc_core.interfaces import Prepared, Pretext, Tower, View
from rdfc_core.interfaces.collated import Collated, count, to_device
from rdfc_core.models import model_folder
from rdfc_core.models.building import fresh_pretext, network_part
from rdfc_core.models.inputs import inputs_of
from rdfc_core.models.linear_model import LinearModel
from rdfc_core.models.made_by import MadeBy, Probe
from rdfc_core.models.members import Member, answer, member, training_keys
from rdfc_core.models.outputs import OUTPUTS
from rdfc_core.models.training_cases import TrainingCases, save_beside
from rdfc_core.plugin.attribution import held_to_contract
from rdfc_core.plugin.registry import Registry
from rdfc_core.results.case_set import CaseSet
from rdfc_core.results.safeguards import Safeguards
from rdfc_core.results.schema import Selection
from rdfc_core.results.vocabulary import (
    CLASSIFICATION,
    EMBEDDING,
    FEATURES,
    PROBE,
    SELECTED,
    Layer,
    TaskName,
)

BATCH, CPU = 256, torch.device("cpu")


@dataclass
class Model:
    """Everything that turns prepared cases into features, embeddings and probabilities.

    Args:
        views: View name → the fitted view.
        pretext: The built pretext with its towers.
        classes: The labels in their order; none where a number is predicted.
        classifier: The linear classifier, once one is trained.
        layer: ``features`` or ``embedding``, on which the classifier stands.
        cases: What the cases are; None where nobody said.
        selection: What was chosen for `predict`; None: the linear classifier.
        members: What there was to choose from: candidate → what it has learnt.
        made_by: Its components, None in older models; probed: their `Probe.arrays`.
        task: What the classifier and the members say.
        learnt_from: Part of `rdfc_core.results.case_set` → the cases that it has learnt from.
        safeguards: What it has to tell of single predictions; None where an older rdfc saved it.
        training_cases: Where these lie; None where they are not kept.
    """

    views: Mapping[str, View]
    pretext: Pretext
    classes: tuple[str, ...] = ()
    classifier: LinearModel | None = None
    layer: Layer = FEATURES
    cases: CaseDefinition | None = None
    selection: Selection | None = None
    members: Mapping[str, Member] = field(default_factory=dict)
    made_by: MadeBy | None = None
    probed: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    task: TaskName = CLASSIFICATION
    learnt_from: Mapping[str, CaseSet] = field(default_factory=dict)
    safeguards: Safeguards | None = None
    training_cases: TrainingCases | None = None

    def outputs(
        self, prepared: Mapping[str, Sequence[Prepared]]
    ) -> dict[str, dict[str, NDArray[np.float32]]]:
        """What the network makes of N cases, without augmentation.

        Returns:
            ``features``: view name → (N, F), before the projections, rows of unit length;
            ``embedding``: view name → (N, D), where the pretext has such a space.
        """
        towers = self.pretext.encoders()
        count = len(prepared[next(iter(towers))]) if towers else 0
        device = next((p.device for p in self.pretext.parameters()), CPU)
        pieces: dict[str, dict[str, list[NDArray[np.float32]]]] = {FEATURES: {}, EMBEDDING: {}}
        self.pretext.eval()
        with torch.inference_mode():
            for start in range(0, count, BATCH):
                features = {
                    name: self._features(name, tower, prepared[name], start, device)
                    for name, tower in towers.items()
                }
                normed = {
                    name: torch.nn.functional.normalize(one) for name, one in features.items()
                }
                for layer, found in (
                    (FEATURES, normed),
                    (EMBEDDING, self.pretext.embed(features)),
                ):
                    for name, one in found.items():
                        pieces[layer].setdefault(name, []).append(one.cpu().numpy())
        return {
            layer: {name: np.concatenate(parts) for name, parts in found.items()}
            for layer, found in pieces.items()
        }

    def _features(
        self,
        view: str,
        tower: Tower,
        prepared: Sequence[Prepared],
        start: int,
        device: torch.device,
    ) -> torch.Tensor:
        """What a tower makes of some cases, (B, F), as wide as it said."""
        batch = self._batch(view, prepared, start)
        rows = tower(to_device(batch, device))
        part = network_part(self.views[view])
        with held_to_contract(part):
            who = f"The network of {type(part).__name__}"
            require_rows(rows, count(batch), tower.out_features, who)
        features: torch.Tensor = rows.float()
        return features

    def _batch(self, view: str, prepared: Sequence[Prepared], start: int) -> Collated:
        """Some cases, collated: pictures of all of them may be larger than the memory."""
        return self.views[view].collate(prepared[start : start + BATCH])

    def calibrate(self, prepared: Mapping[str, Sequence[Prepared]]) -> None:
        """Set the statistics of batch normalisation from these cases, and no weight.

        An untrained network has the statistics of no data: a trained one would win by them alone.
        """
        towers = self.pretext.encoders()
        norms = [
            module
            for tower in towers.values()
            for module in tower.modules()
            if isinstance(module, nn.modules.batchnorm._BatchNorm)
        ]
        momentum = [norm.momentum for norm in norms]
        self.pretext.eval()
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the mean over all batches
            norm.train()
        with torch.no_grad():
            for name, tower in towers.items():
                cases, device = prepared[name], next((p.device for p in tower.parameters()), CPU)
                for rows in np.array_split(np.arange(len(cases)), math.ceil(len(cases) / BATCH)):
                    batch = self.views[name].collate(cases[rows[0] : rows[-1] + 1])
                    tower(to_device(batch, device))
        for norm, before in zip(norms, momentum, strict=True):
            norm.momentum = before
        self.pretext.eval()

    def predict(
        self, prepared: Mapping[str, Sequence[Prepared]], method: str = SELECTED
    ) -> NDArray[np.float64]:
        """Class probabilities of N cases, (N, C), or numbers, (N, 1).

        Args:
            prepared: View name → the cases.
            method: What was chosen, or one of the candidates.

        Raises:
            DataError: If no classifier was trained.
            ShapeError: If it was trained on other views or widths than the networks give.
            StudyError: If there is no such candidate.
        """
        self.refuse_unknown(method)
        if self.selection is not None:
            count = len(next(iter(prepared.values())))
            # Some at a time: the collated pictures of thousands of cases fill the memory.
            said = [
                self._answer({n: own[start : start + BATCH] for n, own in prepared.items()}, method)
                for start in range(0, max(count, 1), BATCH)
            ]
            return np.concatenate(said)
        assert self.classifier is not None
        return self.classifier.predict(self.outputs(prepared)[self.layer])

    def refuse_unknown(self, method: str) -> None:
        """Check that the model can predict by a method.

        Raises:
            DataError: If no classifier was trained.
            StudyError: If there is no such candidate.
        """
        if self.classifier is None:
            raise DataError(
                "This model has no classifier: it was only pretrained. Finish it with rdfc run, "
                "or use rdfc embed."
            )
        if self.selection is None and method not in (SELECTED, PROBE):
            raise StudyError(
                f"--method {method}: this run has saved the linear probe alone ({PROBE}). A run "
                "with evaluate.selection.enabled=true saves more."
            )
        if self.selection is not None and method not in (SELECTED, *self.members):
            raise StudyError(
                f"--method {method}: this run has saved {', '.join(self.members)}; {SELECTED} is "
                f"what it chose ({self.selection.chosen})."
            )

    def _answer(
        self, prepared: Mapping[str, Sequence[Prepared]], method: str
    ) -> NDArray[np.float64]:
        """`predict` by what was chosen, with the cases in every form that it may ask for."""
        assert self.selection is not None
        inputs = inputs_of(self.views, self.outputs(prepared)[FEATURES], prepared)
        return answer(self.selection, self.members, inputs, method, self.task)

    def remember(self, probe: Probe) -> None:
        """Save with the model what it was made by."""
        self.made_by, self.probed = probe.made_by, probe.arrays()

    def take_members(
        self,
        selection: Selection | None,
        saved: Mapping[str, Mapping[str, NDArray[Any]]],
        study: ResolvedStudy,
    ) -> None:
        """Predict by what was chosen from now on.

        Args:
            selection: What was chosen.
            saved: Candidate → what it has learnt, as arrays.
            study: Says what a network's head stands on.

        Raises:
            ValueError: If they do not belong together.
        """
        supervised, count = study.evaluate.supervised, OUTPUTS[self.task].width(self.classes)
        self.members = {
            name: member(arrays, self.views, self.pretext, supervised, count, self.task)
            for name, arrays in saved.items()
        }
        self.selection = selection
        if selection and (missing := set(selection.members) - set(self.members)):
            raise ValueError(f"it lacks the weights of {min(missing)}, which was chosen")

    def save(self, folder: Path) -> None:
        """Write the model's folder (`rdfc_core.models.model_folder`).

        Memories are left out: they hold what the training cases look like to the network. So are
        towers that training alone needs.
        """
        left_out = training_keys(self.pretext)
        arrays = {
            f"pretext.{key}": value.detach().cpu().numpy()
            for key, value in self.pretext.state_dict().items()
            if key not in left_out
        }
        for name, view in self.views.items():
            arrays |= {f"view.{name}.{key}": value for key, value in view.state().items()}
        if self.classifier is not None:
            arrays |= {f"classifier.{k}": getattr(self.classifier, k) for k in ("weight", "bias")}
        for name, one in self.members.items():
            arrays |= {f"member.{name}/{key}": value for key, value in one.arrays().items()}
        about = model_folder.About(
            classes=self.classes,
            layer=self.layer,
            views=None if self.classifier is None else self.classifier.views,
            cases=self.cases,
            selection=self.selection,
            made_by=self.made_by,
            task=None if self.task == CLASSIFICATION else self.task,
            learnt_from=dict(self.learnt_from) or None,
            safeguards=self.safeguards,
        )
        arrays |= {f"{model_folder.PROBE}{key}": value for key, value in self.probed.items()}
        checksum = model_folder.write(folder, arrays, about)
        save_beside(self.training_cases, folder, checksum)


def fresh(
    study: ResolvedStudy,
    registry: Registry,
    views: Mapping[str, View],
    cases: int,
    seed: int,
    blank: bool = False,
) -> Model:
    """A model with fresh weights for fitted views, as `fresh_pretext` makes them."""
    pretext = fresh_pretext(study, registry, views, cases, seed, blank)
    return Model(views, pretext, task=study.task)
