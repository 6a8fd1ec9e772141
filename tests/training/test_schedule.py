"""Learning rates follow their schedule, step by step."""

from __future__ import annotations

import pytest

from rdfc_core.config.supervised_settings import SupervisedSettings
from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.training.schedule import one_cycle, pretrain_factor, schedule_for


def test_one_cycle_rises_for_a_tenth_and_falls_to_zero():
    course = [one_cycle(step, 200) for step in range(201)]
    assert course[0] == pytest.approx(1 / 25)
    assert course[20] == 1
    assert course[:21] == sorted(course[:21])
    assert course[20:] == sorted(course[20:], reverse=True)
    assert course[110] == pytest.approx(0.5)  # half way down
    assert course[200] == pytest.approx(0, abs=1e-12)


def test_one_cycle_of_a_single_step_is_no_step_of_zero():
    assert one_cycle(0, 1) == pytest.approx(1 / 25)


def factors(steps, epoch_steps, epochs, decay=None, **settings):
    return [
        pretrain_factor(PretrainSettings(**settings), step, epoch_steps, epochs, decay)
        for step in range(steps)
    ]


def test_the_longer_warm_up_counts():
    assert factors(4, 2, 9, warmup_steps=4) == [0.25, 0.5, 0.75, 1.0]
    assert factors(4, 2, 9, warmup_steps=1, warmup_epochs=2) == [0.25, 0.5, 0.75, 1.0]


def test_cosine_ends_at_zero_and_is_half_in_the_middle():
    found = factors(101, 10, 10, schedule="cosine")
    assert found[0] == 1
    assert found[50] == pytest.approx(0.5)
    assert found[100] == pytest.approx(0, abs=1e-12)


def test_stable_steps_do_not_depend_on_the_budget():
    short, long = (
        factors(60, 10, epochs, schedule="warmup-stable-decay", warmup_steps=5)
        for epochs in (8, 800)
    )
    assert short == long
    falling = factors(80, 10, 8, range(60, 80), schedule="warmup-stable-decay")
    assert falling[:61] == [1.0] * 61
    assert falling[70] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("schedule", "expected"), [("constant", [1, 1, 1, 1]), ("step", [1, 1, 1, 0.1])]
)
def test_with_labels_the_rate_falls_where_it_is_said(schedule, expected):
    course = schedule_for(SupervisedSettings(schedule=schedule, lr_milestone=0.7))
    assert [course.factor(step, 4) for step in range(4)] == expected
