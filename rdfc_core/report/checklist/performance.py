"""How the model was judged: on what, by what, against what, and how surely."""

from __future__ import annotations

from rdfc_core.report.checklist.answer import (
    ItemAnswer,
    Proof,
    authors,
    joined,
    met,
    not_met,
    partly,
)
from rdfc_core.report.checklist.choice import seen_once
from rdfc_core.report.checklist.evidence import Evidence
from rdfc_core.report.checklist.partition import apart
from rdfc_core.report.text import count, interval, listed
from rdfc_core.results import files
from rdfc_core.results.schema import Row
from rdfc_core.results.vocabulary import (
    AUROC,
    BALANCED_ACCURACY,
    BRIER,
    COLUMNS_LOGISTIC,
    COLUMNS_RIDGE,
    CONTROL,
    ECE,
    FEATURES_AND_COLUMNS,
    MAE,
    R2,
    RADIOMICS,
    RADIOMICS_LOGISTIC,
    RADIOMICS_RIDGE,
    SHAPE_ONLY,
    SIZE_ONLY,
    metric_heading,
)

SIMPLE = (RADIOMICS_LOGISTIC, RADIOMICS_RIDGE, COLUMNS_LOGISTIC, COLUMNS_RIDGE)
"""Logistic or ridge regression, on handcrafted features or on columns."""
NON_RADIOMIC = (COLUMNS_LOGISTIC, COLUMNS_RIDGE)


def tested(run: Evidence) -> ItemAnswer:
    """What the model that the run stands for said of the test part, and of no other case."""
    said, main = run.predictions, run.main
    if main is None or said is None:
        return not_met(
            "Nothing was tested: the run holds no predictions of held-back cases by the model that "
            "it stands for."
        )
    answers = []
    for split in run.splits:
        ids = {c for c, own in zip(said.case_ids, said.splits, strict=True) if own == split}
        test = {one.case_id for one in run.part(split, "test")}
        key = f"cases of {split} by {main.method}, also in its test part"
        proof = Proof(files.PREDICTIONS, key, f"{len(ids & test)} of {len(ids)}")
        if not ids or ids - test:
            what = "no case was tested" if not ids else "cases outside the test part were judged"
            answers.append(not_met(f"In {split}, {what}.", proof))
        else:
            answers.append(met(f"In {split}, {count(len(ids), 'case')} of the test part.", proof))
    return joined(answers) if answers else not_met("No case was held back.")


def internal(run: Evidence) -> ItemAnswer:
    """Held-back cases of the same list: apart, judged, and how often."""
    kind = run.recorded(files.STUDY, "inputs.protocol.kind") or "split"
    parts = joined([apart(run), tested(run), seen_once(run)])
    if parts.status == "not met":
        return parts
    number = f"{len(run.splits)} {'folds' if kind == 'folds' else 'split'}"
    patients = {one.patient for split in run.splits for one in run.part(split, "test")}
    return ItemAnswer(
        parts.status,
        f"Tested on {count(len(patients), 'held-back patient')} of the same list ({kind}, {number})"
        f". {parts.text}",
        (Proof(files.STUDY, "inputs.protocol.kind", str(kind)), *parts.proofs),
    )


def intervals(run: Evidence) -> ItemAnswer:
    """Every score with an interval from resampled patients."""
    rows = [row for row in run.results.rows if row.mean is not None]
    bare = [row for row in rows if row.ci_low is None or row.ci_high is None]
    point = [row for row in rows if row.ci_low is not None and row.ci_low == row.ci_high]
    resamples, confidence = (run.setting(f"evaluate.{n}") for n in ("bootstrap", "confidence"))
    proofs = (
        Proof(
            files.RESULTS,
            "rows with ci_low and ci_high",
            f"{len(rows) - len(bare)} of {len(rows)}",
        ),
        Proof(files.STUDY, "evaluate.bootstrap, evaluate.confidence", f"{resamples}, {confidence}"),
    )
    if not rows:
        return not_met("The run holds no scores.")
    if bare or len(point) == len(rows):
        odd = (bare or point)[0]
        return not_met(
            f"{count(len(bare) or len(point), 'score')} without an interval, such as "
            f"{metric_heading(odd.metric)} of {odd.method}.",
            *proofs,
        )
    return met("Every score has an interval from resampled patients.", *proofs)


def main_rows(run: Evidence, *metrics: str) -> list[Row]:
    """The scores of the model that the run stands for."""
    found = run.rows(run.main) if run.main else []
    return [row for row in found if not metrics or row.metric in metrics]


def shown(rows: list[Row]) -> tuple[Proof, ...]:
    """Scores as proofs."""
    return tuple(
        Proof(
            files.RESULTS,
            f"rows[{_row_name(row)}]",
            interval(row),
        )
        for row in rows
    )


def _row_name(row: Row) -> str:
    parts = (row.table, row.method, row.input, row.classifier, row.metric)
    return ", ".join(part for part in parts if part)


def scores(run: Evidence) -> ItemAnswer:
    """The scores of the model that the run stands for, on held-back cases, with intervals."""
    rows = [row for row in main_rows(run) if row.mean is not None]
    if not rows:
        return not_met("The run holds no score of the model that it stands for.")
    proofs = shown(rows)
    if any(row.ci_low is None for row in rows):
        return not_met(f"Scores of {rows[0].method} stand without intervals.", *proofs)
    return joined(
        [tested(run), met("", *proofs)],
        f"Scores of {rows[0].method} on {count(rows[0].n_cases, f'held-back {rows[0].unit}')}, "
        "with intervals.",
    )


def metrics(run: Evidence) -> ItemAnswer:
    """Metrics that fit the task: discrimination, and what unequal classes do not flatter."""
    wanted = (R2, MAE) if run.regression else (AUROC, BALANCED_ACCURACY)
    rows = main_rows(run, *wanted)
    missing = [metric_heading(m) for m in wanted if m not in {row.metric for row in rows}]
    if missing:
        return not_met(f"The run holds no {listed(missing)} of the model that it stands for.")
    told = listed([metric_heading(row.metric) for row in rows])
    return met(f"{told}, among others.", *shown(rows))


def metrics_and_rationale(run: Evidence) -> ItemAnswer:
    """As `metrics`; why these is for the authors."""
    found = metrics(run)
    if found.status != "met":
        return found
    return partly(f"{found.text} Why these were chosen is for the authors to say.", *found.proofs)


def calibration(run: Evidence) -> ItemAnswer:
    """Whether probabilities can be taken at their word, on held-back cases."""
    if run.regression:
        return authors("Numbers are predicted: how far they can be taken at their word is open.")
    rows = main_rows(run, ECE, BRIER)
    proofs = shown(rows)
    said = run.predictions
    if {row.metric for row in rows if row.mean is not None} != {ECE, BRIER}:
        return not_met("The run holds no calibration error of the model that it stands for.")
    if said is None or said.probabilities is None:
        return not_met("The run keeps no probabilities that a calibration curve needs.", *proofs)
    number = Proof(
        files.PREDICTIONS, f"probabilities of {run.main.method if run.main else ''}",
        f"{len(said.case_ids)} rows, drawn as a curve in {files.REPORT}",
    )  # fmt: skip
    return met("Calibration error, Brier score and calibration curve.", *proofs, number)


def compared(run: Evidence) -> ItemAnswer:
    """Statistical tests between methods, paired by patient."""
    tests = [one for one in run.results.comparisons if one.p is not None]
    head = run.results.headline
    against = [one for one in head.against if one.p is not None] if head else []
    if not tests and not against:
        return not_met(
            "No two methods were compared by a test.", Proof(files.RESULTS, "comparisons", "0")
        )
    kinds = sorted({one.test for one in tests})
    corrected = sum(one.p_corrected is not None for one in tests)
    corrected += sum(one.p_corrected is not None for one in against)
    return met(
        "Methods are compared on the same patients, with p-values that are corrected for their "
        "number.",
        Proof(files.RESULTS, "comparisons with p", f"{len(tests)} ({listed(kinds) or 'none'})"),
        Proof(files.RESULTS, "headline.against with p", str(len(against))),
        Proof(files.RESULTS, "of these with p_corrected", str(corrected)),
    )


def simple_models(run: Evidence) -> ItemAnswer:
    """A logistic or ridge regression beside the model, on the same cases."""
    metric = run.results.headline.metric if run.results.headline else ""
    rows = [
        row
        for row in run.rows(metric=metric)
        if row.mean is not None
        and (row.method in SIMPLE or (row.table == CONTROL and row.method == RADIOMICS))
    ]
    main = main_rows(run, metric)
    if not rows or not main:
        return not_met("No logistic or ridge regression was judged beside the model.")
    return met(
        "Linear models on the handcrafted features were judged on the same cases.",
        *shown([*main, *rows]),
    )


def non_radiomic(run: Evidence) -> ItemAnswer:
    """A model of columns alone, and one of columns and images together, on the same cases."""
    metric = run.results.headline.metric if run.results.headline else ""
    rows = run.rows(metric=metric)
    alone = [row for row in rows if row.method in NON_RADIOMIC and row.mean is not None]
    both = [row for row in rows if row.method == FEATURES_AND_COLUMNS and row.mean is not None]
    if not alone:
        return not_met(
            "In this run no method without images was judged. With a view of clinical columns, "
            f"evaluate.methods can name {COLUMNS_LOGISTIC} and {FEATURES_AND_COLUMNS}.",
            Proof(files.RESULTS, f"rows of {COLUMNS_LOGISTIC}", "0"),
        )
    if not both:
        return partly(
            "A model of columns alone was judged, and none of columns and images together.",
            *shown(alone),
        )
    return met("Columns alone, and together with images.", *shown([*alone, *both]))


def added_value(run: Evidence) -> ItemAnswer:
    """A model without images beside it suffices; so would a proof of clinical value."""
    found = non_radiomic(run)
    if found.status == "partly":
        return met("A model of columns alone was judged on the same cases.", *found.proofs)
    return found


def confounders(run: Evidence) -> ItemAnswer:
    """Size and shape alone as controls; all other confounders are for the authors."""
    metric = run.results.headline.metric if run.results.headline else ""
    controls = (SIZE_ONLY, SHAPE_ONLY)
    rows = [r for r in run.rows(metric=metric) if r.method in controls and r.mean is not None]
    if not rows:
        return not_met(
            "Whether size or shape of the outline alone tells the label was not looked at.",
            Proof(files.RESULTS, f"rows of {SIZE_ONLY} and {SHAPE_ONLY}", "0"),
        )
    return partly(
        "What the outline's size and shape alone tell was judged as a control. Scanner, centre, "
        "age and other confounders are for the authors.",
        *shown(rows),
    )


def explained(run: Evidence) -> ItemAnswer:
    """What families of features contribute, and where the image encoder looks."""
    falls = [one for one in run.results.importance if one.mean is not None]
    maps = run.run.attention_maps
    proofs = (
        Proof(files.RESULTS, "importance", f"{len(falls)} families of features"),
        Proof(files.ATTENTION, "rows", f"{len(maps)} cases"),
    )
    if not falls and not maps:
        return not_met("The run explains no prediction.", *proofs)
    if not falls or not maps:
        there = "permutation importance" if falls else "Grad-CAM maps"
        return met(f"Explained by {there} on held-back cases.", *proofs)
    return met("Permutation importance of features, and Grad-CAM of pictures.", *proofs)
