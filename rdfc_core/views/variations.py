"""All random variations of a batch of pictures, in the order in which an image comes about."""

from __future__ import annotations

from collections.abc import Callable

import torch

from rdfc_core.views.augmentation import augment_pictures
from rdfc_core.views.blur import blur
from rdfc_core.views.elastic import displacements
from rdfc_core.views.intensity import vary_brightness, vary_contrast, vary_gamma
from rdfc_core.views.noise import add_noise, add_speckle
from rdfc_core.views.options import ImageViewConfig

Vary = Callable[[torch.Tensor, float, torch.Generator], torch.Tensor]

OF_INTENSITIES: dict[str, Vary] = {
    "blur": blur,
    "gamma": vary_gamma,  # before what may leave [0, 1]
    "contrast": vary_contrast,
    "brightness": vary_brightness,
    "speckle": add_speckle,
    "noise": add_noise,  # last: noise of the receiver is under no other setting
}
"""Option of the image view → what it does, in this order. At 0 an option draws no number."""


def augment(
    batch: torch.Tensor, config: ImageViewConfig, generator: torch.Generator
) -> torch.Tensor:
    """Random crop, flips and deformation of each case, then its random intensities.

    The outline, if the pictures hold it, follows crop, flips and deformation alone. Intensities may
    leave [0, 1]: clipped, a dark tumour made darker would lose its texture.

    Args:
        batch: Pictures in [0, 1], (B, C, H, W) or (B, C, Z, H, W); with ``mask_channel`` the
            outline follows the channels of the images, with as many as one of them has.
        config: How strong each variation is.
        generator: On the CPU; the only source of randomness, whatever the device.

    Returns:
        A new batch of the same shape.
    """
    moved = displacements(batch, config.elastic, generator) if config.elastic else None
    varied = augment_pictures(batch, config.crop_scale, config.flip, generator, moved)
    strengths = {name: getattr(config, name) for name in OF_INTENSITIES if getattr(config, name)}
    if not strengths:
        return varied
    images = len(config.images or ("",))
    shown = varied.shape[1] * images // (images + 1 if config.mask_channel else images)
    pictures, outline = varied[:, :shown], varied[:, shown:]
    for name, strength in strengths.items():
        pictures = OF_INTENSITIES[name](pictures, strength, generator)
    return torch.cat([pictures, outline], dim=1) if config.mask_channel else pictures
