"""What guards a saved model's single predictions, and how that held on the test part."""

from __future__ import annotations

from pydantic import BaseModel

from rdfc_core.results.headline import DESCRIBED
from rdfc_core.results.validation import Value


class Conformal(BaseModel):
    """How sets of classes, or intervals of numbers, are made; from held-back training cases.

    A class is in a case's set if its probability is at least the class's threshold.
    """

    model_config = DESCRIBED

    coverage: float
    """How often the set is to hold the label."""
    by_class: bool = False
    """Whether each class was calibrated for itself."""
    thresholds: dict[str, float] = {}
    """Class → the least probability at which it is in the set; equal for all unless by class."""
    half_width: float | None = None
    """Where numbers are predicted: the interval reaches so far to either side."""
    cases: int = 0
    """Held-back training cases behind it."""
    patients: int = 0
    """Their patients; each counts once."""
    why_not: str = ""
    """Why there are no sets; empty: there are."""


class OperatingPoint(BaseModel):
    """A threshold that was chosen on held-back training cases."""

    model_config = DESCRIBED

    name: str
    """``sensitivity_0.95``: what it was to reach."""
    positive: str
    """The class that is looked for."""
    threshold: float | None
    """A case counts as positive if that class's probability is at least this."""
    sensitivity: float | None = None
    """Reached on the held-back training cases."""
    specificity: float | None = None
    """Reached on the held-back training cases."""
    positives: int = 0
    """Held-back training cases of the positive class."""
    negatives: int = 0
    """Held-back training cases of the other class."""
    why_not: str = ""
    """Why there is no threshold; empty: there is."""


class Familiarity(BaseModel):
    """How far training cases are from those of other patients."""

    model_config = DESCRIBED

    quantile: float
    """Share of the training cases within `limit`."""
    neighbours: int
    """The distance is that to the so many nearest training case of another patient."""
    sources: tuple[str, ...]
    """The features that the saved model stands on: kind and view."""
    limit: float | None
    """Beyond it a case is called unlike the training cases; null: `why_not`."""
    cases: int
    """Training cases, with or without a label."""
    patients: int
    """Their patients; each counts once."""
    why_not: str = ""
    """Why no case is flagged; empty: cases are."""


class Safeguards(BaseModel):
    """What a saved model has to tell of a single prediction; None: it was switched off."""

    model_config = DESCRIBED

    conformal: Conformal | None = None
    """Prediction sets."""
    operating_points: tuple[OperatingPoint, ...] = ()
    """Thresholds."""
    familiarity: Familiarity | None = None
    """Distance to the training cases."""


class JudgedSets(BaseModel):
    """Prediction sets, or intervals, on cases that took no part in making them."""

    model_config = DESCRIBED

    nominal: float
    """How often they were to hold the label."""
    by_class: bool
    """Whether each class was calibrated for itself."""
    coverage: Value
    """How often they did; each patient counts once."""
    coverage_of: dict[str, Value] = {}
    """The same within each class."""
    certain: Value | None = None
    """Share of cases whose set is a single class."""
    certain_right: Value | None = None
    """Of these, the share with that label."""
    empty: float | None = None
    """Share of cases whose set is empty: no class is as probable as it usually is."""
    width: float | None = None
    """Mean width of the intervals, in the units of the label."""
    cases: int
    """Cases."""
    patients: int
    """Their patients."""


class JudgedPoint(BaseModel):
    """An operating point on cases that took no part in choosing it."""

    model_config = DESCRIBED

    name: str
    """As in the model."""
    positive: str
    """The class that is looked for."""
    thresholds: dict[str, float]
    """Split → its threshold."""
    sensitivity: Value
    """Of the positive cases, the share that is found."""
    specificity: Value
    """Of the others, the share that is left alone."""
    ppv: Value
    """Of those called positive, the share that is."""
    npv: Value
    """Of the others, the share that is not."""
    cases: int
    """Cases."""


class JudgedSafeguards(BaseModel):
    """What the safeguards of a run's models come to on its test parts."""

    model_config = DESCRIBED

    sets: JudgedSets | None = None
    """Prediction sets or intervals."""
    operating_points: tuple[JudgedPoint, ...] = ()
    """Thresholds, as chosen."""
    flagged: Value | None = None
    """Share of test cases called unlike the training cases."""
    quantile: float | None = None
    """One minus this share was to be expected."""
    why_not: tuple[str, ...] = ()
    """What could not be given, and why, in sentences."""
