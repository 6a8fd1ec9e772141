"""The projectors that core offers: one linear layer, and several with normalisation between."""

from __future__ import annotations

from torch import nn

from rdfc_core.interfaces import Projector
from rdfc_core.models.projector_options import MLPConfig
from rdfc_core.plugin.component import NoOptions

NORMALISATIONS = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}


class LinearProjector(Projector):
    """One linear layer.

    Source: Zhao & Yang 2021, Sect. 2.
    """

    def __init__(self, config: NoOptions) -> None:
        pass

    def build(self, features: int, width: int) -> nn.Module:
        """(B, features) → (B, width)."""
        return nn.Linear(features, width)


class MLPProjector(Projector):
    """Linear layers with normalisation and ReLU between them.

    Sources: Chen et al. 2020 (SimCLR): two layers; Zbontar et al. 2021 (Barlow Twins) and Bardes
    et al. 2022 (VICReg): three, with batch normalisation.
    """

    def __init__(self, config: MLPConfig) -> None:
        self.config = config

    def build(self, features: int, width: int) -> nn.Module:
        """(B, features) → (B, width); the last layer stands alone."""
        config = self.config
        hidden = config.hidden or features
        norm = NORMALISATIONS.get(config.normalisation)
        layers: list[nn.Module] = []
        given = features
        for _ in range(config.layers - 1):
            # A normalisation takes the layer's own bias out, and adds one.
            layers.append(nn.Linear(given, hidden, bias=norm is None))
            layers += [norm(hidden)] if norm else []
            layers.append(nn.ReLU())
            given = hidden
        return nn.Sequential(*layers, nn.Linear(given, width))
