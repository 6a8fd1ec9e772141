"""What a run judges above all: the model that was chosen, and what it is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from rdfc_core.results.schema import Row

DESCRIBED = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
"""The docstring below a field is its description in the JSON schema."""


class Ranked(BaseModel):
    """A candidate on the inner folds of the training cases.

    Candidates are ranked by their mean loss on held-back training cases: ``log_loss`` of classes,
    calibrated, in nats; ``absolute_error`` of numbers, in the units of the label. ``behind`` is how
    much more that is than the best candidate's, and ``standard_error`` that of the difference, by
    patient. ``temperature`` calibrates the candidate.
    """

    model_config = DESCRIBED

    candidate: str
    """Its name, such as ``probe``."""
    tuning: str = ""
    """Its penalty or setting of fine-tuning."""
    log_loss: float | None = None
    """Mean over held-back training cases, calibrated, in nats; null where numbers are predicted."""
    absolute_error: float | None = None
    """Mean over held-back training cases, in the units of the label; null of classes."""
    behind: float
    """How much more that is than the best candidate's."""
    standard_error: float
    """Of that difference, by patient."""
    temperature: float = 1.0
    """Calibrates the candidate's probabilities."""


class Selection(BaseModel):
    """The model that was chosen, by training cases alone.

    ``chosen`` is a candidate or ``ensemble``; ``members`` the candidates that it averages.
    ``folds`` is 0 where nothing could be held back, and ``reason`` says so.
    """

    model_config = DESCRIBED

    split: str
    """The split's name."""
    label_fraction: float = 1.0
    """Share of the training labels."""
    repeat: int = 0
    """Draw of the labels."""
    chosen: str
    """A candidate, or ``ensemble``."""
    members: tuple[str, ...]
    """The candidates that it averages."""
    ranking: tuple[Ranked, ...] = ()
    """All candidates."""
    folds: int
    """Inner folds; 0 where nothing could be held back."""
    labelled_cases: int
    """Training cases with a label."""
    test_cases_seen: int = 0
    """Always 0: no test case takes part."""
    reason: str
    """Why this one, in a sentence."""


class Judged(BaseModel):
    """What is judged, as a row of the tables names it; with all labels."""

    model_config = DESCRIBED

    table: str
    """As in `rows`."""
    method: str
    """As in `rows`."""
    input: str
    """As in `rows`."""
    layer: str
    """As in `rows`."""
    classifier: str
    """As in `rows`."""

    def is_of(self, row: Row) -> bool:
        """Whether the row's number is its."""
        own = (row.table, row.method, row.input, row.layer, row.classifier)
        return own == tuple(self.model_dump().values()) and row.label_fraction == 1


class Against(BaseModel):
    """One method minus another, paired by case, by the study's own resamples and coverage.

    ``p_corrected`` is Holm's over the whole headline. None where undefined.
    """

    model_config = DESCRIBED

    of: Judged
    """What is judged."""
    less: Judged
    """What it is compared with."""
    difference: float | None
    """The one minus the other, on the same cases."""
    ci_low: float | None
    """Lower end of its interval."""
    ci_high: float | None
    """Upper end of its interval."""
    p: float | None
    """Two-sided p-value."""
    p_corrected: float | None
    """The p-value after Holm's correction over the whole headline."""


class Headline(BaseModel):
    """What the headline is about, and its comparisons.

    ``illustration`` is what to remember of data that are no patients'.
    """

    model_config = DESCRIBED

    main: Judged
    """What is judged."""
    metric: str
    """As in `rows`."""
    against: tuple[Against, ...] = ()
    """Its comparisons."""
    confidence: float
    """Coverage of the intervals."""
    resamples: int
    """Resamples behind them."""
    illustration: str = ""
    """What to remember of data that are no patients'; empty: they are."""
