"""From how many features to how many numbers, and which of them were removed."""

from __future__ import annotations

from rdfc_core.report.checklist.answer import (
    ItemAnswer,
    Proof,
    met,
    not_applicable,
    not_met,
    partly,
)
from rdfc_core.report.checklist.evidence import Evidence
from rdfc_core.report.checklist.measured_views import measured, views_of
from rdfc_core.results import files
from rdfc_core.results.vocabulary import RADIOMICS

PER_FEATURE = 10
"""Training cases a number that a model weighs, below which they are few: a rule of thumb."""


def reduction(run: Evidence) -> ItemAnswer:
    """From how many features to how many numbers that the model weighs."""
    widths = _inputs(run)
    if not widths:
        return not_met("No model is saved, so that the number of its inputs is not recorded.")
    proofs = [measured_proof(run), *(proof for _, _, proof in widths)]
    shown = [proof for proof in proofs if proof]
    return partly(
        "How many features were measured, and how many numbers each model weighs, is recorded. "
        "What reduces them (the networks' width, a penalty, a selection) is for the authors to "
        "describe.",
        *shown,
    )


def dimensionality(run: Evidence) -> ItemAnswer:
    """Whether there are ten training cases for every number that the model weighs."""
    if not views_of(run):
        return not_applicable("The study measures no handcrafted features: it has no table.")
    widths = _inputs(run)
    if not widths:
        return not_met("No model is saved, so that the number of its inputs is not recorded.")
    proofs = [proof for _, _, proof in widths]
    cases = {split: len(run.part(split, "train")) for split in run.splits}
    proofs += [Proof(files.CASES, f"column {s}: train", str(n)) for s, n in cases.items()]
    many = [
        (split, width)
        for split, width, _ in widths
        if width is not None and width * PER_FEATURE > cases.get(split, 0)
    ]
    if many:
        split, width = many[0]
        return not_met(
            f"In {split}, the model weighs {width} numbers and has {cases.get(split, 0)} training "
            f"cases: fewer than {PER_FEATURE} a number. A penalty holds the weights small; whether "
            "that suffices is for the authors to argue.",
            *proofs,
        )
    if any(width is None for _, width, _ in widths):
        return partly(
            "A network that labels train is part of the model: no rule of thumb holds for it.",
            *proofs,
        )
    return met(f"At least {PER_FEATURE} training cases for each number it weighs.", *proofs)


def redundancy(run: Evidence) -> ItemAnswer:
    """Whether features that repeat others were removed from the model that predicts."""
    if not views_of(run):
        return not_applicable("The study measures no handcrafted features: it has no table.")
    widths = _inputs(run)
    proofs = [p for p in (measured_proof(run), *(proof for _, _, proof in widths)) if p]
    chosen = {name for model in run.models.values() for name in model.chosen}
    if chosen == {RADIOMICS}:
        return partly(
            "Features were ranked and selected by an L1 penalty, on training cases alone; "
            "correlations between those that are left were not looked at.",
            *proofs,
        )
    return not_met(
        "In this run no step removed features that repeat others: the model that predicts takes "
        "all of them, through networks or a penalty.",
        *proofs,
    )


def robustness(run: Evidence) -> ItemAnswer:
    """Whether features that measure unreliably were removed."""
    if not views_of(run):
        return not_applicable("The study measures no handcrafted features: it has no table.")
    kept = run.folder / files.STABILITY
    if kept.is_file():
        return partly(
            "Features that do not measure alike were removed. How far this covers other outlines "
            "and scanners is for the authors.",
            Proof(files.STABILITY, "the file", "there"),
        )
    return not_met(
        "In this run no feature was removed for being unreliable: all that were measured are used. "
        "If the parameters name robust features alone, the authors can say how these were found.",
        *(p for p in [measured_proof(run)] if p),
    )


def _inputs(run: Evidence) -> list[tuple[str, int | None, Proof]]:
    """Split, how many numbers each candidate that predicts weighs, and what shows it."""
    found = []
    for split, model in run.models.items():
        for name in model.chosen:
            width = model.inputs(name)
            figure = "a network trained with labels" if width is None else f"{width} numbers"
            found.append((split, width, Proof(model.weights, f"inputs of {name}", figure)))
    return found


def measured_proof(run: Evidence) -> Proof | None:
    """How many features were measured; None where none is recorded."""
    views = measured(run)
    if not views:
        return None
    told = ", ".join(f"{len(one.names)} of {one.view}" for one in views)
    return Proof(views[0].model.description, "made_by.features", told)
