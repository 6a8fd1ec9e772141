"""What core itself offers, announced through the same hook as any plugin's."""

from __future__ import annotations

from rdfc_core.plugin.component import Component
from rdfc_core.plugin.hookspecs import hookimpl
from rdfc_core.results import files
from rdfc_core.utils.training_extra import NEEDS_SKLEARN, NEEDS_TORCH

rdfc_interface = 1


@hookimpl
def rdfc_components() -> list[Component]:
    """Readers, views, parts of trainings, evaluators, metrics, loggers, and the local executor."""
    return [
        Component(
            "reader",
            "pictures",
            "PNG, JPEG, TIFF and BMP pictures",
            "rdfc_core.data.readers.pictures:PictureReader",
            "rdfc_core.data.readers.config:PictureReaderConfig",
        ),
        Component(
            "reader",
            "volumes",
            "NIfTI, NRRD and MetaImage volumes",
            "rdfc_core.data.readers.volumes:VolumeReader",
            "rdfc_core.data.readers.config:VolumeReaderConfig",
        ),
        Component(
            "view",
            "features",
            "Handcrafted features of the outline, through a fully connected tower",
            "rdfc_core.views.feature_view:FeatureView",
            "rdfc_core.views.options:FeatureViewConfig",
        ),
        Component(
            "view",
            "image",
            "The tumour's picture, through an image encoder",
            "rdfc_core.views.image_view:ImageView",
            "rdfc_core.views.options:ImageViewConfig",
            NEEDS_TORCH,
        ),
        *_of_training(),
        *_evaluators(),
        *_metrics(),
        Component(
            "query_strategy",
            "random",
            "Random draws: what every other strategy has to beat",
            "rdfc_core.evaluation.random_queries:RandomQueries",
        ),
        Component(
            "logger",
            files.TENSORBOARD,
            "Metrics of pretraining for TensorBoard, in the run folder",
            "rdfc_core.training.tensorboard_logger:TensorBoardLogger",
            requires=NEEDS_TORCH,
        ),
        Component(
            "executor",
            "local",
            "Processes of this machine",
            "rdfc_core.extraction.local_executor:LocalExecutor",
            "rdfc_core.extraction.local_executor:LocalExecutorConfig",
        ),
    ]


def _of_training() -> list[Component]:
    """Projectors, optimisers and schedules."""
    return [
        Component(
            "projector",
            "linear",
            "One linear layer",
            "rdfc_core.models.projectors:LinearProjector",
            requires=NEEDS_TORCH,
        ),
        Component(
            "projector",
            "mlp",
            "Linear layers with normalisation and ReLU between them",
            "rdfc_core.models.projectors:MLPProjector",
            "rdfc_core.models.projector_options:MLPConfig",
            NEEDS_TORCH,
        ),
        Component(
            "optimizer",
            "sgd",
            "Stochastic gradient descent with momentum",
            "rdfc_core.training.optim:SGD",
            "rdfc_core.training.part_options:SGDConfig",
            NEEDS_TORCH,
        ),
        Component(
            "optimizer",
            "adamw",
            "Adam with decoupled weight decay",
            "rdfc_core.training.optim:AdamW",
            "rdfc_core.training.part_options:AdamWConfig",
            NEEDS_TORCH,
        ),
        Component(
            "schedule",
            "constant",
            "The peak learning rate at every step",
            "rdfc_core.training.schedule:Constant",
            requires=NEEDS_TORCH,
        ),
        Component(
            "schedule",
            "cosine",
            "From the peak to 0 by a half cosine",
            "rdfc_core.training.schedule:Cosine",
            requires=NEEDS_TORCH,
        ),
        Component(
            "schedule",
            "one-cycle",
            "Up for a tenth of the steps and down to 0, each by a half cosine",
            "rdfc_core.training.schedule:OneCycle",
            requires=NEEDS_TORCH,
        ),
        Component(
            "schedule",
            "step",
            "The peak, and a tenth of it from a share of the steps on",
            "rdfc_core.training.schedule:Step",
            "rdfc_core.training.part_options:StepConfig",
            NEEDS_TORCH,
        ),
    ]


def _evaluators() -> list[Component]:
    """Methods and controls beside those of `rdfc_core.results.vocabulary`."""
    module, options = (
        "rdfc_core.evaluation.tree_evaluators",
        "rdfc_core.evaluation.evaluator_options",
    )
    return [
        Component(
            "evaluator",
            "gradient-boosting",
            "Gradient boosting of trees on a table of features",
            f"{module}:GradientBoosting",
            f"{options}:BoostingConfig",
            requires=NEEDS_SKLEARN,
        ),
        Component(
            "evaluator",
            "random-forest",
            "A forest of trees on a table of features",
            f"{module}:RandomForest",
            f"{options}:ForestConfig",
            requires=NEEDS_SKLEARN,
        ),
        Component(
            "evaluator",
            "class-frequencies",
            "A control that looks at nothing: how frequent the classes are",
            f"{module}:ClassFrequencies",
        ),
    ]


def _metrics() -> list[Component]:
    """Metrics beside those that every run has."""
    of_class = [
        ("sensitivity", "Share of the positive cases that are called positive", "Sensitivity"),
        ("specificity", "Share of the other cases that are not called positive", "Specificity"),
        (
            "ppv",
            "Positive predictive value: share of the cases called positive that are",
            "PositivePredictiveValue",
        ),
        (
            "npv",
            "Negative predictive value: share of the cases not called positive that are not",
            "NegativePredictiveValue",
        ),
    ]
    module, options = "rdfc_core.evaluation.clinical_metrics", "rdfc_core.evaluation.metric_options"
    return [
        *(
            Component("metric", name, summary, f"{module}:{target}", f"{options}:OfClassConfig")
            for name, summary, target in of_class
        ),
        Component(
            "metric",
            "specificity-at-sensitivity",
            "Specificity at the threshold that finds a given share of the positive cases",
            f"{module}:SpecificityAtSensitivity",
            f"{options}:AtSensitivityConfig",
        ),
        Component(
            "metric", "log-loss", "Mean surprise at each case's own class", f"{module}:LogLoss"
        ),
    ]
