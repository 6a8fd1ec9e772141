"""What a run answers before anything else: three lines, in the terminal and on the page alike.

Did pretraining help, which model is saved and why, and what to do next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rdfc_core.evaluation.sample_size import remedy, too_few
from rdfc_core.report import headline, text
from rdfc_core.report.run_data import PretrainingFacts, RecordedResults
from rdfc_core.results.headline import Against, Headline
from rdfc_core.results.schema import Comparison
from rdfc_core.results.vocabulary import (
    ENSEMBLE,
    HYBRID_FINETUNE,
    HYBRID_SCRATCH,
    IMAGE_AND_RADIOMICS,
    LABEL_EFFICIENCY,
    LINEAR,
    PROBE,
    RADIOMICS,
    RADIOMICS_LOGISTIC,
    RADIOMICS_RIDGE,
    RANDOM_INIT,
    in_sentence,
)

MODELS: dict[str, str] = {
    PROBE: "The linear probe",
    HYBRID_FINETUNE: "The fine-tuned network",
    RADIOMICS: "Conventional radiomics",
    RADIOMICS_LOGISTIC: "Radiomics by logistic regression",
    RADIOMICS_RIDGE: "Radiomics by ridge regression",
    IMAGE_AND_RADIOMICS: "Image features beside radiomics",
    ENSEMBLE: "An ensemble",
}
"""What may be chosen, in words; other methods go by their names."""
MOST_STEPS = 2
"""Of what to do next, so many are told: the first come first."""


class Answer(NamedTuple):
    """A question, its answer in a word or two, and what that rests on."""

    question: str
    word: str
    grounds: str

    def __str__(self) -> str:
        return f"{self.question} {self.word}. {self.grounds}".rstrip()


class ToldDifference(NamedTuple):
    """Pretrained less not pretrained, in like networks: against what, with how many labels."""

    less: str
    label_fraction: float
    outcome: text.Outcome
    shown: str


def answers(results: RecordedResults, run: str) -> tuple[Answer, ...]:
    """The three lines.

    Args:
        results: Of a run that was evaluated and has a headline; of others there are no answers.
        run: How commands call the run's folder.
    """
    told = results.headline
    if told is None or headline.main_row(told, results.rows) is None:
        return ()
    few = not_judged(results)
    found = () if few else tuple(_differences(told, results.comparisons))
    return (
        Answer("Did pretraining help?", *_pretraining(results, found, few)),
        Answer("Which model is saved?", *_model(results, told, few)),
        Answer("What next?", *_next(results, found, run)),
    )


def not_judged(results: RecordedResults) -> str:
    """Why nothing can be judged by the run's held-back cases; "" if it can."""
    return too_few(results.dataset.tested, folds=_in_folds(results))


def _in_folds(results: RecordedResults) -> bool:
    return len(results.dataset.splits) > 1


def _differences(told: Headline, comparisons: Sequence[Comparison]) -> Iterator[ToldDifference]:
    """What pretraining is worth with all labels, then with the fewest that were tried."""
    for one in told.against:
        if is_of_pretraining(one):
            yield ToldDifference(
                one.less.method, 1.0, headline.outcome(one), headline.difference(one)
            )
    pairs = [
        one
        for one in comparisons
        if (one.table, one.metric) == (LABEL_EFFICIENCY, told.metric)
        and one.label_fraction < 1
        and (one.method_a, one.method_b) == (HYBRID_FINETUNE, HYBRID_SCRATCH)
    ]
    if pairs:
        few = min(pairs, key=lambda one: one.label_fraction)
        yield ToldDifference(
            HYBRID_SCRATCH, few.label_fraction, headline.outcome(few), headline.difference(few)
        )


def is_of_pretraining(one: Against) -> bool:
    """Whether like is compared with like: the same network, or probe, with and without it."""
    networks = (one.of.method, one.less.method) == (HYBRID_FINETUNE, HYBRID_SCRATCH)
    return networks or (one.of.table == LINEAR and one.less.method == RANDOM_INIT)


def _pretraining(
    results: RecordedResults, found: Sequence[ToldDifference], few: str
) -> tuple[str, str]:
    if few:
        return "It cannot be told", few.removesuffix(f" {remedy(folds=_in_folds(results))}.")
    if not found:
        return "Not asked", (
            "Neither the untrained network (evaluate.controls: [random-init]) nor training from "
            "scratch (supervised.methods: [hybrid-scratch, hybrid-finetune]) was evaluated."
        )
    metric = in_sentence(results.headline.metric) if results.headline else ""
    grounds = f"{_in_words(found)}, in {metric}."
    if _unconverged(results):
        grounds += " It ended before its task was learnt, so this is not its last word."
    return _word(found), grounds[:1].upper() + grounds[1:]


def _in_words(found: Sequence[ToldDifference]) -> str:
    """``against training from scratch +0.171 [+0.121, +0.232]; against …``."""
    names: dict[str, str] = {
        HYBRID_SCRATCH: "training from scratch",
        RANDOM_INIT: "the untrained network",
    }
    parts = []
    for one in found:
        labels = (
            ""
            if one.label_fraction == 1
            else (f" with {text.percent(one.label_fraction)} of the labels")
        )
        parts.append(f"against {names[one.less]}{labels} {one.shown}")
    return "; ".join(parts)


def _word(found: Sequence[ToldDifference]) -> str:
    full = [one.outcome for one in found if one.label_fraction == 1]
    fewer = [one.outcome for one in found if one.label_fraction < 1]
    if full and set(full) == {"better"}:
        return "Yes"
    if "better" in full:
        return "In part"
    if "better" in fewer:
        return "With few labels"
    return "No, it does worse" if "worse" in full else "No gain is shown"


def _model(results: RecordedResults, told: Headline, few: str) -> tuple[str, str]:
    saved = [one for one in results.selections if (one.label_fraction, one.repeat) == (1.0, 0)]
    chosen = list(dict.fromkeys(one.chosen for one in saved))
    if len(chosen) == 1:
        word = MODELS.get(chosen[0], chosen[0])
    else:
        word = "One of each split" if chosen else "The probe named beforehand"
    row = headline.main_row(told, results.rows)
    if few and row:
        what = headline.what_it_is(row, results.selections)
        grounds = [f"{what[:1].upper()}{what[1:]}."]
    else:
        grounds = [
            headline.score(told, results.rows, results.selections),
            headline.conclusion(told),
        ]
    if len(saved) == 1 and saved[0].folds:
        grounds.append(f"It was taken because {saved[0].reason}.")
    return word, " ".join(grounds)


def _next(results: RecordedResults, found: Sequence[ToldDifference], run: str) -> tuple[str, str]:
    steps: list[Step] = []
    for doubt in _DOUBTS:
        steps += doubt(results, run)
    if not steps:
        steps = list(_onwards(results, found, run))
    (word, grounds), *others = steps[:MOST_STEPS]
    return word, " ".join([grounds, *(f"{also}: {why}" for also, why in others)])


Step = tuple[str, str]
"""What to do in a word or two, and how."""


def _failures(results: RecordedResults, run: str) -> Iterator[Step]:
    if results.failed:
        cases = text.count(len(results.failed), "case")
        yield (
            "Mend the cases that failed",
            f"{cases} could not be used, each with its reason under Data (results.json: failed). "
            f"Then rdfc run {run}/study.yaml --out {run}.",
        )


def _early(results: RecordedResults, run: str) -> Iterator[Step]:
    for one in _unconverged(results)[:1]:
        longer = "".join(f" --set {setting}" for setting in one.longer)
        yield (
            "Train longer",
            f"rdfc run {run}/study.yaml --out {run}{longer or ' --set pretrain.epochs=MORE'} goes "
            "on from where it ended.",
        )


def _unconverged(results: RecordedResults) -> list[PretrainingFacts]:
    """The trainings of the study's own pretext that ended before it was learnt."""
    own = {split.name for split in results.dataset.splits}
    return [told for name, told in results.run.convergence.items() if name in own and told.early]


def _few_cases(results: RecordedResults, run: str) -> Iterator[Step]:
    if not_judged(results):
        yield "More held-back cases", f"{remedy(folds=_in_folds(results))}."


def _few_labels(results: RecordedResults, run: str) -> Iterator[Step]:
    full = [one for one in results.selections if one.label_fraction == 1]
    if any(one.folds == 0 for one in full):
        yield ("Label more patients", "the training part has too few labels to choose a model by.")


_DOUBTS: tuple[Callable[[RecordedResults, str], Iterator[Step]], ...] = (
    _failures,
    _few_cases,
    _few_labels,
    _early,
)
"""What comes before a result is used, the first first."""


def _onwards(results: RecordedResults, found: Sequence[ToldDifference], run: str) -> Iterator[Step]:
    """What follows a sound run: use and validation, or what may turn "no gain" into one."""
    if any(one.outcome == "better" for one in found):
        yield (
            "Validate it elsewhere",
            f"rdfc validate {run} --manifest OTHER.csv, on labelled cases of another place. "
            f"rdfc predict {run} --manifest NEW.csv says what it says of new ones.",
        )
        return
    if found and not results.dataset.unlabelled:
        yield (
            "Add cases without a diagnosis",
            "every case of this run has a label, and pretraining is worth most where outlines are "
            "many and diagnoses few.",
        )
    yield (
        "Label more",
        f"rdfc suggest {run} --budget 20 names the cases whose diagnosis would tell most.",
    )
