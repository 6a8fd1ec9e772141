"""The model card: what was saved, what it reaches, and what it is not for; from results alone."""

from __future__ import annotations

from collections.abc import Iterator

from rdfc_core.report import headline, text
from rdfc_core.report.cards.markdown import bullets, front_matter, plain, section, table
from rdfc_core.report.checklist.evidence import Evidence
from rdfc_core.report.checklist.performance import main_rows
from rdfc_core.report.sections.provenance import PAPER
from rdfc_core.results import files
from rdfc_core.results.schema import Row
from rdfc_core.results.vocabulary import BRIER, ECE, METRIC_HEADINGS, PROBE, metric_heading

NOT_FOR = (
    "It is research software, and not a medical device: nothing it says is a diagnosis.",
    "It needs an outline of each tumour, drawn as those that it was trained on.",
    "On images of other scanners, settings or patients than those it was trained on, its "
    "probabilities are not known to hold; rdfc validate tells.",
)


def model_card(run: Evidence) -> str:
    """The card as Markdown.

    Args:
        run: Evaluated, with a saved model.
    """
    rows = [row for row in main_rows(run) if row.mean is not None]
    data = run.results.dataset
    name = run.run.name
    lines = [
        *front_matter(
            {
                "library_name": "rdfc",
                "tags": ["radiomics", "medical-imaging", "tumour"],
                "metrics": [row.metric for row in rows],
                "model_name": name,
            }
        ),
        f"# Model card: {plain(name)}",
        "",
        *_what_it_is(run),
        *section("Intended use", [_intended(run)], bullets(NOT_FOR)),
        *section("Training data", bullets(_training_data(run))),
        *section("Training", bullets(_training(run))),
        *section("Results on held-back cases", *_results(run, rows)),
        *section("Calibration", bullets(_calibration(run, rows))),
        *section("Limits", bullets(_limits(run))),
        *section("Weights it began from", bullets(_starts(run))),
        *section("How to use it", *_usage(run)),
        *section("To cite", bullets(one for one in (PAPER, data.citation) if one)),
    ]
    return "\n".join(lines) + "\n"


def _what_it_is(run: Evidence) -> list[str]:
    what = "a number" if run.regression else f"one of {', '.join(run.results.dataset.classes)}"
    chosen = {split: model.chosen for split, model in run.models.items()}
    told = [f"Predicts {what} from an image of a tumour and its outline, by rdfc."]
    for split, members in chosen.items():
        made = " and ".join(members)
        told.append(f"The model of {split}: {'the mean of ' if len(members) > 1 else ''}{made}.")
    if len(chosen) > 1:
        told.append("Where a run has several models, predictions are the mean over all of them.")
    return bullets(told)


def _intended(run: Evidence) -> str:
    classes = run.results.dataset.classes
    what = "to predict a number" if run.regression else f"to tell {plain(', '.join(classes))} apart"
    return f"Research on outlined tumours like those of its training data: {what}."


def _training_data(run: Evidence) -> Iterator[str]:
    data = run.results.dataset
    yield (
        f"{text.count(data.cases or 0, 'case')} of {text.count(data.patients or 0, 'patient')} in "
        f"the data set {data.name}; {files.DATASET_CARD} describes it."
    )
    for split in run.splits:
        train = run.part(split, "train")
        labels = [one.label for one in train]
        counts = ", ".join(f"{label} {labels.count(label)}" for label in data.classes)
        yield (
            f"{split}: pretrained without labels on {text.count(len(run.pretext(split)), 'case')}, "
            f"trained with the labels of {text.count(len(train), 'case')}"
            f"{f' ({counts})' if counts else ''}, tested on {len(run.part(split, 'test'))}."
        )


def _training(run: Evidence) -> Iterator[str]:
    if task := run.setting("pretext.name"):
        yield f"Pretext task: {task}; seed {run.setting('seed')}."
    told = run.recorded(files.RESULTS, "run.convergence") or {}
    for split, one in told.items():
        if isinstance(one, dict) and "steps" in one:
            ended = "converged" if one.get("converged") else "did not converge"
            yield f"{split}: {one['steps']} steps of pretraining, which {ended}."
    for one in run.results.selections:
        if one.label_fraction == 1 and one.repeat == 0:
            yield f"{one.split}: chosen {one.chosen}, {one.reason.rstrip('.')}."
    versions = run.run.versions
    told_of = [f"{name} {versions[name]}" for name in ("rdfc-core", "torch") if name in versions]
    if told_of:
        yield f"Made with {', '.join(told_of)}; all versions are in {files.STUDY}."


def _results(run: Evidence, rows: list[Row]) -> Iterator[list[str]]:
    if not rows:
        yield ["Nothing was tested."]
        return
    confidence = run.setting("evaluate.confidence")
    share = f"{100 * float(confidence):g} % interval" if confidence else "Interval"
    yield table(
        ("Metric", f"Estimate [{share}]", "Held back"),
        (
            (metric_heading(row.metric), text.interval(row), text.count(row.n_cases, row.unit))
            for row in sorted(rows, key=_place)
        ),
    )
    per_class = list(_per_class(run))
    if per_class:
        yield table(("Class", "Held back", "Recognised"), per_class)
    if run.results.headline:
        yield [plain(headline.conclusion(run.results.headline))]


def _place(row: Row) -> int:
    names = list(METRIC_HEADINGS)
    return names.index(row.metric) if row.metric in names else len(names)


def _per_class(run: Evidence) -> Iterator[tuple[str, str, str]]:
    """Of each class, how many held-back cases there are, and how many were recognised."""
    said = run.predictions
    if said is None or run.regression:
        return
    for label in run.results.dataset.classes:
        own = [p == label for t, p in zip(said.labels, said.predicted, strict=True) if t == label]
        if own:
            yield label, str(len(own)), f"{sum(own)} ({text.percent(sum(own) / len(own))})"


def _calibration(run: Evidence, rows: list[Row]) -> Iterator[str]:
    for row in rows:
        if row.metric in (ECE, BRIER):
            yield f"{metric_heading(row.metric)}, 0 is perfect: {text.interval(row)}."
    for one in run.results.selections:
        if one.label_fraction == 1 and one.repeat == 0 and one.folds:
            heat = ", ".join(
                f"{r.candidate} {r.temperature:.2f}"
                for r in one.ranking
                if r.candidate in one.members
            )
            yield f"{one.split}: probabilities are divided by a temperature ({heat})."


def _limits(run: Evidence) -> Iterator[str]:
    yield from run.results.warnings
    if not run.validations:
        yield "It was not validated on cases of another place."
    for file, validation in run.validations:
        for cohort in validation.cohorts:
            yield f"Validated on {cohort.name} ({text.count(cohort.cases, 'case')}): {file}."
    if len(run.evaluations) > 1:
        yield f"In this folder its test part was evaluated {len(run.evaluations)} times."


def _starts(run: Evidence) -> Iterator[str]:
    views = run.setting("views") or {}
    for name, view in views.items():
        encoder = view.get("encoder") if isinstance(view, dict) else None
        if not isinstance(encoder, dict):
            continue
        start = encoder.get("weights") or ("published weights" if encoder.get("pretrained") else "")
        told = run.recorded(files.RESULTS, f"run.starts.{name}")
        if not start:
            yield f"{name}: fresh random weights; no licence of others applies."
        elif told:
            yield f"{name}: {start}, {told}."
        else:
            yield f"{name}: {start}; the run does not record under which licence: look it up."


def _usage(run: Evidence) -> Iterator[list[str]]:
    name = run.run.name
    yield [
        "The whole run folder is needed, and rdfc with the plugins that `study.yaml` names. In "
        "place of NAME, its path:"
    ]
    yield [
        "```console",
        "$ rdfc predict NAME --image IMAGE --mask MASK",
        "$ rdfc validate NAME --manifest LABELLED.csv",
        "```",
    ]
    yield [
        "```python",
        "import rdfc_core as rdfc",
        "",
        f'rdfc.load_run({name!r}).predict("new_cases.csv")',
        "```",
    ]
    others = {c for model in run.models.values() for c in model.candidates} - {PROBE}
    if others:
        yield [f"Other saved candidates, by `--method`: {plain(', '.join(sorted(others)))}."]
