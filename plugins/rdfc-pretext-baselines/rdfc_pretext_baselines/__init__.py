"""The self-supervised baselines of the paper's Table 1, each on the image view alone."""

from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components() -> list[Component]:
    """Three pretext tasks."""
    return [
        Component(
            "pretext",
            "autoencoder",
            "The features of a damaged picture restore the whole one (Vincent et al. 2008)",
            "rdfc_pretext_baselines.autoencoder:Autoencoder",
            "rdfc_pretext_baselines.config:AutoencoderConfig",
        ),
        Component(
            "pretext",
            "jigsaw",
            "The features of nine shuffled tiles tell their order (Noroozi & Favaro 2016)",
            "rdfc_pretext_baselines.jigsaw:Jigsaw",
            "rdfc_pretext_baselines.config:JigsawConfig",
        ),
        Component(
            "pretext",
            "simclr",
            "Two variations of a picture agree, different cases do not (Chen et al. 2020)",
            "rdfc_pretext_baselines.simclr:SimCLR",
            "rdfc_pretext_baselines.config:SimCLRConfig",
        ),
    ]
