"""Towers that no gradient reaches, and teachers that nothing moves, are told after an epoch."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import pytest
import torch

from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.contract.tasks import require_encoders
from rdfc_core.errors import ContractError
from rdfc_core.interfaces import Batch, Pretext, PretextOutput, Tower
from rdfc_core.training import pretrain
from rdfc_core.training.metrics_log import PretrainPaths
from rdfc_core.training.state import Task
from tests.support.small_parts import GreyTower, GreyView, GreyViewConfig


class Pair(Pretext):
    """Two towers of the same cases; what may go wrong is asked for."""

    def __init__(self, detach: bool = False, teacher: str = "none") -> None:
        super().__init__()
        self.detach, self.kind = detach, teacher

    def build(self, towers: Mapping[str, Tower], cases: int, generator: torch.Generator) -> None:
        self.towers = torch.nn.ModuleDict(towers)
        if self.kind != "none":
            own = self.towers["b"]
            self.teacher = own if self.kind == "student" else copy.deepcopy(own)

    def forward(self, batch: Batch) -> PretextOutput:
        a, b = (self.towers[name](batch.draw(name)) for name in "ab")
        return PretextOutput((a - (b.detach() if self.detach else b)).square().mean())

    def after_step(self, indices, embeddings) -> None:
        if self.kind == "following":
            pairs = zip(self.teacher.parameters(), self.towers["b"].parameters(), strict=True)
            for slow, fast in pairs:
                slow.data.lerp_(fast.data, 0.01)

    def encoders(self) -> Mapping[str, Tower]:
        return dict(self.towers)

    def further_towers(self) -> Sequence[Tower]:
        return () if self.kind == "none" else (self.teacher,)


def trained(pretext: Pair, folder, **settings) -> None:
    torch.manual_seed(0)
    pretext.build({name: GreyTower(16) for name in "ab"}, 20, torch.Generator())
    views = {name: GreyView(GreyViewConfig()) for name in "ab"}
    cases = {name: torch.rand(20, 16) for name in "ab"}
    chosen = PretrainSettings(**{"epochs": 2, "batch_size": 10, **settings})
    pretrain.fit(Task(pretext, views, cases, chosen, 0), PretrainPaths(folder, "s"))


def test_a_tower_that_no_gradient_reaches_is_named_once(tmp_path, caplog):
    trained(Pair(detach=True), tmp_path)
    [told] = [record.getMessage() for record in caplog.records]
    assert told.startswith("The tower of view b did not change in epoch 1: no gradient reaches it.")


@pytest.mark.parametrize("pretext", [Pair(), Pair(teacher="following")])
def test_towers_that_learn_and_a_teacher_that_follows_are_not_told(pretext, tmp_path, caplog):
    trained(pretext, tmp_path)
    assert caplog.text == ""


def test_a_teacher_that_stays_as_it_began_is_told(tmp_path, caplog):
    trained(Pair(teacher="forgotten"), tmp_path)
    assert "None of the further towers of the task Pair changed in epoch 1." in caplog.text


def test_an_epoch_at_a_learning_rate_of_zero_says_nothing(tmp_path, caplog):
    # One step an epoch, and the first step of a warm-up has the rate 0.
    trained(Pair(), tmp_path, batch_size=20, warmup_epochs=1, epochs=3)
    assert "did not change" not in caplog.text


def test_a_teacher_that_is_its_own_student_is_refused():
    pretext = Pair(teacher="student")
    pretext.build({name: GreyTower(16) for name in "ab"}, 20, torch.Generator())
    with pytest.raises(ContractError, match="a teacher would be its own student"):
        require_encoders(pretext, "ab")
