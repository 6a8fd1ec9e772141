"""What core itself offers, announced through the same hook as any plugin's."""

from __future__ import annotations

from rdfc_core.plugin.component import Component
from rdfc_core.plugin.hookspecs import hookimpl
from rdfc_core.utils.training_extra import NEEDS_TORCH

rdfc_interface = 1


@hookimpl
def rdfc_components() -> list[Component]:
    """Readers, the two views, projectors, optimisers, schedules, and the local executor."""
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
