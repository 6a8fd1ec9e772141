"""Cases without files, and the methods of Table 2 on them: small enough to train in a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rdfc_core.case import Case
from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.data.splits import Split
from rdfc_core.evaluation.evaluators import EvaluatorInputs, OwnMethods, StudyEvaluators
from rdfc_core.evaluation.feature_blocks import blocks
from rdfc_core.evaluation.linear_probe import LabelledSplit
from rdfc_core.evaluation.supervised_setup import SupervisedSetup
from rdfc_core.interfaces import Batch, Evaluator, Prepared, Pretext, PretextOutput, Tower, View
from rdfc_core.models.initialisation import Initialisation
from rdfc_core.results.vocabulary import CLASSIFICATION, COLUMN_METHODS, METHODS, fits
from rdfc_core.training.seeding import seeded
from rdfc_core.views.feature_view import FeatureView
from rdfc_core.views.image_view import ImageView
from rdfc_core.views.measured_features import MeasuredFeatures
from rdfc_core.views.options import FeatureViewConfig, ImageViewConfig
from tests.support.small_parts import SmallCnn, SmallCnnConfig
from tests.support.small_preparers import OutlineConfig, OutlineFeatures

FEATURES = 40
SETTINGS = EvaluateSettings(
    methods=[n for n in METHODS if n not in COLUMN_METHODS and fits(n, CLASSIFICATION)],
    inner_folds=2,
    supervised={
        "epochs": 4,
        "batch_size": 16,
        "sweep": [{"name": "from-probe", "head_init": "probe"}],
    },
)


class Towers(Pretext):
    """A pretext that holds towers and projections of them, and is never trained itself."""

    def __init__(self) -> None:
        super().__init__()

    def build(self, towers: Mapping[str, Tower], cases: int, generator: torch.Generator) -> None:
        self.towers = nn.ModuleDict(dict(towers))
        self.projections = nn.ModuleDict(
            {name: nn.Linear(tower.out_features, 5) for name, tower in towers.items()}
        )

    def forward(self, batch: Batch) -> PretextOutput:
        raise NotImplementedError

    def encoders(self) -> Mapping[str, Tower]:
        return dict(self.towers.items())  # type: ignore[arg-type]

    def embed(self, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {
            name: nn.functional.normalize(self.projections[name](rows))
            for name, rows in features.items()
        }


def views() -> dict[str, View]:
    """A radiomics and an image view with small towers, not fitted."""
    return {
        "radiomics": FeatureView(
            FeatureViewConfig(width=24, layers=3, dropout=0.1), OutlineFeatures(OutlineConfig())
        ),
        "image": ImageView(
            ImageViewConfig(size=(8, 8), crop_scale=(0.95, 1.0)), SmallCnn(SmallCnnConfig(width=16))
        ),
    }


def noise(cases: int, seed: int) -> dict[str, list[Prepared]]:
    """Features, pictures and columns that have nothing to do with any label."""
    rng = np.random.default_rng(seed)
    names = tuple(f"original_firstorder_{i}" for i in range(FEATURES))
    return {
        "radiomics": [Prepared(rng.normal(size=FEATURES), names) for _ in range(cases)],
        "image": [Prepared(rng.random((1, 8, 8)).astype(np.float16)) for _ in range(cases)],
        "columns": [Prepared(rng.normal(size=5).astype(np.float32)) for _ in range(cases)],
    }


def pretext(fitted: Mapping[str, View], seed: int) -> Pretext:
    """Fresh weights of a seed."""
    with seeded(seed):
        made = Towers()
        towers = {name: view.tower() for name, view in fitted.items()}
        made.build(towers, 2, torch.Generator())
    return made.eval()


def setup(
    prepared: Mapping[str, Sequence[Prepared]],
    truth: NDArray[np.int64],
    train: int,
    settings: EvaluateSettings = SETTINGS,
    seed: int = 0,
    classes: int = 2,
    columns: bool = False,
    evaluators: Mapping[str, Evaluator] | None = None,
) -> SupervisedSetup:
    """What methods are made of, on prepared cases; the first ``train`` train; a case a patient.

    With ``columns``, those of the cases stand beside the features, as of a view of columns.
    """
    clinical = {}
    if columns:
        clinical["clinical"] = np.stack([one.array for one in prepared["columns"]])
    cases = [
        Case(f"case-{i:03d}", f"patient-{i:03d}", Path(), Path(), "abc"[c])
        for i, c in enumerate(truth)
    ]
    ids = tuple(case.case_id for case in cases)
    split = Split("holdout", ids[:train], ids[:train], ids[train:])
    data = LabelledSplit.of(
        split, {c.case_id: c for c in cases}, tuple("abc"[:classes]), settings, seed
    )
    fitted = views()
    for name, view in fitted.items():
        view.fit(prepared[name][:train])
    trained = pretext(fitted, seed=99)
    collated = {name: view.collate(prepared[name]) for name, view in fitted.items()}
    with torch.no_grad():
        learnt = {
            name: nn.functional.normalize(tower(collated[name])).numpy()
            for name, tower in trained.encoders().items()
        }
    return SupervisedSetup(
        data=data,
        initialisation=Initialisation(
            fitted, trained, lambda chosen: pretext(fitted, chosen), classes
        ),
        cases=collated,
        measured=MeasuredFeatures(prepared["radiomics"]),
        blocks=blocks(
            {"radiomics": collated["radiomics"].numpy()},
            {"image": learnt["image"]},
            clinical,
            train,
        ),
        learnt=learnt,
        pretext="rdfc",
        precision="32-true",
        own=OwnMethods(
            StudyEvaluators(evaluators or {}, {name: name for name in evaluators or {}}),
            EvaluatorInputs.of(
                [case.patient_id for case in cases],
                fitted,
                prepared,
                collated,
                {"features": learnt, "embedding": {}},
            ),
        ),
    )


def parameters(network: nn.Module) -> dict[str, Any]:
    """A copy of everything that a network holds."""
    return {key: value.clone() for key, value in network.state_dict().items()}
