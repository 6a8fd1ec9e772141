"""The networks that a study judges beside its own: other pretexts, other starts, no correspondence.

Each is a study of its own that differs from the study in one thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.errors import StudyError
from rdfc_core.evaluation.evaluated_model import method_name
from rdfc_core.interfaces import View
from rdfc_core.models.model import Model
from rdfc_core.models.model import fresh as fresh_model
from rdfc_core.plugin.registry import Registry
from rdfc_core.results.vocabulary import SHUFFLED_CORRESPONDENCE, START
from rdfc_core.training.convergence import Convergence


@dataclass(frozen=True)
class ComparedNetwork:
    """One network beside the study's own.

    Args:
        name: How tables call its probe; its fine-tuned network is ``NAME-finetune``.
        study: The study with one thing changed.
        trained: Whether its pretext is trained; otherwise it is judged as it begins.
        shuffled: Whether the views of different cases are shown together in training.
        restarted: The views whose encoder begins elsewhere than the study's.
    """

    name: str
    study: ResolvedStudy
    trained: bool = True
    shuffled: bool = False
    restarted: tuple[str, ...] = ()

    def views(self, views: Mapping[str, View], registry: Registry) -> dict[str, View]:
        """The study's fitted views; those of another start are built and take over what is fitted.

        Args:
            views: View name → the study's view, fitted.
            registry: Where components come from.
        """
        own = dict(views)
        for name in self.restarted:
            own[name] = self.study.views[name].build(registry)
            own[name].load_state(views[name].state())
        return own

    def settings(self, own: Convergence) -> PretrainSettings:
        """How it is trained, given how far the study's own pretext went.

        Shuffled pairs teach nothing that held-back cases could show: patience would end their
        training early. They get the steps that the study's own pretext took.
        """
        settings = self.study.pretrain
        if not self.shuffled:
            return settings
        changed: dict[str, Any] = {"epochs": own.epochs, "steps": None, "patience": None}
        if own.decay_from is not None:
            changed["decay_share"] = (own.epochs - own.decay_from) / own.epochs
        return settings.model_copy(update=changed)


def compared_networks(study: ResolvedStudy) -> list[ComparedNetwork]:
    """What the study asks for, in the order of its tables."""
    found = [
        ComparedNetwork(name, replace(study, pretext=pretext))
        for name, pretext in study.compare.items()
    ]
    for name, views in study.starts.items():
        changed = tuple(key for key, part in views.items() if part != study.views[key])
        other = replace(study, views=views)
        found.append(ComparedNetwork(f"{START}{name}", other, trained=False, restarted=changed))
        if changed:  # the study itself begins there otherwise
            found.append(
                ComparedNetwork(f"{method_name(study)}-from-{name}", other, restarted=changed)
            )
    if SHUFFLED_CORRESPONDENCE in study.evaluate.controls:
        found.append(ComparedNetwork(SHUFFLED_CORRESPONDENCE, study, shuffled=True))
    return found


def built(
    study: ResolvedStudy, views: Mapping[str, View], cases: int, registry: Registry
) -> dict[str, Model]:
    """Name → the untrained model of each, for fitted views.

    Raises:
        StudyError: If a network cannot be built, or there is no correspondence to shuffle.
    """
    found = {}
    for network in compared_networks(study):
        own = network.views(views, registry)
        found[network.name] = fresh_model(network.study, registry, own, cases, study.seed)
        if network.shuffled and len(found[network.name].pretext.encoders()) < 2:
            raise StudyError(
                f"evaluate.controls: {SHUFFLED_CORRESPONDENCE} shows views of different cases "
                "together, and the pretext "
                f"{study.pretext.name} trains one view. Leave the control out."
            )
    return found
