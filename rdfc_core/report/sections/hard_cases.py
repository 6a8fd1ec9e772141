"""The cases that methods most often get wrong, whichever method it is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rdfc_core.report import images, text
from rdfc_core.report.images import Picture
from rdfc_core.report.palette import colour_of
from rdfc_core.report.run_data import RecordedPredictions, RunData
from rdfc_core.report.sections.roc_and_calibration import scores_of
from rdfc_core.report.variants import judged
from rdfc_core.results.vocabulary import CONTROL, RANDOM_INIT, SELECTED, SHUFFLED_LABELS

SHOWN = 12
FEWEST = 2
"""Fewer methods than these are no panel: the controls then sit on it, too."""
BLIND = (SHUFFLED_LABELS, RANDOM_INIT)
"""Wrong by design: they never count."""


@dataclass(frozen=True)
class Opinion:
    """What one method said of a case, in one split and repetition."""

    predicted: str
    wrong: bool
    true_probability: float | None


@dataclass(frozen=True)
class HardCase:
    """A case that methods get wrong.

    Args:
        case_id: Its id.
        picture: Its thumbnail with the outline.
        label: The diagnosis.
        colour: The class's colour.
        said: The class that was said wrongly most often.
        wrong: How many are wrong, of how many.
        probability: The mean probability of the diagnosis; "" if none was given.
    """

    case_id: str
    picture: Picture | None
    label: str
    colour: str
    said: str
    wrong: str
    probability: str


@dataclass(frozen=True)
class HardCases:
    """What the section shows."""

    sentence: str
    cases: tuple[HardCase, ...]


def panel(run: RunData) -> list[RecordedPredictions]:
    """One variant a method, trained with all labels; controls only where there is little else."""
    stand = judged(run)
    known = [p for p in run.predictions if not stand or p.method in stand.values()]
    # What was chosen says what its members say, who sit on the panel themselves.
    known = [p for p in known if p.method.method not in (*BLIND, SELECTED)]
    learnt = [p for p in known if p.method.table != CONTROL]
    return learnt if len(learnt) >= FEWEST else known


def opinions(run: RunData) -> Mapping[str, list[Opinion]]:
    """Case id → what each method of the panel said, a split and repetition."""
    found: dict[str, list[Opinion]] = defaultdict(list)
    classes = run.classes
    for said in panel(run):
        scores = scores_of(said, classes)
        for i, case_id in enumerate(said.case_ids):
            label, predicted = said.labels[i], said.predicted[i]
            p = None if scores is None else float(scores[i, classes.index(label)])
            found[case_id].append(Opinion(predicted, predicted != label, p))
    return found


def told(opinions_of_case: list[Opinion], methods: int) -> str:
    """``wrong for 5 of 6 methods``; where each spoke several times, of so many judgements."""
    wrong = sum(one.wrong for one in opinions_of_case)
    what = "methods" if len(opinions_of_case) <= methods else "judgements"
    return f"wrong for {wrong} of {len(opinions_of_case)} {what}"


def hard_cases(run: RunData) -> HardCases | None:
    """The section; None where fewer than two methods spoke, or none was ever wrong."""
    methods = panel(run)
    if len(methods) < FEWEST:
        return None
    found = opinions(run)
    labels = {c: label for p in methods for c, label in zip(p.case_ids, p.labels, strict=True)}

    def rank(case_id: str) -> tuple[float, float, str]:
        opinions_of_case = found[case_id]
        share = sum(one.wrong for one in opinions_of_case) / len(opinions_of_case)
        return -share, _mean_probability(opinions_of_case, 1.0), case_id

    hard = sorted((c for c in found if any(one.wrong for one in found[c])), key=rank)
    if not hard:
        return None
    cases = []
    for case_id in hard[:SHOWN]:
        opinions_of_case, label = found[case_id], labels[case_id]
        wrongly = Counter(one.predicted for one in opinions_of_case if one.wrong)
        mean = _mean_probability(opinions_of_case, np.nan)
        cases.append(
            HardCase(
                case_id=case_id,
                picture=images.gallery_picture(run.pictures.get(case_id, b"")),
                label=label,
                colour=colour_of(label, run.classes),
                said=wrongly.most_common(1)[0][0],
                wrong=told(opinions_of_case, len(methods)),
                probability="" if np.isnan(mean) else f"{mean:.2f}",
            )
        )
    always = sum(all(one.wrong for one in opinions_of_case) for opinions_of_case in found.values())
    names = text.listed(list(dict.fromkeys(p.method.method for p in methods)))
    sentence = (
        f"Counted over {names}, each in its judged variant with all labels. "
        f"{text.count(always, 'case')} of {len(found)} "
        f"{'is' if always == 1 else 'are'} wrong for all of them: there look at the picture, the "
        "outline and the diagnosis before blaming a method."
    )
    return HardCases(sentence, tuple(cases))


def _mean_probability(opinions_of_case: list[Opinion], otherwise: float) -> float:
    known = [one.true_probability for one in opinions_of_case if one.true_probability is not None]
    return float(np.mean(known)) if known else otherwise
