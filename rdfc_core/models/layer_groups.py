"""Groups of layers by name: which keep their weights, which begin afresh, how fast each learns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import nn

from rdfc_core.config.supervised_settings import Tuning
from rdfc_core.errors import StudyError, did_you_mean
from rdfc_core.interfaces import Tower

HEAD = "head"
LAST = re.compile(r"last(?:-([1-9][0-9]*))?")

Group = tuple[str, str]
"""A view's name and the name of one of its tower's groups."""


@dataclass(frozen=True)
class Plan:
    """A setting of fine-tuning, resolved for the towers of a study.

    Args:
        freeze: Groups that keep their weights, and their batch statistics.
        reinit: Groups that begin with fresh weights.
        scale: Factors on the learning rate; 1 for groups that are not in it.
        head: The factor for everything that is no tower's.
        probed: Whether the head begins with the weights of the linear probe.
    """

    freeze: frozenset[Group] = frozenset()
    reinit: frozenset[Group] = frozenset()
    scale: Mapping[Group, float] = field(default_factory=dict)
    head: float = 1.0
    probed: bool = False


def plan(tuning: Tuning, towers: Mapping[str, Tower]) -> Plan:
    """What a setting means for these towers.

    ``paper``: the last group of each image tower and the last two of every other begin with fresh
    weights; ``paper-frozen``: they keep the pretrained ones; ``all``: every layer goes on
    learning; ``lp-ft``: the same, its head begun with the linear probe; ``frozen``: no layer of a
    tower does.

    Raises:
        StudyError: If there is no such group, or one is to be kept and to begin afresh.

    Source: Zhao & Yang 2021, Sect. 3.4; how its sentence is read, docs/decisions.md says. lp-ft:
    Kumar et al. 2022, "Fine-tuning can distort pretrained features".
    """
    last = {
        (view, group)
        for view, tower in towers.items()
        for group in list(tower.layer_groups())[-1 if tower.picture_shape else -2 :]
    }
    everything = {(view, group) for view, tower in towers.items() for group in tower.layer_groups()}
    if tuning.name == "paper":
        return Plan(reinit=frozenset(last))
    if tuning.name == "paper-frozen":
        return Plan(freeze=frozenset(last))
    if tuning.name == "frozen":
        return Plan(freeze=frozenset(everything))
    if tuning.name == "lp-ft":
        return Plan(probed=True)
    freeze, reinit = (_members(names, towers, tuning) for names in (tuning.freeze, tuning.reinit))
    if both := freeze & reinit:
        view, group = min(both)
        raise StudyError(
            f"{_where(tuning)}: {view}.{group} can not both keep its weights and begin afresh. "
            "Take it out of freeze or of reinit."
        )
    scale: dict[Group, float] = {}
    for name, factor in tuning.lr_scale.items():
        if name != HEAD:
            scale |= dict.fromkeys(_members([name], towers, tuning), factor)
    return Plan(freeze, reinit, scale, tuning.lr_scale.get(HEAD, 1.0), tuning.head_init == "probe")


def _members(names: Sequence[str], towers: Mapping[str, Tower], tuning: Tuning) -> frozenset[Group]:
    return frozenset(group for name in names for group in _group(name, towers, tuning))


def _group(name: str, towers: Mapping[str, Tower], tuning: Tuning) -> list[Group]:
    view, dot, wanted = name.partition(".")
    groups = list(towers[view].layer_groups()) if view in towers else []
    if groups and not dot:
        return [(view, group) for group in groups]
    if wanted in groups:
        return [(view, wanted)]
    if (counted := LAST.fullmatch(wanted)) and int(counted[1] or 1) <= len(groups):
        return [(view, group) for group in groups[-int(counted[1] or 1) :]]
    if name == HEAD:
        raise StudyError(
            f"{_where(tuning)}: {HEAD!r} is no group of a tower: it always learns. Name it in "
            "lr_scale, and say by head_init: probe where it is not to begin with fresh weights."
        )
    known = [f"{v}.{group}" for v, tower in towers.items() for group in tower.layer_groups()]
    raise StudyError(
        f"{_where(tuning)}: there is no group {name!r}.{did_you_mean(name, known)} "
        f"Known here: {', '.join([*known, HEAD])}; VIEW.last-2 means a view's last two, VIEW all."
    )


def _where(tuning: Tuning) -> str:
    return f"evaluate.supervised, setting {tuning.name!r}"


def modules(towers: Mapping[str, Tower], groups: frozenset[Group]) -> list[nn.Module]:
    """The layers of the groups."""
    return [
        module
        for view, tower in towers.items()
        for group, members in tower.layer_groups().items()
        if (view, group) in groups
        for module in members
    ]
