"""The saved model on cases of another place, as `rdfc validate` records it."""

from __future__ import annotations

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
from rdfc_core.report.checklist.evidence import Evidence
from rdfc_core.report.checklist.partition import TAUGHT
from rdfc_core.report.text import count, listed
from rdfc_core.results.files import STUDY
from rdfc_core.results.validation import Cohort, Validation
from rdfc_core.results.vocabulary import AUROC

NO_VALIDATION = (
    "No validation of the saved model was found in the run folder, and none was given. Make one "
    "with rdfc validate, and name its folder with --validation."
)
DEVELOPMENT = (
    "For evaluations of a model. The run develops one, and no validation of it was found or given."
)


def external(run: Evidence) -> ItemAnswer:
    """Cases of another place, none of which the model has learnt from, judged with intervals."""
    if not run.validations:
        return not_met(NO_VALIDATION, Proof("validation.json", "in the run folder", "none"))
    answers = [
        _cohort(run, file, validation, cohort)
        for file, validation in run.validations
        for cohort in validation.cohorts
    ]
    good = [one for one in answers if one.status == "met"]
    if good:
        return joined(
            good,
            "The saved model was judged on cases of a list which whoever ran rdfc validate named "
            "as another place's; by content, the model has learnt from none of them.",
        )
    return joined(answers)


def _cohort(run: Evidence, file: str, validation: Validation, cohort: Cohort) -> ItemAnswer:
    at = f"cohorts[{cohort.name}]"
    auroc = cohort.metrics.get(AUROC)
    saved = {split: model.sha256 for split, model in run.models.items()}
    known = {one.content for split in run.splits for one in run.part(split, *TAUGHT) if one.content}
    shared = known & set(cohort.content)
    same = validation.models == saved
    proofs = [
        Proof(file, f"{at}.cases", f"{cohort.cases} of {count(cohort.patients, 'patient')}"),
        Proof(
            file,
            "models",
            "the weights' checksums are those of this run"
            if same
            else "the weights' checksums are not those of this run",
        ),
        Proof(file, f"{at}.content, also learnt from by cases.csv", str(len(shared))),
        Proof(file, f"{at}.shared_patients", str(cohort.shared_patients)),
    ]
    if auroc is not None and auroc.estimate is not None:
        figure = f"{auroc.estimate:.3f} [{auroc.low or 0:.3f}, {auroc.high or 0:.3f}]"
        proofs.append(Proof(file, f"{at}.metrics.auroc", figure))
    if not same:
        return not_met(f"{file} is of another model than this run's.", *proofs)
    if shared:
        return not_met(
            f"The model has learnt from {count(len(shared), 'case')} of {cohort.name}.", *proofs
        )
    if not cohort.content or cohort.shared_patients is None:
        return partly(f"{file} does not record of which cases it is.", *proofs)
    if cohort.shared_patients:
        return partly(
            f"{count(cohort.shared_patients, 'patient')} of {cohort.name} may be people that the "
            "model has learnt from: their ids are equal.",
            *proofs,
        )
    if cohort.too_few:
        return partly(f"{cohort.name}: {cohort.too_few}", *proofs)
    return met(f"Judged on {cohort.name}.", *proofs)


def updating(run: Evidence) -> ItemAnswer:
    """Nothing of the model was changed by the validation."""
    found = _of_this_run(run)
    if isinstance(found, ItemAnswer):
        return found
    return met(
        "The model was judged as it is, and not updated: its weights are those that the run saved. "
        "What a shift of the probabilities would mend is told beside the scores.",
        *found,
    )


def updated_results(run: Evidence) -> ItemAnswer:
    """There is no updated model whose performance could be reported."""
    found = _of_this_run(run)
    if isinstance(found, ItemAnswer):
        return found
    return not_applicable("The model was judged as it is, and not updated.", *found)


def how_predicted(run: Evidence) -> ItemAnswer:
    """By the saved model, whose weights the validation names."""
    found = _of_this_run(run)
    if isinstance(found, ItemAnswer):
        return found
    version = run.run.versions.get("rdfc-core")
    if not version:
        return not_met("The run does not record by which version of rdfc it predicts.", *found)
    return met(
        "Predicted by the saved model with rdfc validate.",
        *found,
        Proof(STUDY, "versions.rdfc-core", version),
    )


def _of_this_run(run: Evidence) -> tuple[Proof, ...] | ItemAnswer:
    """What shows that validations are of the run's own weights; or what is said if not."""
    if not run.validations:
        return not_applicable(DEVELOPMENT)
    saved = {split: model.sha256 for split, model in run.models.items()}
    other = [file for file, validation in run.validations if validation.models != saved]
    if other:
        return not_met(
            f"{other[0]} is of another model than this run's.",
            Proof(other[0], "models", "checksums that are not those of model/*/model.json"),
        )
    return tuple(
        Proof(file, "models", ", ".join(f"{s} {sha[:12]}…" for s, sha in validation.models.items()))
        for file, validation in run.validations
    )


def predictors_there(run: Evidence) -> ItemAnswer:
    """Distribution of the predictors here and among the training cases."""
    if not run.validations:
        return not_applicable(DEVELOPMENT)
    proofs = [
        Proof(
            file,
            f"cohorts[{cohort.name}].drift",
            f"{cohort.drift.large} of {cohort.drift.features} features differ by over half a "
            "standard deviation",
        )
        for file, validation in run.validations
        for cohort in validation.cohorts
        if cohort.drift.features
    ]
    if not proofs:
        return not_met("The validations compare no features with those of the training cases.")
    return partly(
        "Features are compared with those of the training cases, and classes are counted. "
        "Demographic characteristics are for the authors.",
        *proofs,
    )


def differences(run: Evidence) -> ItemAnswer:
    """Between development and evaluation data."""
    if run.validations:
        return predictors_there(run)
    kind = run.recorded(STUDY, "inputs.protocol.kind")
    proofs = (Proof(STUDY, "inputs.protocol.kind", str(kind)),) if kind else ()
    return authors("Training and test part are drawn from one list of cases.", *proofs)


def subgroups(run: Evidence) -> list[Proof]:
    """Scores of subgroups that validations hold."""
    found = []
    for file, validation in run.validations:
        for cohort in validation.cohorts:
            judged = [one for one in cohort.subgroups if one.metrics]
            if judged:
                columns = sorted({one.column for one in judged})
                at = f"cohorts[{cohort.name}].subgroups"
                found.append(Proof(file, at, f"{len(judged)} of {listed(columns)}"))
    return found


def clusters(run: Evidence) -> ItemAnswer:
    """Performance in several places, or subgroups."""
    cohorts = [
        (file, cohort) for file, validation in run.validations for cohort in validation.cohorts
    ]
    proofs = [
        *(Proof(file, "cohorts", cohort.name) for file, cohort in cohorts if cohort.metrics),
        *subgroups(run),
    ]
    if len(proofs) < 2:
        return not_applicable(
            "Not examined: the run folder holds no scores of several places or subgroups (rdfc "
            "validate with several lists, or --by)."
        )
    found = _of_this_run(run)
    if isinstance(found, ItemAnswer):
        return found
    return partly(
        "Scores stand side by side, with intervals. Their heterogeneity was not modelled.", *proofs
    )


def utility(run: Evidence) -> list[Proof]:
    """Decision curves that validations hold."""
    return [
        Proof(file, f"cohorts[{cohort.name}].decisions", f"{len(cohort.decisions)} curves")
        for file, validation in run.validations
        for cohort in validation.cohorts
        if cohort.decisions
    ]
