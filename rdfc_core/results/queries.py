"""What query strategies gain over random draws, in ``results.json``."""

from __future__ import annotations

from pydantic import BaseModel

from rdfc_core.results.headline import DESCRIBED
from rdfc_core.results.vocabulary import Unit


class BoughtLabels(BaseModel):
    """A linear probe on labels that a query strategy bought, beside one on labels drawn at random.

    Labels were bought on training cases, batch after batch, several times on each split; the
    difference is of the same held-back cases, its interval from patients and repetitions resampled
    together. None where undefined.
    """

    model_config = DESCRIBED

    strategy: str
    """Its name in ``evaluate.query_strategies``; the others are compared with ``random``."""
    labels: tuple[int, ...]
    """How many labels were bought, by ``evaluate.label_unit``; several: the mean over them."""
    metric: str
    """The metric that decides, such as ``f1_weighted``."""
    mean: float | None
    """Over splits and repetitions."""
    ci_low: float | None
    """Lower end of its interval."""
    ci_high: float | None
    """Upper end of its interval."""
    difference: float | None
    """The strategy minus random draws."""
    difference_low: float | None
    """Lower end of its interval."""
    difference_high: float | None
    """Upper end of its interval."""
    p: float | None
    """Two-sided p-value of the difference."""
    labelled_cases: float
    """Labelled cases, the mean."""
    n_cases: int
    """Held-back cases, or patients (`unit`), that were judged."""
    unit: Unit = "case"
    """As in `rows`."""
    folds: int
    """Splits."""
    repeats: int
    """How often labels were bought anew on each split."""
