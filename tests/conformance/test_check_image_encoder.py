"""`check_image_encoder` passes a sound component and catches each broken promise."""

import random

import pytest
import torch
from torch import nn

from rdfc_core import testing
from rdfc_core.interfaces import ImageEncoder
from rdfc_core.scaffold.templates.image_encoder import config as encoder_config
from rdfc_core.scaffold.templates.image_encoder import encoder as encoder_example

Encoder = encoder_example.Example


class WithoutPooling(Encoder):
    def build(self, channels):
        return super().build(channels)[:-1]


class IgnoringThePicture(Encoder):
    def build(self, channels):
        network = super().build(channels)
        network[0][0].register_forward_hook(lambda module, inputs, output: output * 0)
        return network


class MixingTheBatch(Encoder):
    def build(self, channels):
        network = super().build(channels)
        network.register_forward_hook(lambda module, inputs, out: out - out.mean(0))
        return network


class DroppingInEvaluation(Encoder):
    def build(self, channels):
        network = super().build(channels)
        network.register_forward_hook(
            lambda module, inputs, out: nn.functional.dropout(out, training=True)
        )
        return network


class WithAnIdleLayer(Encoder):
    def build(self, channels):
        network = super().build(channels)
        network[0].idle = nn.Linear(2, 2)
        network[0].forward = nn.Sequential(*list(network[0])[:3]).forward
        return network


class DetachingItsFeatures(Encoder):
    def build(self, channels):
        network = super().build(channels)
        network.register_forward_hook(lambda module, inputs, out: out * 0 + out.detach())
        return network


class BuildingOnlyOnce(Encoder):
    def build(self, channels):
        self.once = getattr(self, "once", None) or super().build(channels)
        return self.once


class DrawingItsOwnWeights(Encoder):
    def build(self, channels):
        network = super().build(channels)
        with torch.no_grad():
            next(network.parameters()).mul_(random.SystemRandom().random())
        return network


class ForgettingAGroup(Encoder):
    def layer_groups(self, network):
        return {"stage1": [network.stage1], "stage2": [network.stage2]}


class GroupingTwice(Encoder):
    def layer_groups(self, network):
        return {**super().layer_groups(network), "all": [network]}


class GroupingAnotherNetwork(Encoder):
    def layer_groups(self, network):
        return super().layer_groups(self.build(1))


class OfFourDimensions(Encoder):
    spatial_dims = 4


class NotDerived:
    pass


class SeedingItsWeights(Encoder):
    def build(self, channels):
        torch.manual_seed(0)
        return super().build(channels)


def test_a_sound_encoder_passes():
    testing.check_image_encoder(Encoder(encoder_config.ExampleConfig()), channels=(1, 3, 10))


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (SeedingItsWeights, r"build\(\) seeds torch's global generator"),
        (WithoutPooling, r"gave \(3, 64, 8, 8\) for a batch of 3"),
        (IgnoringThePicture, "gave two different cases the same features"),
        (MixingTheBatch, "other features alone than in a batch"),
        (DroppingInEvaluation, "in evaluation gave other features the second time"),
        (WithAnIdleLayer, "no gradient reaches 2 parameters"),
        (DetachingItsFeatures, "all gradients are zero"),
        (BuildingOnlyOnce, "two networks share parameters"),
        (DrawingItsOwnWeights, "the same torch seed gave other weights"),
        (ForgettingAGroup, "3 parameters are in no group"),
        (GroupingTwice, "is in the groups 'stage1' and 'all'"),
        (GroupingAnotherNetwork, "holds a parameter that is none of the network's"),
        (OfFourDimensions, "spatial_dims is 4"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_encoder_is_caught(kind, complaint):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_image_encoder(kind(encoder_config.ExampleConfig(stages=3)))


def test_a_class_of_no_interface_is_caught():
    with pytest.raises(AssertionError, match="NotDerived is no ImageEncoder"):
        testing.check_image_encoder(NotDerived())


def test_an_encoder_of_volumes_passes_and_asks_for_three_numbers():
    class Volumetric(ImageEncoder):
        spatial_dims = 3

        def build(self, channels):
            return nn.Sequential(
                nn.Conv3d(channels, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten()
            )

    testing.check_image_encoder(Volumetric(), size=(4, 8, 8))
    with pytest.raises(AssertionError, match="as many numbers"):
        testing.check_image_encoder(Volumetric())


def test_small_features_are_told_apart_by_their_size():
    class Faint(ImageEncoder):
        def build(self, channels):
            network = nn.Sequential(
                nn.Conv2d(channels, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()
            )
            with torch.no_grad():
                for weights in network.parameters():
                    weights *= 1e-9
            return network

    testing.check_image_encoder(Faint())
