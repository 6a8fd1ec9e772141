"""`check_view` passes a sound component and catches each broken promise."""

import itertools

import numpy as np
import pytest
import torch

from rdfc_core import testing
from rdfc_core.interfaces import Prepared
from rdfc_core.scaffold.templates.view import config as view_config
from rdfc_core.scaffold.templates.view import view as view_example

counter = itertools.count()

View = view_example.Example


class RememberingEarlierCases(View):
    def __init__(self, config):
        super().__init__(config)
        self.seen = []

    def fit(self, prepared):
        self.seen += prepared
        super().fit(self.seen if prepared else prepared)


class FittingOnNothing(View):
    def fit(self, prepared):
        if prepared:
            super().fit(prepared)


class DependingOnTheOrder(View):
    def fit(self, prepared):
        super().fit(prepared)
        self._mean = prepared[0].array


class PreparingByTheFit(View):
    def prepare(self, tumour):
        array = super().prepare(tumour).array
        return Prepared(array - (self._mean if self._mean.size else 0))


class NumberingItsCases(View):
    def prepare(self, tumour):
        return Prepared(super().prepare(tumour).array + next(counter))


class ScalingByTheBatch(View):
    def collate(self, prepared):
        batch = super().collate(prepared)
        return batch - batch.mean(0)


class LeavingNaN(View):
    def collate(self, prepared):
        batch = super().collate(prepared)
        batch[0, 0] = torch.nan
        return batch


class HalfAState(View):
    def load_state(self, state):
        super().load_state({**state, "scale": np.ones_like(state["scale"])})


class StateOfObjects(View):
    def state(self):
        return {"names": np.array(["a", None], dtype=object), **super().state()}


class AugmentingGlobally(View):
    def augment(self, batch, generator):
        return batch + torch.randn(batch.shape)


class AugmentingByNumPy(View):
    def augment(self, batch, generator):
        return batch + torch.from_numpy(np.random.default_rng().normal(size=batch.shape)).float()


class AugmentingInPlace(View):
    def augment(self, batch, generator):
        return batch.add_(1)


class AugmentingToAnotherShape(View):
    def augment(self, batch, generator):
        return batch[:, :-1]


class ClaimingAnotherWidth(View):
    def tower(self):
        tower = super().tower()
        tower.out_features += 1
        return tower


class MiscountingNames(View):
    def prepare(self, tumour):
        return Prepared(super().prepare(tumour).array, ("one",))


class RefusingItsOwnKind(View):
    def accepts(self, ndim):
        return False


class ForgettingAnOption(View):
    def recipe(self):
        return {"name": "forgetful", "version": 1}


def test_a_sound_view_passes_on_pictures_and_volumes():
    testing.check_view(View(view_config.ExampleConfig()))
    testing.check_view(View(view_config.ExampleConfig()), ndim=3)


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (RememberingEarlierCases, "remembers earlier cases in 'mean'"),
        (FittingOnNothing, r"fit\(\[\]\) raised nothing"),
        (DependingOnTheOrder, "learnt another 'mean' from the same cases in another order"),
        (PreparingByTheFit, "another result once the view is fitted"),
        (NumberingItsCases, "another result after other cases"),
        (ScalingByTheBatch, "another row alone than among others"),
        (LeavingNaN, "left NaN or infinite values"),
        (HalfAState, "a new view with the same state collates differently"),
        (StateOfObjects, "is of type object"),
        (AugmentingGlobally, "torch's global generator"),
        (AugmentingByNumPy, "another result for the same generator"),
        (AugmentingInPlace, "changed the batch"),
        (AugmentingToAnotherShape, r"made \(8, 15\)"),
        (ClaimingAnotherWidth, "has out_features 33 and gave"),
        (RefusingItsOwnKind, r"accepts\(2\) has to be true"),
        (ForgettingAnOption, r"the option 'quantiles' changes values and not recipe\(\)"),
        (MiscountingNames, "1 different names"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_view_is_caught(kind, complaint):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_view(kind(view_config.ExampleConfig()))
