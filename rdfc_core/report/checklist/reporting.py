"""Facts that stand in the results and go into the text of a paper."""

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
from rdfc_core.report.checklist.choice import chosen_inside
from rdfc_core.report.checklist.elsewhere import external, subgroups, utility
from rdfc_core.report.checklist.evidence import Evidence
from rdfc_core.report.checklist.extraction import preprocessing
from rdfc_core.report.checklist.measured_views import measured
from rdfc_core.report.checklist.partition import apart, learnt, scaler
from rdfc_core.report.checklist.performance import calibration, internal, metrics, scores
from rdfc_core.report.text import count
from rdfc_core.results import files


def data_source(run: Evidence) -> ItemAnswer:
    """What the data set's plugin says how to cite it."""
    data = run.results.dataset
    proofs = [Proof(files.RESULTS, "dataset.name", data.name or "missing")]
    if not data.citation:
        return authors(
            "The data set names no publication to cite. Say where the data come from.", *proofs
        )
    proofs.append(Proof(files.RESULTS, "dataset.citation", data.citation))
    return authors("How to cite the data set is known; whether it is public is not.", *proofs)


def sample_size(run: Evidence) -> ItemAnswer:
    """How many there are; how that number was arrived at is for the authors."""
    data = run.results.dataset
    tested = ", ".join(f"{k or 'all'} {v.get('cases')}" for k, v in data.tested.items())
    return authors(
        "How the size was arrived at is not known to a run. What it had:",
        Proof(files.RESULTS, "dataset.cases, dataset.patients", f"{data.cases}, {data.patients}"),
        Proof(files.RESULTS, "dataset.tested (cases)", tested or "none"),
    )


def flow(run: Evidence) -> ItemAnswer:
    """What every listed case was used for; what came before the list is for the authors."""
    uses = run.results.dataset.uses
    total = sum(one.cases for one in uses)
    if not uses or total != len(run.cases):
        return not_met(
            "Not every listed case is accounted for.",
            Proof(files.RESULTS, "dataset.uses", f"{total} of {len(run.cases)} cases"),
        )
    told = "; ".join(f"{one.what} {one.cases}" for one in uses)
    return partly(
        "Every listed case is accounted for. Who came before the list, and follow-up, is for the "
        "authors.",
        Proof(files.RESULTS, "dataset.uses", told),
    )


def characteristics(run: Evidence) -> ItemAnswer:
    """Numbers of participants and outcomes; who they are is for the authors."""
    data = run.results.dataset
    if data.cases is None or not (data.per_class or data.numbers):
        return not_met("The run does not count its cases and outcomes.")
    numbers = {key: data.numbers[key] for key in ("cases", "mean", "sd") if key in data.numbers}
    told = dict(data.per_class or numbers)
    return partly(
        "Patients, cases and outcomes are counted, and missing features listed. Dates, "
        "demographic and clinical characteristics are for the authors.",
        Proof(files.RESULTS, "dataset.cases, dataset.patients", f"{data.cases}, {data.patients}"),
        Proof(files.RESULTS, "dataset", ", ".join(f"{k} {v}" for k, v in told.items())),
        Proof(files.RESULTS, "missing", f"{len(run.results.missing)} features"),
    )


def quality(run: Evidence) -> ItemAnswer:
    """Pre-processing, and what a look at the data found."""
    found = preprocessing(run)
    if found.status != "met":
        return found
    warnings = run.recorded(files.RESULTS, "warnings")
    failed = len(run.results.failed)
    return partly(
        f"{found.text} What was doubtful in the data is listed. Whether all this was alike across "
        "sociodemographic groups is for the authors.",
        *found.proofs,
        Proof(files.RESULTS, "warnings", f"{len(warnings or ())} sentences"),
        Proof(files.RESULTS, "failed", f"{failed} cases"),
    )


def initial_predictors(run: Evidence) -> ItemAnswer:
    """All features that the parameters ask for; why is for the authors."""
    return _predictors(run, "Why these, and what was left out beforehand, is for the authors.")


def defined_predictors(run: Evidence) -> ItemAnswer:
    """Each feature by name, with its parameters; when it was measured is for the authors."""
    return _predictors(run, "How and when images were made, and any blinding, is for the authors.")


def _predictors(run: Evidence, left: str) -> ItemAnswer:
    found = preprocessing(run)
    if found.status != "met":
        return found
    named = [one for one in measured(run) if one.names]
    proofs = [
        Proof(one.model.description, f"made_by.features.{one.view}", f"{len(one.names)} names")
        for one in named
    ]
    return partly(
        f"Every view, and every feature by name, is recorded. {left}", *proofs, *found.proofs
    )


def partition(run: Evidence) -> ItemAnswer:
    """Parts by patient, and nothing of the test part in scaling, learning or choosing."""
    return joined([apart(run), scaler(run), learnt(run), chosen_inside(run)])


def selection(run: Evidence) -> ItemAnswer:
    """How the model was chosen, and that what chose it had training labels alone."""
    found = joined([chosen_inside(run), learnt(run)])
    return (
        ItemAnswer(found.status, chosen_inside(run).text, found.proofs)
        if found.status == "met"
        else found
    )


def split_method(run: Evidence) -> ItemAnswer:
    """How the parts were made, and that they are apart."""
    found = apart(run)
    protocol = run.recorded(files.STUDY, "inputs.protocol")
    if found.status == "not met" or not isinstance(protocol, dict):
        return found if found.status == "not met" else not_met("How cases were split is missing.")
    kind = protocol.get("kind")
    sizes = [
        Proof(
            files.RESULTS,
            f"dataset.splits[{one.name}]",
            f"{one.pretext} pretraining, {one.train} training, {one.test} test",
        )
        for one in run.results.dataset.splits
    ]
    return ItemAnswer(
        found.status,
        f"Split by patient ({kind}). {found.text}",
        (
            Proof(files.STUDY, "inputs.protocol.kind", str(kind)),
            Proof(files.STUDY, "seed", str(run.setting("seed"))),
            *sizes,
            *found.proofs,
        ),
    )


def data_use(run: Evidence) -> ItemAnswer:
    """As `split_method`; how the sizes fit the question is for the authors."""
    found = split_method(run)
    if found.status != "met":
        return found
    return partly(
        f"{found.text} Whether the parts are large enough is for the authors.", *found.proofs
    )


def testing(run: Evidence) -> ItemAnswer:
    """Internal, and external where a validation was found."""
    inside = internal(run)
    if inside.status == "not met" or not run.validations:
        return inside
    outside = external(run)
    return ItemAnswer(
        inside.status,
        f"{inside.text} Elsewhere: {outside.text}",
        (*inside.proofs, *outside.proofs),
    )


def measures(run: Evidence) -> ItemAnswer:
    """Discrimination, calibration and clinical utility; the rationale is for the authors."""
    found = joined([metrics(run), *([] if run.regression else [calibration(run)])])
    if found.status == "not met":
        return found
    curves = utility(run)
    more = "decision curves come from a validation" if curves else "no decision curve was drawn"
    return partly(
        f"{found.text} Of clinical utility, {more}. Why these measures is for the authors.",
        *found.proofs,
        *curves,
    )


def performance(run: Evidence) -> ItemAnswer:
    """Scores with intervals; those of subgroups come from a validation."""
    found = scores(run)
    if found.status != "met":
        return found
    groups = subgroups(run)
    if not groups:
        return partly(f"{found.text} No subgroup was judged (rdfc validate --by).", *found.proofs)
    return met(f"{found.text} Subgroups are judged in a validation.", *found.proofs, *groups)


def output(run: Evidence) -> ItemAnswer:
    """Probabilities and the likeliest class, or a number."""
    said = run.predictions
    if said is None:
        return not_met("The run keeps no predictions.")
    if run.regression:
        return met("A number.", Proof(files.PREDICTIONS, "predicted", f"{len(said.case_ids)} rows"))
    classes = run.results.dataset.classes
    if said.probabilities is None or not classes:
        return not_met("The run keeps no probabilities.")
    likeliest = [classes[place] for place in said.probabilities.argmax(axis=1)]
    equal = sum(a == b for a, b in zip(likeliest, said.predicted, strict=True))
    proof = Proof(
        files.PREDICTIONS, "rows whose class is the likeliest one", f"{equal} of {len(likeliest)}"
    )
    text = (
        "A probability a class, and the likeliest class"
        if equal == len(likeliest)
        else ("A probability a class, and a class by another rule than the likeliest")
    )
    return partly(f"{text}. Thresholds for use, and why, are for the authors.", proof)


def specification(run: Evidence) -> ItemAnswer:
    """The whole model as files; who may use it is for the authors."""
    if not run.models:
        return not_met("The run keeps no model.")
    broken = [model for model in run.models.values() if not model.intact]
    proofs = [
        Proof(model.description, "sha256", f"{model.sha256[:12]}… (that of the weights)")
        for model in run.models.values()
        if model.intact
    ]
    if broken:
        return not_met(f"The weights in {broken[0].name} are missing or not its own.", *proofs)
    return partly(
        f"{count(len(run.models), 'model')} with weights, options and recipes. Access and "
        "restrictions are for the authors.",
        *proofs,
    )
