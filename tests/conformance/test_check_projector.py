"""`check_projector` passes sound components and catches each broken promise."""

import pytest
import torch
from torch import nn

from rdfc_core import testing
from rdfc_core.models.projector_options import MLPConfig
from rdfc_core.models.projectors import LinearProjector, MLPProjector
from rdfc_core.plugin.component import NoOptions
from rdfc_core.scaffold.templates.projector import config as projector_config
from rdfc_core.scaffold.templates.projector.projector import Example as Wide


class AsWideAsFeatures(Wide):
    def build(self, features, width):
        return nn.Linear(features, features)


class GivingOneNetwork(Wide):
    network = nn.Linear(6, 4)

    def build(self, features, width):
        return self.network


class SharingALayer(Wide):
    layer = nn.Linear(6, 6)

    def build(self, features, width):
        return nn.Sequential(self.layer, nn.Linear(6, width))


class Seeding(Wide):
    def build(self, features, width):
        torch.manual_seed(0)
        return super().build(features, width)


class Stopping(Wide):
    class Stop(nn.Module):
        def forward(self, rows):
            return rows.detach()

    def build(self, features, width):
        return nn.Sequential(self.Stop(), nn.Linear(features, width))


class WithAnIdleWeight(Wide):
    def build(self, features, width):
        network = nn.Linear(features, width)
        network.idle = nn.Parameter(torch.zeros(1))
        return network


class Dividing(Wide):
    class ByTheFirst(nn.Module):
        def forward(self, rows):
            return rows / (rows - rows)

    def build(self, features, width):
        return nn.Sequential(nn.Linear(features, width), self.ByTheFirst())


class GivingAFunction(Wide):
    def build(self, features, width):
        return lambda rows: rows[:, :width]


@pytest.mark.parametrize(
    "projector",
    [
        Wide(projector_config.ExampleConfig()),
        LinearProjector(NoOptions()),
        *(
            MLPProjector(MLPConfig(layers=layers, hidden=hidden, normalisation=normalisation))
            for layers, hidden, normalisation in (
                (1, None, "batch"),
                (2, None, "none"),
                (3, 16, "batch"),
                (3, 16, "layer"),
            )
        ),
    ],
    ids=lambda one: type(one).__name__,
)
def test_sound_projectors_pass(projector):
    testing.check_projector(projector)


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (AsWideAsFeatures, r"has out_features 4 and gave \(5, 6\)"),
        (GivingOneNetwork, "gave the same weights twice"),
        (SharingALayer, "gave the same weights twice"),
        (Seeding, "seeds torch's global generator"),
        (Stopping, "stops the gradient on its way to the features"),
        (WithAnIdleWeight, "or to a weight of its own"),
        (Dividing, "NaN or infinite values"),
        (GivingAFunction, "gave function, not a torch.nn.Module"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_projector_is_caught(kind, complaint):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_projector(kind(projector_config.ExampleConfig()))
