"""The checks of optimisers and schedules pass sound components and catch each broken promise."""

import itertools

import pytest
import torch

from rdfc_core import testing
from rdfc_core.interfaces import Optimizer
from rdfc_core.plugin.registry import installed
from rdfc_core.scaffold.templates.optimizer import config as optimizer_config
from rdfc_core.scaffold.templates.optimizer.optimizer import Example as Lion
from rdfc_core.scaffold.templates.schedule import config as schedule_config
from rdfc_core.scaffold.templates.schedule.schedule import Example as Line


def made_by(class_, **options):
    def build(self, groups, learning_rate):
        return class_([dict(group) for group in groups], lr=learning_rate, **options)

    return build


class JoiningGroups(Lion):
    def build(self, groups, learning_rate):
        everything = [one for group in groups for one in group["params"]]
        return torch.optim.SGD(everything, lr=learning_rate)


class OneRateForAll(Lion):
    def build(self, groups, learning_rate):
        return torch.optim.SGD([{"params": group["params"]} for group in groups], lr=learning_rate)


class GivingTheClass(Lion):
    def build(self, groups, learning_rate):
        return torch.optim.SGD


class WithClosure(Lion):
    class Closed(torch.optim.SGD):
        def step(self, closure):
            super().step(closure)

    build = made_by(Closed)


class Upwards(Lion):
    build = made_by(torch.optim.SGD, maximize=True)


class AtItsOwnRate(Lion):
    class Stubborn(torch.optim.SGD):
        @torch.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for weight in group["params"]:
                    weight.sub_(0.01 * weight.grad)

    build = made_by(Stubborn)


class Forgetful(Lion):
    class Counting(torch.optim.SGD):
        steps = 0

        def step(self, closure=None):
            self.steps += 1
            for group in self.param_groups:
                group["lr"] /= self.steps
            super().step()

    build = made_by(Counting)


class FreezingTheSecond(Lion):
    class Half(torch.optim.SGD):
        def step(self, closure=None):
            for weight in self.param_groups[1]["params"]:
                weight.grad = None
            super().step()

    build = made_by(Half)


class RememberingFunctions(Lion):
    def build(self, groups, learning_rate):
        made = torch.optim.SGD([dict(group) for group in groups], lr=learning_rate)
        made.param_groups[0]["course"] = {1, 2}
        return made


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_core_s_own_optimisers_pass(name):
    component = installed().get("optimizer", name)
    testing.check_optimizer(component.build(component.load_config()()))


@pytest.mark.parametrize("name", ["constant", "cosine", "one-cycle", "step"])
def test_core_s_own_schedules_pass(name):
    component = installed().get("schedule", name)
    testing.check_schedule(component.build(component.load_config()()))


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (JoiningGroups, r"optimiser of \[4\] parameters for groups of \[2, 2\]"),
        (OneRateForAll, r"learning rates \[0.05, 0.05\] instead of \[0.05, 0.01\]"),
        (GivingTheClass, "gave type; give a torch.optim.Optimizer"),
        (WithClosure, "cannot be called without a closure"),
        (Upwards, "step against the gradient"),
        (AtItsOwnRate, "moves weights where the learning rate is 0"),
        (Forgetful, "an optimiser with the same state_dict takes another step"),
        (FreezingTheSecond, "some weights are where they were"),
        (RememberingFunctions, "a checkpoint holds no set"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_optimiser_is_caught(kind, complaint):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_optimizer(kind(optimizer_config.ExampleConfig()))


class Percent(Line):
    def factor(self, step, steps):
        return 100 * super().factor(step, steps)


class Off(Line):
    def factor(self, step, steps):
        return 0.0


class Dividing(Line):
    def factor(self, step, steps):
        return float("nan") if steps == 1 else 1 - step / (steps - 1)


class Counting(Line):
    calls = itertools.count()

    def factor(self, step, steps):
        return 1 / (1 + next(self.calls))


class Drawing(Line):
    def factor(self, step, steps):
        return float(torch.rand(()))


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (Percent, r"factor\(0, 1\) gave 100.0; give a number from 0 to 1"),
        (Off, "is 0 at each of 1 steps"),
        (Dividing, "gave nan"),
        (Counting, "gave other factors when it was asked again"),
        (Drawing, "draws from torch's global generator"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_schedule_is_caught(kind, complaint):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_schedule(kind(schedule_config.ExampleConfig()))


def test_something_else_is_no_optimiser():
    with pytest.raises(AssertionError, match="is no Optimizer: derive it from"):
        testing.check_optimizer(Line(schedule_config.ExampleConfig()))
    assert issubclass(Lion, Optimizer)
