"""The denoising autoencoder: what is missing in a picture is told from the rest."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from rdfc_core.interfaces import Batch, PretextOutput, Tower, at_least_single
from rdfc_pretext_baselines.config import AutoencoderConfig
from rdfc_pretext_baselines.decoder import Decoder
from rdfc_pretext_baselines.pictures import PicturePretext, unit_rows

MID_GREY = 0.5
"""What a tower centres to 0: pictures in [0, 1] reach the network as [−1, 1]."""


class Autoencoder(PicturePretext):
    """The features of a corrupted picture, (B, F), have to restore the picture itself.

    Source: Vincent et al. 2008, Sect. 2.3; a convolutional encoder and decoder in the place of
    theirs, and the squared error.
    """

    task = "autoencoder"
    mixed_precision = True  # the decoder takes as long as the tower; the error stays single

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__(config)
        self.config = config

    def build_head(self, tower: Tower) -> None:
        """A decoder to the tower's own pictures."""
        self.decoder = Decoder(tower.out_features, tower.picture_shape, self.config.width)

    def forward(self, batch: Batch) -> PretextOutput:
        """Draw the picture, corrupt it, encode it, restore it."""
        pictures = batch.draw(self.view)
        damaged = corrupt(pictures, self.config.masking, self.config.noise, batch.generator)
        features = self.tower(damaged)
        # float: under mixed precision small errors would vanish in their sum.
        mse = F.mse_loss(at_least_single(self.decoder(features)), pictures)
        logs = {"mse": mse.detach(), "explained": explained(mse.detach(), pictures)}
        return PretextOutput(mse, logs, {self.view: unit_rows(features)})


def corrupt(pictures: Tensor, masking: float, noise: float, generator: torch.Generator) -> Tensor:
    """Pictures with Gaussian noise, and some samples set to mid-grey.

    Args:
        pictures: (B, C, …) in [0, 1].
        masking: Share of samples, each drawn on its own, that lose their value.
        noise: Standard deviation of the noise on the others.
        generator: On the CPU; the only source of randomness.
    """
    damaged = pictures
    if noise:
        drawn = torch.randn(pictures.shape, generator=generator)
        damaged = damaged + noise * drawn.to(pictures.device)
    if masking:
        lost = torch.rand(pictures.shape, generator=generator) < masking
        damaged = damaged.masked_fill(lost.to(pictures.device), MID_GREY)
    return damaged


def explained(mse: Tensor, pictures: Tensor) -> Tensor:
    """1 − error / variance: 0 for restoring the batch's mean picture, 1 for perfection."""
    return 1 - mse / pictures.var(dim=0, correction=0).mean().clamp(min=1e-12)
