"""What was made of the features: missing values, classes, dimensions, trained models."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from rdfc_core.report.checklist.answer import (
    ItemAnswer,
    Proof,
    authors,
    joined,
    met,
    not_applicable,
    not_met,
    partly,
)
from rdfc_core.report.checklist.choice import chosen_inside
from rdfc_core.report.checklist.dimensions import measured_proof
from rdfc_core.report.checklist.evidence import Evidence
from rdfc_core.report.checklist.measured_views import measured, views_of
from rdfc_core.report.checklist.partition import learnt, scaler
from rdfc_core.report.text import count, listed
from rdfc_core.results import files


def missing_data(run: Evidence) -> ItemAnswer:
    """Cases that were left out with their reasons, and what stands for missing features."""
    raw = run.recorded(files.RESULTS, "failed")
    without = [one for one in run.cases if one.failed]
    told = {one.case_id for one in run.results.failed if one.reason}
    if raw is None or {one.case_id for one in without} - told:
        return not_met(
            "Cases that could not be used are not all recorded with a reason.",
            Proof(files.RESULTS, "failed", "missing" if raw is None else f"{len(told)} cases"),
            Proof(files.CASES, "failed", f"{len(without)} cases"),
        )
    proofs = [
        Proof(files.RESULTS, "failed", f"{len(told)} cases, each with its reason"),
        Proof(files.RESULTS, "missing", f"{len(run.results.missing)} features of some cases"),
    ]
    fill = [
        (model, name)
        for model in list(run.models.values())[:1]
        for name in model.names
        if name.startswith("view.") and name.endswith(".median")
    ]
    for model, name in fill:
        finite = bool(np.isfinite(model.array(name)).all())
        proofs.append(
            Proof(model.weights, name, "a finite number a feature" if finite else "not finite")
        )
    if run.results.missing and not fill:
        return not_met("What stands for missing features is not recorded.", *proofs)
    how = (
        "a missing feature is replaced by the median of the cases that the view was fitted on"
        if fill
        else "no feature was missing"
    )
    return met(f"Cases are left out with a reason; {how}.", *proofs)


def class_imbalance(run: Evidence) -> ItemAnswer:
    """How many cases have each class, and how classes are weighed."""
    if run.regression:
        return not_applicable("Numbers are predicted: there are no classes.")
    counts, weight = run.results.dataset.per_class, run.setting("evaluate.class_weight")
    proofs = (
        Proof(files.RESULTS, "dataset.per_class", _counted(counts)),
        Proof(files.STUDY, "evaluate.class_weight", str(weight)),
    )
    if not counts or weight is None:
        return not_met("The run does not record the classes' sizes and weights.", *proofs)
    return met("The classes' sizes, and how methods weigh them, are recorded.", *proofs)


def imbalance_methods(run: Evidence) -> ItemAnswer:
    """Weights of classes, if any, and the calibration after them."""
    found = class_imbalance(run)
    if found.status != "met":
        return found
    if run.setting("evaluate.class_weight") == "none":
        return not_applicable("No method weighs classes by their rarity.", *found.proofs)
    heat = [f"{one.temperature:.3g}" for s in run.results.selections[:1] for one in s.ranking]
    more = Proof(files.RESULTS, "selections[0].ranking[].temperature", ", ".join(heat) or "none")
    return partly(
        "Classes are weighed by their rarity in every method"
        + (", and probabilities calibrated by a temperature on inner folds" if heat else "")
        + ". Why is for the authors to say.",
        *found.proofs,
        more,
    )


def scaling(run: Evidence) -> ItemAnswer:
    """How features are scaled, and that the test part has no share in it."""
    return scaler(run)


def training(run: Evidence) -> ItemAnswer:
    """Everything that decides a training, its seed included, and how it went."""
    needed = ("pretrain.steps", "pretrain.optimizer", "pretrain.learning_rate", "seed")
    values = {path: run.setting(path) for path in needed}
    proofs = [Proof(files.STUDY, path, _plain(value)) for path, value in values.items()]
    lacking = [path for path, value in values.items() if value is None]
    if lacking:
        return not_met(f"The run does not record {listed(lacking)}.", *proofs)
    folds = ("evaluate.inner_folds", "evaluate.selection.folds")
    proofs += [Proof(files.STUDY, path, _plain(run.setting(path))) for path in folds]
    epochs = len(run.run.epochs)
    proofs.append(Proof(files.METRICS, "lines", str(epochs)))
    for split, told in (run.recorded(files.RESULTS, "run.convergence") or {}).items():
        if isinstance(told, dict) and "converged" in told:
            proofs.append(
                Proof(
                    files.RESULTS, f"run.convergence.{split}.converged", _plain(told["converged"])
                )
            )
    if not epochs:
        return not_met("The run keeps no record of its pretraining.", *proofs)
    return met("Every option of the training, its seed and its course are recorded.", *proofs)


def algorithm(run: Evidence) -> ItemAnswer:
    """What was trained: task, networks, classifiers."""
    needed = ("pretext", "views", "evaluate.methods", "evaluate.classifiers")
    values = {path: run.setting(path) for path in needed}
    lacking = [path for path, value in values.items() if value is None]
    names = {
        "pretext.name": run.setting("pretext.name"),
        "views": ", ".join(run.setting("views") or {}),
        "evaluate.methods": _plain(values["evaluate.methods"]),
        "evaluate.classifiers": _plain(values["evaluate.classifiers"]),
    }
    proofs = [Proof(files.STUDY, key, str(value)) for key, value in names.items()]
    proofs += [
        Proof(model.description, "selection.members", ", ".join(model.chosen))
        for model in run.models.values()
    ]
    if lacking or not run.models:
        what = listed(lacking) or "the model"
        return not_met(f"The run does not record {what}.", *proofs)
    return met("Networks, task and classifiers are recorded with every option.", *proofs)


def building(run: Evidence) -> ItemAnswer:
    """Type of model, steps, tuning and internal validation; the rationale is for the authors."""
    found = joined([algorithm(run), training(run), chosen_inside(run), learnt(run)])
    if found.status != "met":
        return found
    return partly(
        "Model, steps, tuning by inner folds of the training cases, and internal validation are "
        "recorded. Why this type of model is for the authors to say.",
        *found.proofs,
    )


def feature_statistics(run: Evidence) -> ItemAnswer:
    """The values of all features; their reproducibility is for the authors."""
    path = run.folder / files.FEATURES
    found = measured(run)
    if not views_of(run):
        return not_applicable("The study measures no handcrafted features.")
    if not path.is_file() or not found:
        return not_met("The run keeps no table of its features.")
    proof = measured_proof(run)
    return partly(
        "The values of every feature are kept, from which statistics can be taken. How "
        "reproducible they are is for the authors (rdfc_core.reliability tells it of repeated "
        "measurements).",
        *((proof,) if proof else ()),
    )


def parts_counted(run: Evidence) -> ItemAnswer:
    """Participants and classes in each analysis."""
    if not run.cases or not run.splits:
        return not_met(f"The run keeps no {files.CASES}, so that no part can be counted.")
    proofs = []
    for split in run.splits:
        for part in ("pretext", "train", "test"):
            taught = set(run.pretext(split))
            own = [
                one
                for one in run.cases
                if (one.case_id in taught if part == "pretext" else one.parts.get(split) == part)
                and not one.failed
            ]
            labels = [one.label for one in own if one.label]
            told = {label: labels.count(label) for label in sorted(set(labels))}
            counted = "" if run.regression else f" ({_counted(told)})" if told else ""
            patients = len({one.patient for one in own})
            figure = f"{len(own)} cases of {count(patients, 'patient')}{counted}"
            key = f"column {split}: {'pretext, with train' if part == 'pretext' else part}"
            proofs.append(Proof(files.CASES, key, figure))
    if not any(run.part(split, "test") for split in run.splits):
        return not_met("No case was held back to test by.", *proofs)
    return met("Patients and cases of every class in each part of each split.", *proofs)


def other_predictors(run: Evidence) -> ItemAnswer:
    """Columns beside the images."""
    known = [m for m in run.models.values() if isinstance(m.about.get("cases"), dict)]
    if not known:
        return not_met("The run does not record which columns its views could see.")
    columns = known[0].about["cases"].get("columns") or []
    proof = Proof(known[0].description, "cases.columns", ", ".join(columns) or "none")
    if not columns:
        return not_applicable("No view of the study sees a column: images alone predict.", proof)
    return authors("The columns are named; what they mean is for the authors.", proof)


def _counted(counts: Any) -> str:
    return ", ".join(f"{label} {number}" for label, number in counts.items())


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def end_to_end(run: Evidence) -> ItemAnswer:
    """Robustness of a network that takes pictures alone."""
    if views_of(run):
        return not_applicable(
            "The models stand on handcrafted features, too: items 14 to 16 are about those.",
            Proof(files.STUDY, "views with an extractor", ", ".join(views_of(run))),
        )
    return authors(
        "How robust the network is against other outlines, scanners and noise was not looked at in "
        "this run; rdfc validate judges it on cases that were altered."
    )


def one_image(run: Evidence) -> ItemAnswer:
    """Whether each case has one image."""
    cases = [model.about.get("cases") for model in run.models.values()]
    known = [one for one in cases if isinstance(one, dict)]
    if not known:
        return not_met("The run does not record which images its cases have.")
    images = known[0].get("images") or []
    model = next(iter(run.models.values()))
    proof = Proof(model.description, "cases.images", ", ".join(images) or "none by name: one each")
    if len(images) < 2:
        return met("Each case has one image.", proof)
    single = {row.input for row in run.rows() if row.table == "linear"} & set(
        run.setting("views") or {}
    )
    if not single:
        return not_met(f"{len(images)} images a case, and none was judged alone.", proof)
    return partly(
        f"{len(images)} images a case; single views were judged, too. Whether one image alone is "
        "worse is for the authors to show.",
        proof,
        Proof(files.RESULTS, "rows of single views", ", ".join(sorted(single))),
    )
