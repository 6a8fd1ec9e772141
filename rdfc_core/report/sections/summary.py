"""The summary: the study in one line, what came out, and how long it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rdfc_core.report import text
from rdfc_core.report.answers import Answer, answers, not_judged
from rdfc_core.report.glossary import explained
from rdfc_core.report.run_data import RunData, key_of
from rdfc_core.report.sections.paired_tests import in_words, of_own
from rdfc_core.report.verdict import Verdict, VerdictRow, named_variant
from rdfc_core.results.headline import Headline
from rdfc_core.results.vocabulary import LABEL_EFFICIENCY, LINEAR, MAE, OPPONENTS, SUPERVISED

STAGES = {"features": "features", "pretrain": "pretraining", "evaluate": "evaluation"}


@dataclass(frozen=True)
class Other:
    """What the method is compared with, in words; ``meaning`` where the method does not beat it."""

    method: str
    what: str
    score: str
    difference: str
    meaning: str


@dataclass(frozen=True)
class VerdictGroup:
    """One group of comparisons.

    Args:
        outcome: ``better``, ``open`` or ``worse``: how the method stands against these.
        lead: The words before them.
        others: What the method is compared with.
    """

    outcome: str
    lead: str
    others: tuple[Other, ...]


@dataclass(frozen=True)
class Summary:
    """What stands above all sections.

    Where there are answers, they take the place of ``headline`` and ``conclusion``.
    """

    title: str
    study: tuple[str, ...]
    answers: tuple[Answer, ...]
    words: tuple[tuple[str, str], ...]
    headline: str
    conclusion: str
    illustration: str
    claims: tuple[tuple[str, str], ...]
    findings: tuple[VerdictGroup, ...]
    how_compared: str
    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def summary(run: RunData, verdict: Verdict | None) -> Summary:
    """What stands at the top of the report."""
    results, few = run.results, _too_few(run) if verdict else ""
    first = answers(results, run.name) if results else ()
    told = results.headline if results else None
    dataset = _part_name(run.study, "dataset")
    if results and results.dataset.name:
        dataset = results.dataset.name
    return Summary(
        title=run.name,
        study=_study_line(run.study, dataset),
        answers=first,
        words=_words(first, told),
        headline="" if first else few or _headline(run, verdict),
        conclusion="" if first or few else _conclusion(run, verdict),
        illustration=told.illustration if told else "",
        claims=() if few else _claims(run),
        findings=() if few else _findings(verdict),
        how_compared="" if few else _how_compared(verdict),
        facts=_facts(run),
        warnings=tuple(one for one in results.warnings if one != few) if results else (),
    )


def _words(first: Sequence[Answer], told: Headline | None) -> tuple[tuple[str, str], ...]:
    """What the answers' words mean."""
    if told is None:
        return ()
    said = " ".join(str(one) for one in first)
    return explained(said, (told.metric, MAE), told.confidence)


def _too_few(run: RunData) -> str:
    """Why the study's methods cannot be judged by its held-back cases; "" if they can."""
    return not_judged(run.results) if run.results else ""


def _study_line(study: Mapping[str, Any] | None, dataset: str) -> tuple[str, ...]:
    """Data set, views, objective, seed: ``radiomics (pyradiomics)``, ``image (timm, resnet18)``."""
    if study is None:
        return (dataset,) if dataset else ()
    pieces = [dataset] if dataset else []
    views = study.get("views")
    if isinstance(views, Mapping):
        pieces += [_view(str(name), view) for name, view in views.items()]
    pretext = study.get("pretext")
    if isinstance(pretext, Mapping):
        objective = _part_name(pretext, "objective")
        task = str(pretext.get("name", "pretext"))
        pieces.append(f"{task} with {objective}" if objective else task)
    if study.get("seed") is not None:
        pieces.append(f"seed {study['seed']}")
    return tuple(pieces)


def _view(name: str, view: Any) -> str:
    if not isinstance(view, Mapping):
        return name
    made_of = [
        ", ".join(str(part[key]) for key in ("name", "model") if part.get(key))
        for part in (view.get("extractor"), view.get("encoder"))
        if isinstance(part, Mapping)
    ]
    return f"{name} ({'; '.join(made_of)})" if made_of else name


def _part_name(study: Mapping[str, Any] | None, part: str) -> str:
    found = (study or {}).get(part)
    return str(found.get("name", "")) if isinstance(found, Mapping) else ""


def _headline(run: RunData, verdict: Verdict | None) -> str:
    if verdict is None:
        if not (run.results and run.results.rows):
            return "No method has been evaluated yet."
        return "No row holds a learnt method with all training labels, so there is no headline."
    row = verdict.main
    if verdict.variants > 1:
        best_of = f", the best of {verdict.variants} learnt variants"
    else:
        best_of = ", the variant named beforehand" if named_variant(run) else ""
    return (
        f"{row.method} reaches {text.metric_in_sentence(verdict.metric)} of "
        f"{text.interval(row)} on {text.held_back(row)} "
        f"({text.describe(key_of(row))}{best_of})."
    )


def _conclusion(run: RunData, verdict: Verdict | None) -> str:
    """The sentence that a reader should not have to work out alone."""
    if verdict is None:
        return ""
    if not verdict.comparisons:
        return "No control was evaluated, so this number cannot be judged."
    controls = [c for c in verdict.comparisons if text.is_control(c.row)]
    unbeaten = [c for c in controls if c.outcome != "better"]
    if not controls:
        return "No control was evaluated: whether the score is due to the method remains open."
    if not unbeaten:
        return "It does better than every control that was evaluated."
    worse = [c.row.method for c in unbeaten if c.outcome == "worse"]
    alike = [c.row.method for c in unbeaten if c.outcome == "open"]
    clauses = []
    if worse:
        clauses.append(f"{text.listed(worse)} {'do' if len(worse) > 1 else 'does'} better")
    if alike:
        clauses.append(f"{text.listed(alike)} cannot be told apart from it on these cases")
    gain = "no gain over them is shown" if len(unbeaten) > 1 else "no gain over it is shown"
    return f"But {', and '.join(clauses)}: {gain}."


def _claims(run: RunData) -> tuple[tuple[str, str], ...]:
    """What the paired tests say of each of the paper's tables: its name, and a sentence."""
    found = {(c.table, c.label_fraction) for c in run.results.comparisons} if run.results else set()
    fewest = min((share for table, share in found if table == LABEL_EFFICIENCY), default=1.0)
    asked = (
        ("Frozen features", LINEAR, 1.0),
        ("All labels", SUPERVISED, 1.0),
        (f"{text.percent(fewest)} of the labels", LABEL_EFFICIENCY, fewest),
    )
    claims = []
    for title, table, share in asked:
        tested = of_own(run, table, share)
        if tested and tested[1]:
            claims.append((title, in_words(*tested)))
    return tuple(claims)


def _findings(verdict: Verdict | None) -> tuple[VerdictGroup, ...]:
    if verdict is None:
        return ()
    leads = {
        "worse": "Does worse than",
        "open": "Cannot be told apart from",
        "better": "Does better than",
    }
    groups = []
    for outcome, lead in leads.items():
        others = tuple(_other(c) for c in verdict.comparisons if c.outcome == outcome)
        if others:
            groups.append(VerdictGroup(outcome, lead, others))
    return tuple(groups)


def _other(comparison: VerdictRow) -> Other:
    row = comparison.row
    control = OPPONENTS.get(row.method)
    difference = ""
    if comparison.difference:
        value, low, high = comparison.difference
        difference = f"difference {value:+z.3f} [{low:+z.3f}, {high:+z.3f}]".replace("-", "−")
        if comparison.repetitions < row.seeds:  # older runs kept no more
            difference += f" from the first of {row.seeds} repeats"
    return Other(
        method=row.method,
        what=control.what if control else "",
        score=text.interval(row),
        difference=difference,
        meaning=control.unbeaten if control and comparison.outcome != "better" else "",
    )


def _how_compared(verdict: Verdict | None) -> str:
    if verdict is None or not verdict.comparisons:
        return ""
    paired = any(c.difference for c in verdict.comparisons)
    by_rows = any(not c.difference for c in verdict.comparisons)
    sentences = []
    if paired:
        sentences.append(
            f"Differences are paired by case, with a {100 * verdict.confidence:g} % interval from "
            "resampling patients; a method does better if that interval lies on one side of zero."
        )
    if by_rows:
        sentences.append(
            "Where no difference is given, only the two intervals were compared: a method does "
            "better if they do not touch, which is the stricter rule."
        )
    if verdict.variants > 1:
        sentences.append(
            "The best variant was chosen on the very cases it is judged on, which flatters it."
        )
    return " ".join(sentences)


def _facts(run: RunData) -> tuple[tuple[str, str], ...]:
    facts: list[tuple[str, str]] = []
    results = run.results
    if results:
        data = results.dataset
        counts = [
            text.count(n, one, many)
            for n, one, many in (
                (data.cases, "case", "cases"),
                (data.patients, "patient", "patients"),
                (data.unlabelled, "unlabelled", "unlabelled"),
            )
            if n
        ]
        facts.append(("Data", ", ".join(counts)))
        facts.append(("Started", results.run.started.replace("T", " ")))
        stages = [
            f"{STAGES.get(stage, stage)} {text.duration(seconds)}"
            for stage, seconds in results.run.seconds.items()
        ]
        total = sum(results.run.seconds.values())
        if stages:
            facts.append(("Time", f"{text.duration(total)} ({', '.join(stages)})"))
        facts.append(("Machine", results.run.machine))
    main = [f"{name} {v}" for name, v in run.versions.items() if name in _MAIN_VERSIONS]
    facts.append(("Versions", ", ".join(main)))
    return tuple((name, value) for name, value in facts if value)


_MAIN_VERSIONS = ("rdfc-core", "python", "torch")
