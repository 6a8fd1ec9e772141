"""The headline in sentences, for the terminal and for the report."""

from __future__ import annotations

from collections.abc import Sequence

from rdfc_core.report import text
from rdfc_core.report.run_data import key_of
from rdfc_core.results.schema import Against, Comparison, Headline, Row, Selection
from rdfc_core.results.vocabulary import (
    ENSEMBLE,
    MAE,
    OPPONENTS,
    R2,
    RADIOMICS,
    SELECTED,
)

MOST_NAMED = 3
"""So many methods that are not beaten are named in a sentence; more stand in the table alone."""


def main_row(headline: Headline, rows: Sequence[Row]) -> Row | None:
    """The row that the headline is about, in the metric that decides."""
    own = (row for row in rows if row.metric == headline.metric)
    return next((row for row in own if headline.main.is_of(row)), None)


def score(headline: Headline, rows: Sequence[Row], selections: Sequence[Selection]) -> str:
    """What the model reaches, and what it is."""
    row = main_row(headline, rows)
    if row is None:
        return ""
    model = "The selected model" if row.method == SELECTED else row.method
    return (
        f"{model} reaches {text.metric_in_sentence(row.metric)} of {text.interval(row)} on "
        f"{text.held_back(row)}{_error(headline, rows)} ({what_it_is(row, selections)})."
    )


def _error(headline: Headline, rows: Sequence[Row]) -> str:
    """``, with an MAE of 1.2 [1.0, 1.4]``, where a number is predicted."""
    own = (row for row in rows if row.metric == MAE and headline.main.is_of(row))
    row = next(own, None) if headline.metric == R2 else None
    return f", with {text.metric_in_sentence(MAE)} of {text.interval(row)}" if row else ""


def what_it_is(row: Row, selections: Sequence[Selection]) -> str:
    """The chosen model in words; of folds that chose otherwise, each choice with its number."""
    saved = [one for one in selections if (one.label_fraction, one.repeat) == (1.0, 0)]
    if row.method != SELECTED or not saved:
        return f"{text.describe(key_of(row))}, the variant named beforehand"
    chosen = [_in_words(one) for one in saved]
    counted = [
        f"{choice} in {chosen.count(choice)} of {len(chosen)} splits" if len(chosen) > 1 else choice
        for choice in dict.fromkeys(chosen)
    ]
    how = "by default" if not saved[0].folds else "by inner folds of the training cases"
    return f"{'; '.join(counted)}, chosen {how}"


def against(headline: Headline) -> list[tuple[str, str, str]]:
    """Each method that the main one is compared with, what it is, and the difference."""
    found = []
    for one in headline.against:
        if one.of == headline.main:
            known = OPPONENTS.get(one.less.method)
            found.append((label(one), known.what if known else "", difference(one)))
    return found


def conclusion(headline: Headline) -> str:
    """Which of them it beats, and what it means where it does not."""
    own = [one for one in headline.against if one.of == headline.main]
    if not own:
        return "No control was evaluated, so this number cannot be judged."
    better = [label(one) for one in own if outcome(one) == "better"]
    if not better and len(own) > MOST_NAMED:
        return f"It does better than none of the {len(own)} that it is compared with."
    clauses = [f"does better than {text.listed(better)}"] if better else []
    for kind, lead in (("open", "cannot be told apart from"), ("worse", "does worse than")):
        names = [label(one) for one in own if outcome(one) == kind]
        if names:
            clauses.append(f"{lead} {text.listed(names)}")
    meanings = [
        OPPONENTS[one.less.method].unbeaten
        for one in own
        if outcome(one) != "better" and one.less.method in OPPONENTS
    ]
    meant = f" ({'; '.join(dict.fromkeys(meanings))})" if meanings else ""
    return f"It {', '.join(clauses)}{meant}."


def outcome(one: Against | Comparison) -> text.Outcome:
    """How a difference is called: by whether its interval excludes zero."""
    if one.ci_low is not None and one.ci_low > 0:
        return "better"
    if one.ci_high is not None and one.ci_high < 0:
        return "worse"
    return "open"


def label(one: Against) -> str:
    """The other method; conventional radiomics with its classifier, for there are two."""
    other = one.less
    return f"{other.method} ({other.classifier})" if other.method == RADIOMICS else other.method


def difference(one: Against | Comparison) -> str:
    """``+0.143 [+0.090, +0.197], p corrected 0.004``."""
    if one.difference is None or one.ci_low is None or one.ci_high is None:
        return "undefined"
    score = f"{one.difference:+z.3f} [{one.ci_low:+z.3f}, {one.ci_high:+z.3f}]".replace("-", "−")
    return f"{score}, p corrected{text.NBSP}{text.p_value(one.p_corrected)}"


def _in_words(one: Selection) -> str:
    if one.chosen != ENSEMBLE:
        return one.chosen
    return f"ensemble of {text.listed(list(one.members))}"
