"""How the model was chosen that predicts: every candidate on the inner folds, split by split."""

from __future__ import annotations

from dataclasses import dataclass

from rdfc_core.report import text
from rdfc_core.report.run_data import RunData
from rdfc_core.results.schema import Ranked, Selection
from rdfc_core.results.vocabulary import ENSEMBLE


@dataclass(frozen=True)
class Choice:
    """One choice.

    Args:
        where: The split, and which share and draw of its labels.
        labelled: How many cases had a label.
        chosen: The model, with the members of an ensemble.
        reason: Why this one.
        ranking: Candidate and its loss, the best first.
    """

    where: str
    labelled: str
    chosen: str
    reason: str
    ranking: tuple[str, ...]


def choices(run: RunData) -> tuple[Choice, ...]:
    """Every choice of the run, those of all labels first."""
    found = run.results.selections if run.results else ()
    ordered = sorted(found, key=lambda one: (-one.label_fraction, one.split, one.repeat))
    return tuple(_choice(one, len({s.repeat for s in found}) > 1) for one in ordered)


def _choice(one: Selection, draws: bool) -> Choice:
    where = f"{one.split}, {text.percent(one.label_fraction)} of the labels"
    if draws:
        where += f", draw {one.repeat + 1}"
    members = f" of {text.listed(list(one.members))}" if one.chosen == ENSEMBLE else ""
    return Choice(
        where,
        text.count(one.labelled_cases, "case"),
        one.chosen + members,
        one.reason,
        tuple(map(_ranked, one.ranking)),
    )


def _ranked(one: Ranked) -> str:
    tuning = f" ({one.tuning})" if one.tuning else ""
    behind = f", {one.behind:.3f} ± {one.standard_error:.3f} more" if one.behind > 0 else ""
    loss = one.log_loss if one.log_loss is not None else one.absolute_error
    return f"{one.candidate}{tuning} {text.number(loss)}{behind}"
