"""How methods learn and answer: from rows of labelled cases to probabilities of any rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rdfc_core.errors import StudyError
from rdfc_core.evaluation import evaluators, feature_blocks, saved_members
from rdfc_core.evaluation.classifiers import linear_model
from rdfc_core.evaluation.linear_probe import main_classifier
from rdfc_core.evaluation.network_training import NetworkTraining
from rdfc_core.evaluation.supervised_setup import SupervisedSetup
from rdfc_core.evaluation.trials import Trial
from rdfc_core.evaluation.view_roles import handcrafted
from rdfc_core.interfaces.collated import rows as of_rows
from rdfc_core.models.hybrid import predict
from rdfc_core.models.layer_groups import plan
from rdfc_core.models.members import Member, NetworkMember, of_probe
from rdfc_core.results.vocabulary import (
    BLOCK_METHODS,
    CLASSIFICATION,
    FEATURES,
    PROBE,
    RADIOMICS,
)
from rdfc_core.utils.progress import Advance

Rows = NDArray[np.int64]
"""Places among the cases of a `rdfc_core.evaluation.linear_probe.LabelledSplit`."""


def run_of(rows: Rows) -> Rows | slice:
    """The same rows as a slice where each follows the one before: no copy is taken of a table."""
    if len(rows) and rows[0] >= 0 and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
        return slice(int(rows[0]), int(rows[0]) + len(rows))
    return rows


@dataclass(frozen=True)
class Taught:
    """A method that has learnt: called with rows it gives what it says of them.

    Args:
        say: From rows to probabilities, (n, C), or numbers, (n, 1).
        member: The same method in the form in which it is saved.
    """

    say: Callable[[Rows], NDArray[np.float64]]
    member: Callable[[], Member]

    def __call__(self, asked: Rows) -> NDArray[np.float64]:
        """Class probabilities, (n, C), or numbers, (n, 1)."""
        return self.say(asked)


Learner = Callable[[Rows], Taught]
"""Trains on the rows it is given, and on no other."""


def learner(
    setup: SupervisedSetup, trial: Trial, seed: int, advance: Advance, threads: int = 1
) -> Learner:
    """The trial's method, from rows to what it says.

    Args:
        setup: What it is made of.
        trial: Names it.
        seed: Decides all that is random.
        advance: Told of its progress.
        threads: Of the processor, for a network.
    """
    if trial.method in setup.own.study:
        return _evaluator(setup, trial, seed, advance)
    if trial.method == PROBE:
        return _probe(setup, seed, advance)
    if trial.method == RADIOMICS:
        return _radiomics(setup, seed, advance)
    if trial.method in BLOCK_METHODS:
        return _on_blocks(setup, trial, advance)
    return _network(setup, trial, seed, advance, threads)


def _evaluator(setup: SupervisedSetup, trial: Trial, seed: int, advance: Advance) -> Learner:
    data = setup.data
    evaluator = setup.own.study.evaluators[trial.method]

    def learn(rows: Rows) -> Taught:
        balanced = data.settings.class_weight == "balanced"
        classes = data.classes if data.task.name == CLASSIFICATION else 0
        labels = evaluators.labels_of(data.truth[rows], classes, balanced)
        say = evaluators.learn(evaluator, setup.own.inputs, rows, labels, seed)
        advance(1)
        return Taught(say, _not_saved)

    return learn


def _not_saved() -> Member:
    raise StudyError("Evaluators of plugins are judged and not saved: none can be a candidate.")


def _probe(setup: SupervisedSetup, seed: int, advance: Advance) -> Learner:
    settings = setup.data.settings

    def learn(rows: Rows) -> Taught:
        task = setup.data.task
        probe = task.classifier(main_classifier(settings), settings, seed, FEATURES)
        taught = {name: one[rows] for name, one in setup.learnt.items()}
        probe.fit(taught, setup.data.truth[rows], setup.data.classes)
        advance(1)
        widths = [one.shape[1] for one in taught.values()]
        return Taught(
            lambda asked: probe.predict({n: one[asked] for n, one in setup.learnt.items()}),
            lambda: of_probe(linear_model(probe), widths),
        )

    return learn


def _radiomics(setup: SupervisedSetup, seed: int, advance: Advance) -> Learner:
    settings = setup.data.settings
    patients = np.array([case.patient_id for case in setup.data.cases])

    def learn(rows: Rows) -> Taught:
        method = setup.data.task.radiomics(settings, setup.data.classes, seed)
        method.fit(setup.measured[rows], setup.data.truth[rows], patients[rows].tolist())
        advance(1)
        return Taught(
            lambda asked: method.predict(setup.measured[asked]),
            lambda: saved_members.of_pipeline(
                method, handcrafted(setup.initialisation.views) or "", setup.data.task.name
            ),
        )

    return learn


def _on_blocks(setup: SupervisedSetup, trial: Trial, advance: Advance) -> Learner:
    """Logistic or ridge regression on blocks of features."""
    settings, task = setup.data.settings, setup.data.task
    penalty = settings.penalties[trial.tuning]
    names = setup.blocks_of(trial.method)
    if feature_blocks.IMAGE in names and feature_blocks.IMAGE not in setup.blocks:
        raise StudyError(
            f"evaluate: {trial.method} needs learnt features of the image, and the "
            "pretext trains none. Leave it out of methods and selection.candidates."
        )
    blocks = {name: setup.blocks[name].table for name in names}

    def learn(rows: Rows) -> Taught:
        probe = task.probe(settings, penalty, standardise=False)
        taught = {name: block[run_of(rows)] for name, block in blocks.items()}
        probe.fit(taught, setup.data.truth[rows], setup.data.classes)
        advance(1)
        return Taught(
            lambda asked: probe.predict({n: b[run_of(asked)] for n, b in blocks.items()}),
            lambda: saved_members.of_blocks(probe.model, setup.blocks),
        )

    return learn


def training(setup: SupervisedSetup, trial: Trial, seed: int, rows: Rows) -> NetworkTraining:
    """What trains the network of a trial on some rows; nothing is trained yet."""
    settings = setup.data.settings
    supervised = settings.supervised
    chosen = None
    if trial.tuning:
        towers = {name: view.blank_tower() for name, view in setup.initialisation.views.items()}
        tunings = (supervised.finetune, *supervised.sweep)
        tuning = next(one for one in tunings if one.name == trial.tuning)
        chosen = plan(tuning, towers)
    net = setup.initialisation.network(setup.views_of(trial.method), supervised, seed, chosen)
    return NetworkTraining(
        net,
        setup.initialisation.views,
        {name: of_rows(setup.cases[name], rows) for name in net.views},
        setup.data.truth[rows],
        supervised,
        setup.precision,
        settings.class_weight == "balanced",
        seed,
        chosen,
        setup.data.task.probe(settings) if chosen and chosen.probed else None,
    )


def _network(
    setup: SupervisedSetup, trial: Trial, seed: int, advance: Advance, threads: int
) -> Learner:
    def learn(rows: Rows) -> Taught:
        own = training(setup, trial, seed, rows)
        own.run(threads, advance)
        net = own.network
        return Taught(
            lambda asked: predict(net, {n: of_rows(setup.cases[n], asked) for n in net.views}),
            lambda: NetworkMember(net, setup.initialisation.trained),
        )

    return learn
