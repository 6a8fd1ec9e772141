"""Whether the test part was kept apart: by patient and content, in scaling, learning, choosing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rdfc_core.report.checklist.answer import ItemAnswer, Proof, joined, met, not_met, partly
from rdfc_core.report.checklist.evidence import CaseEvidence, Evidence
from rdfc_core.report.checklist.saved_model import SavedModel
from rdfc_core.report.parquet import read_table
from rdfc_core.report.text import count
from rdfc_core.results import files
from rdfc_core.results.case_set import LABELS, NETWORK, STOPPING, VIEW, CaseSet
from rdfc_core.training.held_back import hold_back

EQUAL = 1e-3
"""Standard deviations by which a mean may differ from a recomputed one: rounding is far below."""

TAUGHT = ("train", "pretext")


def apart(run: Evidence) -> ItemAnswer:
    """No patient, content or image of the test part is in training or pretraining."""
    if not run.cases:
        return not_met(f"The run keeps no {files.CASES}, so that its parts cannot be compared.")
    tested = [split for split in run.splits if run.part(split, "test")]
    if not tested:
        return not_met(
            "No case was held back: nothing was tested.",
            Proof(files.CASES, "cases in a test part", "0"),
        )
    return joined(
        (_apart(run, split) for split in tested),
        "No patient, no case and no image of a test part is in the training or pretraining part: "
        f"compared in {_named(tested)} by patient, and by fingerprints, which find equal "
        "content and not what is nearly equal.",
    )


def _apart(run: Evidence, split: str) -> ItemAnswer:
    test, taught = run.part(split, "test"), run.part(split, *TAUGHT)
    column = f"column {split}: "
    shared = {
        "patients": _both(test, taught, "patient"),
        "contents (column fingerprint)": _both(test, taught, "content"),
        "images (column image)": _both(test, taught, "image"),
    }
    proofs = [
        Proof(files.CASES, f"{column}{what} on both sides", str(len(found)))
        for what, found in shared.items()
    ]
    leaking = {what: found for what, found in shared.items() if found}
    if leaking:
        what, found = next(iter(leaking.items()))
        example = next(one for one in test if found & {one.patient, one.content, one.image})
        return not_met(
            f"In {split}, {len(found)} {what} of the test part are in the training or pretraining "
            f"part, too, for example that of case {example.case_id}.",
            *proofs,
        )
    if not taught:
        return not_met(f"In {split}, no case is in the training part.", *proofs)
    unknown = [one for one in (*test, *taught) if not (one.content and one.image)]
    if unknown:
        return partly(
            f"In {split}, no patient is on both sides, but the content of "
            f"{count(len(unknown), 'case')} is not recorded, so that equal images under two names "
            "cannot be excluded.",
            *proofs,
        )
    return met(f"In {split}, nothing is on both sides.", *proofs)


def _both(test: Sequence[CaseEvidence], taught: Sequence[CaseEvidence], what: str) -> set[str]:
    here, there = ({getattr(one, what) for one in some} for some in (test, taught))
    return (here & there) - {""}


def scaler(run: Evidence) -> ItemAnswer:
    """What views have learnt of the data's scale comes from cases outside the test part alone."""
    views = [(split, model, view) for split, model in _models(run) for view in model.fitted_views()]
    if not run.models:
        return not_met("No model is saved, so that nothing shows what was fitted on which cases.")
    if not views:
        return met(
            "No view has learnt anything from cases: nothing is scaled by their statistics.",
            *(Proof(m.weights, "arrays that begin with view.", "0") for m in run.models.values()),
        )
    return joined(
        (_fitted(run, split, model, view) for split, model, view in views),
        "Features are standardised by statistics of training and pretraining cases alone.",
    )


def _fitted(run: Evidence, split: str, model: SavedModel, view: str) -> ItemAnswer:
    expected = CaseSet.of(run.pretext(split), contents_of(run))
    recorded = model.learnt_from(f"{VIEW}{view}")
    proofs = []
    if recorded is not None:
        key = f"learnt_from.{VIEW}{view}"
        same = recorded == expected
        of = "those" if same else "not those"
        proofs.append(
            Proof(
                model.description,
                key,
                f"{recorded.cases} cases, by checksum {of} in the part train or pretext of "
                f"{files.CASES}, column {split}",
            )
        )
        if not same:
            return not_met(
                f"In {split}, the view {view!r} was fitted on {recorded.cases} cases which are not "
                f"the {expected.cases} training and pretraining cases.",
                *proofs,
            )
    harmonise = run.setting(f"views.{view}.harmonise")
    if isinstance(harmonise, dict):
        key = f"views.{view}.harmonise"
        proofs.append(Proof(files.STUDY, key, ", ".join(f"{k} {v}" for k, v in harmonise.items())))
        if harmonise.get("new_sites", "refuse") not in ("refuse", "pooled"):
            return partly(
                f"In {split}, the view {view!r} takes level and spread of sites that it does not "
                "know from the cases that it is asked about, without their labels: test cases "
                "depend on each other.",
                *proofs,
            )
    # Of harmonised features the means are others than those of features as they were measured.
    recomputed = None if harmonise else _recomputed(run, split, model, view)
    if recomputed is not None:
        own, everything, features = recomputed
        proofs.append(
            Proof(
                model.weights,
                f"view.{view}.mean, recomputed from {files.FEATURES} over these cases",
                f"at most {own:.1g} standard deviations off in {features} features (over all "
                f"cases: {everything:.1g})",
            )
        )
        if own > EQUAL:
            return not_met(
                f"In {split}, the means by which the view {view!r} standardises are not those of "
                f"the training and pretraining cases: they differ by up to {own:.2g} standard "
                "deviations.",
                *proofs,
            )
    if not proofs:
        return partly(
            f"In {split}, the run does not record on which cases the view {view!r} was fitted: an "
            "older rdfc wrote it.",
            Proof(model.description, "learnt_from", "missing"),
        )
    return met(f"In {split}, the view {view!r} was fitted on training cases alone.", *proofs)


def _recomputed(
    run: Evidence, split: str, model: SavedModel, view: str
) -> tuple[float, float, int] | None:
    """How far a view's saved means are from those of its cases and of all cases, in its scale.

    None where the view's numbers are no named features, or not in ``features.parquet``.
    """
    keys = {key: f"view.{view}.{key}" for key in ("names", "mean", "median", "scale")}
    path = run.folder / files.FEATURES
    if not set(keys.values()) <= set(model.names) or not path.is_file():
        return None
    names = model.array(keys["names"]).astype(np.uint8).tobytes().decode().split("\n")
    columns = [f"{view}.{name}" for name in names]
    table = read_table(path, ["case_id"], columns)
    if table is None or not set(columns) <= set(table.column_names):
        return None
    values = np.column_stack([table[name].to_numpy().astype(np.float64) for name in columns])
    mean, median, scale = (model.array(keys[key]) for key in ("mean", "median", "scale"))
    wanted = set(run.pretext(split))
    own = np.array([case_id in wanted for case_id in table["case_id"].to_pylist()])
    if not own.any():
        return None

    def off(rows: NDArray[np.float64]) -> float:
        filled = np.where(np.isnan(rows), median, rows)
        return float(np.nan_to_num(np.abs(filled.mean(axis=0) - mean) / scale).max())

    return off(values[own]), off(values), len(names)


def learnt(run: Evidence) -> ItemAnswer:
    """The network, and what labels train and choose, has seen no case of the test part."""
    if not run.models:
        return not_met("No model is saved, so that nothing shows what it has learnt from.")
    return joined(
        (_learnt(run, split, model) for split, model in _models(run)),
        "Networks were pretrained, and classifiers trained, chosen and calibrated, on training "
        "and pretraining cases alone.",
    )


def _learnt(run: Evidence, split: str, model: SavedModel) -> ItemAnswer:
    contents = contents_of(run)
    patients = {one.case_id: one.patient for one in run.cases}
    share, seed = run.setting("pretrain.held_back"), run.setting("seed")
    taught, held = hold_back(run.pretext(split), patients, float(share or 0), int(seed or 0))
    expected = {
        NETWORK: (CaseSet.of(taught, contents), "the network was pretrained on"),
        STOPPING: (CaseSet.of(held, contents), "the end of pretraining was decided on"),
        LABELS: (
            CaseSet.of([one.case_id for one in run.part(split, "train")], contents),
            "labels were taken of",
        ),
    }
    proofs = []
    for part, (cases, what) in expected.items():
        recorded = model.learnt_from(part)
        if recorded is None:
            return partly(
                f"In {split}, the run does not record from which cases its model has learnt: an "
                "older rdfc wrote it.",
                Proof(model.description, f"learnt_from.{part}", "missing"),
            )
        same = recorded == cases
        told = "as" if same else "not as"
        figure = f"{recorded.cases} cases, by checksum {told} {files.CASES} has them"
        proofs.append(Proof(model.description, f"learnt_from.{part}", figure))
        if not same:
            return not_met(
                f"In {split}, {what} {recorded.cases} cases which are not the {cases.cases} that "
                f"{files.CASES} has for it.",
                *proofs,
            )
    return met("", *proofs)


def contents_of(run: Evidence) -> dict[str, str]:
    """Case id → fingerprint of its content."""
    return {one.case_id: one.content for one in run.cases}


def _models(run: Evidence) -> Iterator[tuple[str, SavedModel]]:
    yield from run.models.items()


def _named(splits: Sequence[str]) -> str:
    return splits[0] if len(splits) == 1 else f"{len(splits)} splits"
