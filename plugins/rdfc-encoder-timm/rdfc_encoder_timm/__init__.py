"""rdfc-encoder-timm: any image network that timm can build, as rdfc's image encoder ``timm``."""

from collections.abc import Sequence

from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components() -> Sequence[Component]:
    """The encoder ``timm``."""
    return [
        Component(
            "image_encoder",
            "timm",
            "Any image network of timm: ResNet, ConvNeXt, EfficientNet, ViT and a thousand more",
            "rdfc_encoder_timm.encoder:TimmEncoder",
            "rdfc_encoder_timm.config:TimmConfig",
        )
    ]
