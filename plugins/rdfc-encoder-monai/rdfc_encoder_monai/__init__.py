"""rdfc-encoder-monai: MONAI's 3D networks as rdfc's image encoder ``monai``."""

from collections.abc import Sequence

from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components() -> Sequence[Component]:
    """The encoder ``monai``."""
    return [
        Component(
            "image_encoder",
            "monai",
            "3D networks of MONAI on volumes: ResNet, DenseNet, the encoder of SwinUNETR",
            "rdfc_encoder_monai.encoder:MonaiEncoder",
            "rdfc_encoder_monai.config:MonaiConfig",
        )
    ]
