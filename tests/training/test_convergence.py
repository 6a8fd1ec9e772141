"""The budget of a pretraining counts steps, and measurements end it."""

from __future__ import annotations

import pytest

from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.training.convergence import Convergence

STABLE = {"schedule": "warmup-stable-decay", "decay_share": 0.25, "check_steps": 10}


def course(measures, epoch_steps=10, **settings):
    """A training that measures these values, one a check, and goes on until its end."""
    convergence = Convergence(PretrainSettings(**{**STABLE, **settings}), epoch_steps)
    epoch = 0
    values = iter(measures)
    while epoch < convergence.epochs:
        epoch += 1
        if convergence.due(epoch):
            convergence.look(epoch, next(values, measures[-1]))
        convergence.turn(epoch)
    return convergence


@pytest.mark.parametrize(
    ("steps", "epochs", "expected"),
    [(100, 1000, 10), (101, 1000, 11), (100, 3, 3), (None, 7, 7), (1, 1000, 1)],
)
def test_the_smaller_budget_counts(steps, epochs, expected):
    settings = PretrainSettings(steps=steps, epochs=epochs)
    assert Convergence(settings, epoch_steps=10).budget == expected


def test_the_learning_rate_falls_once_patience_runs_out():
    falling = [10.0 / k for k in range(1, 7)]
    convergence = course([*falling, falling[-1]], epochs=1000, patience=3)
    assert convergence.decay_from == 6 + 3
    assert convergence.epochs == 9 + 3  # a quarter of all
    assert convergence.decay == range(90, 120)
    assert convergence.converged


def test_progress_is_half_a_hundredth_of_the_first_measurement():
    barely = [1 - 0.002 * k for k in range(100)]
    # Every third measurement is so much below the best before it.
    assert course(barely, epochs=100, patience=3).decay_from == 75
    assert course(barely, epochs=100, patience=2).decay_from == 3


def test_a_loss_on_its_way_to_nothing_is_learnt_at_some_time():
    assert course([8.0 * 0.8**k for k in range(200)], epochs=200, patience=4).converged


def test_a_budget_that_ends_first_leaves_it_unconverged():
    convergence = course([10.0 - k / 9 for k in range(60)], epochs=40, patience=3)
    assert (convergence.decay_from, convergence.epochs) == (30, 40)
    assert not convergence.converged


@pytest.mark.parametrize("epochs", range(1, 30))
def test_a_budget_is_used_to_its_end(epochs):
    convergence = course([10.0 / k for k in range(1, 60)], epochs=epochs, decay_share=0.3)
    assert convergence.epochs == epochs
    assert 1 <= convergence.decay_from <= epochs


def test_a_larger_budget_goes_on_from_the_stable_part():
    ended = course([10.0 - k / 9 for k in range(60)], epochs=40, patience=3).state()
    larger = Convergence(PretrainSettings(**STABLE, epochs=80, patience=3), 10)
    assert larger.outgrows(ended)
    same = Convergence(PretrainSettings(**STABLE, epochs=40, patience=3), 10)
    assert not same.outgrows(ended)


def test_a_larger_budget_changes_nothing_where_patience_ran_out():
    ended = course([5.0, 4.0, 4.0, 4.0], epochs=100, patience=2).state()
    assert not Convergence(PretrainSettings(**STABLE, epochs=500, patience=2), 10).outgrows(ended)
    assert Convergence(PretrainSettings(**STABLE, epochs=500, patience=9), 10).outgrows(ended)


def test_the_state_holds_all_that_the_rest_depends_on():
    whole = course([10.0 / k for k in range(1, 8)] + [1.4] * 9, epochs=100, patience=3)
    again = Convergence(whole.settings, whole.epoch_steps)
    again.load(whole.state())
    assert (again.history, again.decay, again.converged) == (
        whole.history,
        whole.decay,
        whole.converged,
    )


@pytest.mark.parametrize(("late", "converged"), [(1.0, True), (0.99, True), (0.8, False)])
def test_without_patience_the_last_fifth_of_the_budget_tells(late, converged):
    values = [1.0] * 8 + [late] * 2
    convergence = course(values, epochs=10, schedule="constant")
    assert convergence.converged is converged


@pytest.mark.parametrize(
    ("every", "steps", "expected"),
    [
        (1, 1, [1, 2, 3, 4, 5, 6, 7]),
        (2, 1, [2, 4, 6, 7]),
        (1, 20, [2, 4, 6, 7]),
        (2, 25, [3, 6, 7]),
        (4, 25, [4, 7]),
    ],
)
def test_checkpoints_are_so_many_epochs_and_steps_apart_and_at_the_end(every, steps, expected):
    settings = PretrainSettings(checkpoint_every=every, checkpoint_steps=steps, epochs=7)
    convergence = Convergence(settings, epoch_steps=10)
    assert [epoch for epoch in range(1, 8) if convergence.keeps(epoch)] == expected


def test_measurements_come_every_so_many_steps_and_at_the_end():
    convergence = Convergence(PretrainSettings(check_steps=25, epochs=7), epoch_steps=10)
    assert [epoch for epoch in range(1, 8) if convergence.due(epoch)] == [3, 5, 7]
