"""`check_feature_extractor` passes a sound component and catches each broken promise."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from rdfc_core import testing
from rdfc_core.interfaces import Features
from rdfc_core.scaffold.templates.feature_extractor import config as extractor_config
from rdfc_core.scaffold.templates.feature_extractor import extractor as extractor_example

counter = itertools.count()

Extractor = extractor_example.Example


class SayingTheSameOfAll(Extractor):
    def extract(self, tumour):
        return Features(np.zeros(6))


class CountingItsCalls(Extractor):
    def extract(self, tumour):
        found = super().extract(tumour)
        found.values[0] += next(counter)
        return found


class RememberingTheLastCase(Extractor):
    last = 0.0

    def extract(self, tumour):
        found = super().extract(tumour)
        self.last, found.values[1] = found.values[1], found.values[1] + self.last
        return found


class HoldingALambda(Extractor):
    def __init__(self, config):
        super().__init__(config)
        self.transform = lambda values: values


class OverflowingOnIntegers(Extractor):
    def extract(self, tumour):
        values = tumour.image.array[tumour.mask]
        found = super().extract(tumour)
        found.values[0] = float(values.sum(dtype=values.dtype))
        return found


class WithoutAReason(Extractor):
    def extract(self, tumour):
        return Features(np.array([np.nan, *super().extract(tumour).values[1:]]))


class AnInfiniteFeature(Extractor):
    def extract(self, tumour):
        return Features(np.array([np.inf, *super().extract(tumour).values[1:]]))


class OneValueShort(Extractor):
    def extract(self, tumour):
        return Features(super().extract(tumour).values[:-1])


class BlankingTheImage(Extractor):
    def extract(self, tumour):
        found = super().extract(tumour)
        tumour.image.array[~tumour.mask] = 0
        return found


class NamingTwice(Extractor):
    def names(self, ndim):
        return (*super().names(ndim)[:-1], super().names(ndim)[0])


class RecipeWithAPath(Extractor):
    def recipe(self):
        return {"parameters": Path("a.yaml")}


class CrashingOnOneVoxel(Extractor):
    def extract(self, tumour):
        if tumour.mask.sum() == 1:
            raise ZeroDivisionError("division by zero")
        return super().extract(tumour)


class ForgettingAnOption(Extractor):
    def recipe(self):
        return {key: value for key, value in super().recipe().items() if key != "bins"}


def test_a_sound_extractor_passes():
    testing.check_feature_extractor(Extractor(extractor_config.ExampleConfig()))


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (SayingTheSameOfAll, "same 2D features for two different tumours"),
        (CountingItsCalls, "feature original_firstorder_Mean was"),
        (RememberingTheLastCase, "feature original_firstorder_StandardDeviation was"),
        (HoldingALambda, "cannot be pickled"),
        (OverflowingOnIntegers, "convert images to float64 first"),
        (WithoutAReason, "give a reason for every NaN"),
        (AnInfiniteFeature, "is infinite"),
        (OneValueShort, "for 6 names"),
        (BlankingTheImage, "changed the tumour"),
        (NamingTwice, "names a feature twice"),
        (RecipeWithAPath, "is no JSON"),
        (ForgettingAnOption, r"the option 'bins' changes values and not recipe\(\)"),
        (CrashingOnOneVoxel, "ZeroDivisionError .* for a tumour of one voxel"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_extractor_is_caught(kind, complaint):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_feature_extractor(kind(extractor_config.ExampleConfig()))
