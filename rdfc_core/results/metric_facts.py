"""What reports know of metrics: how they are headed, and which way is better."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from rdfc_core.results.headline import DESCRIBED
from rdfc_core.results.vocabulary import LOWER_IS_BETTER, METRIC_HEADINGS, metric_heading


class MetricFacts(BaseModel):
    """A metric that the study names beside those of every run."""

    model_config = DESCRIBED

    name: str
    """As in `rows`."""
    title: str
    """How tables head it."""
    higher_is_better: bool = True
    """Whether more is better."""
    by: str = ""
    """The component, and the distribution that offers it."""


def heading(metric: str, own: Sequence[MetricFacts]) -> str:
    """``f1_weighted`` → ``Weighted F1``; a study's own metric by its title."""
    return next((one.title for one in own if one.name == metric), metric_heading(metric))


def lower_is_better(metric: str, own: Sequence[MetricFacts]) -> bool:
    """Whether less of it is better."""
    return metric in LOWER_IS_BETTER or any(
        one.name == metric and not one.higher_is_better for one in own
    )


def in_order(metrics: set[str], own: Sequence[MetricFacts]) -> list[str]:
    """The metrics as people are shown them: those of every run, then the study's own as named."""
    known = [*METRIC_HEADINGS, *(one.name for one in own)]
    return [name for name in known if name in metrics] + sorted(metrics - set(known))
