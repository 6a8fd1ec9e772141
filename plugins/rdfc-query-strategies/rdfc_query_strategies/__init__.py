"""rdfc-query-strategies: which cases to label next."""

from collections.abc import Sequence
from typing import Literal

from rdfc_core import Component, hookimpl

rdfc_interface = 1

COLD, DOUBTFUL, CONFIG = (
    f"rdfc_query_strategies.{module}" for module in ("cold", "doubtful", "config")
)
NEEDS = {"skactiveml": "it needs scikit-activeml, which is not installed here"}


@hookimpl
def rdfc_components() -> Sequence[Component]:
    """Strategies that need no label, and strategies that ask a model."""
    kind: Literal["query_strategy"] = "query_strategy"
    return [
        Component(
            kind,
            "auto",
            "What rdfc suggest takes by default",
            f"{DOUBTFUL}:Auto",
            requires=NEEDS,
        ),
        Component(
            kind,
            "typiclust",
            "The most typical case of each group of similar cases without a label",
            f"{COLD}:TypiClust",
            f"{CONFIG}:TypiClustConfig",
            NEEDS,
        ),
        Component(
            kind,
            "probcover",
            "Cases close to many others that no labelled case is close to",
            f"{COLD}:ProbCover",
            f"{CONFIG}:ProbCoverConfig",
            NEEDS,
        ),
        Component(
            kind,
            "coreset",
            "Cases far from everything that is labelled",
            f"{COLD}:CoreSet",
            requires=NEEDS,
        ),
        Component(
            kind,
            "maxherding",
            "Cases that stand for most of what no label stands for yet",
            f"{COLD}:MaxHerding",
            f"{CONFIG}:MaxHerdingConfig",
            NEEDS,
        ),
        Component(
            kind,
            "margin",
            "Cases whose two likeliest classes are closest",
            f"{DOUBTFUL}:Margin",
            requires=NEEDS,
        ),
        Component(
            kind,
            "badge",
            "Cases that would change the model most, and in different ways",
            f"{DOUBTFUL}:Badge",
            requires=NEEDS,
        ),
        Component(
            kind,
            "typiclust-uncertain",
            "TypiClust among the cases that the model doubts most",
            f"{DOUBTFUL}:UncertainTypiClust",
            f"{CONFIG}:UncertainTypiClustConfig",
            NEEDS,
        ),
    ]
