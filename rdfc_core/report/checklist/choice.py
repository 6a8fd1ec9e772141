"""How often the test part was evaluated, and what the model was chosen by."""

from __future__ import annotations

from rdfc_core.report.checklist.answer import (
    ItemAnswer,
    Proof,
    met,
    not_met,
    partly,
)
from rdfc_core.report.checklist.evidence import Evidence
from rdfc_core.report.checklist.partition import contents_of
from rdfc_core.results import files
from rdfc_core.results.case_set import CaseSet


def seen_once(run: Evidence) -> ItemAnswer:
    """How often this folder's test part was evaluated, as far as the folder knows."""
    told = run.evaluations
    if not told:
        return partly(
            "How often the test part was evaluated is not recorded: an older rdfc wrote the run.",
            Proof(files.EVALUATIONS, "lines", "0"),
        )
    contents = contents_of(run)
    ids = {split: [one.case_id for one in run.part(split, "test")] for split in run.splits}
    now = {split: CaseSet.of(own, contents).model_dump() for split, own in ids.items()}
    same = [line for line in told if line.get("test") == now]
    overlapping = [line for line in told if line.get("test") != now]
    proof = Proof(files.EVALUATIONS, "evaluations of these test cases", str(len(same)))
    if not same:
        return not_met(
            "The cases that were evaluated are not those of the test part in cases.csv.", proof
        )
    if len(same) > 1 or overlapping:
        return partly(
            f"In this folder test parts were evaluated {len(told)} times, {len(same)} times this "
            "one: whoever chose between these results has chosen by the test part. Report it.",
            proof,
        )
    return met(
        "In this folder the test part was evaluated once. Runs on the same cases in other folders "
        "are not known to it: whether there were any is for the authors to say.",
        proof,
    )


def chosen_inside(run: Evidence) -> ItemAnswer:
    """The model that predicts was named beforehand, or chosen by training cases alone."""
    selections = [one for one in run.results.selections if one.label_fraction == 1]
    if not selections:
        named = run.recorded(files.RESULTS, "run.main")
        if not named:
            return not_met("The run records no choice of a model, nor one named beforehand.")
        told = ", ".join(f"{key} {value}" for key, value in named.items())
        return met(
            "Nothing was chosen: the model was named before any result was seen.",
            Proof(files.RESULTS, "run.main", told),
        )
    sizes = {split: len(run.part(split, "train")) for split in run.splits}
    seen = sum(one.test_cases_seen for one in selections)
    proofs = [
        Proof(files.RESULTS, f"selections[{one.split}].labelled_cases", str(one.labelled_cases))
        for one in selections
    ]
    proofs.append(Proof(files.RESULTS, "selections[].test_cases_seen", str(seen)))
    larger = [one for one in selections if one.labelled_cases != sizes.get(one.split)]
    if seen or larger:
        odd = larger[0] if larger else selections[0]
        return not_met(
            f"In {odd.split}, the model was chosen by {odd.labelled_cases} labelled cases and "
            f"{odd.test_cases_seen} of the test part, where {sizes.get(odd.split)} cases train.",
            *proofs,
        )
    unchosen = [one for one in selections if not one.folds]
    if unchosen:
        return partly(
            f"In {len(unchosen)} of {len(selections)} splits nothing could be held back to choose "
            "by, and the default was taken, uncalibrated.",
            *proofs,
        )
    first = selections[0]
    return met(
        f"The model was chosen on {first.folds} inner folds of the training cases, from "
        f"{len(first.ranking)} candidates ({first.reason.rstrip('.')}).",
        *proofs,
    )
