"""What a trained run is worth on cases of another place: ``validation.json``."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from rdfc_core.errors import DataError
from rdfc_core.results.headline import DESCRIBED
from rdfc_core.results.metric_facts import MetricFacts
from rdfc_core.results.vocabulary import CASE, CLASSIFICATION, TaskName, Unit
from rdfc_core.utils.atomic import MOST_TEXT, replacing, within


class Value(BaseModel):
    """A number with its interval, from resampled patients; None where it does not exist."""

    model_config = DESCRIBED

    estimate: float | None
    """On the cases themselves."""
    low: float | None = None
    """Lower end of the interval."""
    high: float | None = None
    """Upper end of the interval."""


class ClassCalibration(BaseModel):
    """How the probabilities of one class agree with how often cases have it."""

    model_config = DESCRIBED

    label: str
    """The class."""
    predicted: float
    """Mean probability."""
    observed: float
    """Share of the cases that have it."""
    shift: Value
    """Calibration in the large: what every logit lacks; 0 is perfect, above it they are too low."""
    slope: Value
    """Calibration slope: 1 is perfect, below it probabilities are too extreme."""
    intercept: Value
    """Of the line with that slope; 0 is perfect."""


class NumberCalibration(BaseModel):
    """How predicted numbers agree with the true ones, in the units of the label."""

    model_config = DESCRIBED

    predicted: float
    """Mean prediction."""
    observed: float
    """Mean label."""
    bias: Value
    """Mean of predicted less true number; 0 is perfect."""
    slope: Value
    """Of the line from predicted to true number: 1 is perfect, below it predictions are too far
    from their mean."""
    intercept: Value
    """Of that line; 0 is perfect."""


class Decision(BaseModel):
    """Net benefit of acting at each threshold of the probability, a case, in true positives."""

    model_config = DESCRIBED

    label: str
    """The class that is acted on."""
    thresholds: tuple[float, ...]
    """At and above which one acts."""
    model: tuple[float, ...]
    """Acting on whom the model says so of."""
    everyone: tuple[float, ...]
    """Acting on all; on none is 0."""


class Subgroup(BaseModel):
    """The metrics of the cases with one value of a column."""

    model_config = DESCRIBED

    column: str
    """The column."""
    value: str
    """Its value, or a range of numbers."""
    cases: int
    """Labelled cases, or patients where these are judged."""
    patients: int
    """Their patients."""
    per_class: dict[str, int]
    """Cases of each class."""
    metrics: dict[str, Value]
    """Empty where there are too few cases of a class to judge by."""


class DriftedFeature(BaseModel):
    """A feature here and among the training cases."""

    model_config = DESCRIBED

    name: str
    """The feature, behind the name of its view."""
    trained: float
    """Its mean among the training cases."""
    here: float
    """Its mean here."""
    difference: float
    """In standard deviations of the training cases."""
    ks: float
    """Largest distance of the distribution functions (Kolmogorov–Smirnov)."""


class Drift(BaseModel):
    """How far the cases are from those that the model was trained on."""

    model_config = DESCRIBED

    split: str
    """Whose training cases and network."""
    features: int
    """Features that were compared."""
    large: int
    """Of these, with a difference of means above half a standard deviation."""
    furthest: tuple[DriftedFeature, ...]
    """The largest differences."""
    told_apart: Value | None
    """AUROC by which embeddings tell where a case is from; 0.5: not at all. None: too few cases."""
    unfamiliar: float | None
    """Share of cases further from the training cases than 95 % of familiar ones; 0.05 is none."""


class Cohort(BaseModel):
    """One list of cases."""

    model_config = DESCRIBED

    name: str
    """What it is called."""
    listing: str
    """The list."""
    cases: int
    """That could be used."""
    patients: int
    """Their patients."""
    labelled: int
    """Cases, or patients, that are judged."""
    per_class: dict[str, int]
    """Of each class; empty where numbers are predicted."""
    unlabelled: int
    """Cases without a label: they count for the drift alone."""
    failed: tuple[dict[str, str], ...]
    """Cases that could not be used, with the reason."""
    metrics: dict[str, Value]
    """On the labelled cases."""
    calibration: tuple[ClassCalibration, ...]
    """Of the second of two classes, or of each."""
    numbers: NumberCalibration | None = None
    """Calibration where numbers are predicted."""
    recalibrated: dict[str, Value]
    """Brier score and calibration error once the logits are shifted; of two classes."""
    decisions: tuple[Decision, ...]
    """Of the second of two classes, or of each."""
    subgroups: tuple[Subgroup, ...]
    """By the columns that were asked for."""
    drift: Drift
    """Against the training cases."""
    too_few: str = ""
    """Why nothing is judged by so few cases, or ""."""
    content: tuple[str, ...] = ()
    """Fingerprints of its cases, as ``cases.csv`` of a run has them."""
    shared_patients: int | None = None
    """Ids of patients that the run has learnt from; null in files of an older rdfc."""


class Validation(BaseModel):
    """A trained run on cases of other places."""

    model_config = DESCRIBED

    run: str
    """The run folder's name."""
    method: str
    """What predicted."""
    task: TaskName = CLASSIFICATION
    """What is predicted."""
    unit: Unit = CASE
    """What is judged, as in the run: cases, or patients by all their lesions."""
    metrics: tuple[MetricFacts, ...] = ()
    """The study's own metrics."""
    classes: tuple[str, ...]
    """In the order of probabilities; none where numbers are predicted."""
    confidence: float
    """Coverage of the intervals."""
    own: dict[str, Value]
    """The same method on the run's own held-back cases."""
    own_cases: int
    """How many these are."""
    cohorts: tuple[Cohort, ...]
    """In the order in which they were given."""
    warnings: tuple[str, ...] = ()
    """What was warned of on the way."""
    models: dict[str, str] = {}
    """Split → SHA-256 of the weights that were judged, as ``model.json`` has it."""

    def write(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        text = json.dumps(self.model_dump(mode="json"), indent=1, allow_nan=False)
        with replacing(path) as partial:
            partial.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Validation:
        """Read what `write` wrote.

        Raises:
            DataError: If the file is missing or damaged.
        """
        try:
            text = within(path, MOST_TEXT).read_text(encoding="utf-8")
            return cls.model_validate_json(text)
        except (OSError, ValueError) as error:
            raise DataError(f"{path} is damaged. Validate the run again.") from error
