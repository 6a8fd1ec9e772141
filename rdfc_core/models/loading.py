"""A saved model, read from its folder."""

from __future__ import annotations

from pathlib import Path

import torch

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.errors import DataError
from rdfc_core.interfaces import View
from rdfc_core.models import model_folder
from rdfc_core.models.linear_model import LinearModel
from rdfc_core.models.members import training_keys
from rdfc_core.models.model import Model, fresh
from rdfc_core.models.model_folder import below, members_of
from rdfc_core.models.outputs import OUTPUTS
from rdfc_core.models.training_cases import TrainingCases
from rdfc_core.plugin.registry import Registry
from rdfc_core.results.vocabulary import CLASSIFICATION


def load(folder: Path, study: ResolvedStudy, registry: Registry) -> Model:
    """The model in the folder.

    Raises:
        DataError: If a file is missing or damaged, or does not fit the study.
    """
    try:
        about, arrays = model_folder.read(folder)
        views: dict[str, View] = {}
        for name, part in study.views.items():
            views[name] = part.build(registry)
            views[name].load_state(below(arrays, f"view.{name}."))
        # Two stand for however many cases it was trained on: their memory is not kept.
        model = fresh(study, registry, views, cases=2, seed=study.seed, blank=True)
        weights = {k: torch.from_numpy(v) for k, v in below(arrays, "pretext.").items()}
        own = model.pretext.state_dict()
        weights |= {key: own[key] for key in training_keys(model.pretext)}
        model.pretext.load_state_dict(weights)
        model.pretext.eval()
        model.classes, model.layer, model.cases = about.classes, about.layer, about.cases
        model.made_by, model.probed = about.made_by, below(arrays, model_folder.PROBE)
        model.task = about.task or CLASSIFICATION
        model.learnt_from = about.learnt_from or {}
        model.safeguards = about.safeguards
        if model.task != study.task:
            raise ValueError(f"it is of the task {model.task}, and its study of {study.task}")
        if about.views is not None:
            weight, bias = arrays["classifier.weight"], arrays["classifier.bias"]
            if not weight.shape[:-1] == bias.shape == (OUTPUTS[model.task].width(about.classes),):
                raise ValueError(f"its classifier is not for its {len(about.classes)} classes")
            model.classifier = LinearModel(weight, bias, about.views, model.task)
        model.take_members(about.selection, members_of(arrays), study)
    except model_folder.DAMAGED as error:
        raise DataError(
            f"The model {folder} cannot be used: {' '.join(str(error).split())[:300]}. Train it "
            "again with rdfc run … --overwrite."
        ) from error
    model.training_cases = TrainingCases.read(folder, about.sha256)
    return model
