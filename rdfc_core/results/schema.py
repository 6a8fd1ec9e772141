"""What a run found: rows of metrics, and what was left out on the way."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel

from rdfc_core.errors import DataError
from rdfc_core.results.headline import DESCRIBED
from rdfc_core.results.headline import Against as Against
from rdfc_core.results.headline import Headline as Headline
from rdfc_core.results.headline import Judged as Judged
from rdfc_core.results.headline import Ranked as Ranked
from rdfc_core.results.headline import Selection as Selection
from rdfc_core.results.metric_facts import MetricFacts as MetricFacts
from rdfc_core.results.queries import BoughtLabels as BoughtLabels
from rdfc_core.results.safeguards import JudgedSafeguards
from rdfc_core.results.vocabulary import CLASSIFICATION, TaskName, Unit
from rdfc_core.utils.atomic import MOST_TEXT, replacing, within

if TYPE_CHECKING:
    import pandas as pd


class Row(BaseModel):
    """One metric of one method.

    Values of classes lie between 0 and 1, and those of a study's own metrics within the bounds of
    these; errors of a predicted number are in the units of the label. None where a value does not
    exist (the spread of one fold).
    ``labelled_cases`` and ``labelled_patients`` say from how many labels the method learnt, the
    mean over folds and repetitions.
    """

    model_config = DESCRIBED

    table: str
    """``linear``, ``supervised``, ``label-efficiency`` or ``control``."""
    method: str
    """``rdfc`` (the study's pretext), another pretext's name, a method or a control."""
    dataset: str
    """The name of the data set's component."""
    input: str
    """Whose features: one view's name, ``both`` or ``all``, or a setting of fine-tuning."""
    layer: str
    """Which of its features, such as ``features`` of the towers or ``embedding``."""
    classifier: str
    """What was fitted on the features; for networks, how they were trained."""
    label_fraction: float = 1.0
    """Share of the training labels."""
    metric: str
    """``f1_weighted``, ``accuracy``, ``balanced_accuracy``, ``auroc``, ``brier``, ``ece``; of a
    regression ``r2``, ``mae``, ``rmse``, ``spearman``; or one that the study names."""
    mean: float | None
    """Over splits and repetitions."""
    sd: float | None
    """Standard deviation over splits and repetitions; null where there is but one."""
    ci_low: float | None
    """Lower end of the interval, from resampled patients."""
    ci_high: float | None
    """Upper end of the interval."""
    n_cases: int
    """Held-back cases, or patients (`unit`), that were judged."""
    unit: Unit = "case"
    """What was judged: each ``case``, or each ``patient`` by all its cases."""
    folds: int
    """Splits."""
    seeds: int
    """Repetitions in each split: draws of labels, or fresh weights."""
    labelled_cases: float = 0
    """Labelled cases that the method learnt from, the mean."""
    labelled_patients: float = 0
    """Their patients, the mean."""
    published: float | None = None
    """The number of the data set's publication, if there is one."""
    published_sd: float | None = None
    """Its standard deviation, if it was published."""


class Comparison(BaseModel):
    """Two methods of a table on the same cases: A minus B, with its interval and p-value.

    ``test`` is ``paired-bootstrap`` (of patients) or ``delong`` (AUROC); ``p_corrected`` is Holm's
    over the pairs and label fractions of one table, metric and test. None where undefined.
    """

    model_config = DESCRIBED

    table: str
    """As in `rows`."""
    label_fraction: float
    """As in `rows`."""
    metric: str
    """As in `rows`."""
    method_a: str
    """Method A; of each method the variant that was named beforehand."""
    method_b: str
    """Method B."""
    difference: float | None
    """A minus B on the same patients."""
    ci_low: float | None
    """Lower end of its interval."""
    ci_high: float | None
    """Upper end of its interval."""
    p: float | None
    """Two-sided p-value."""
    p_corrected: float | None
    """The p-value after Holm's correction."""
    test: str
    """``paired-bootstrap`` or ``delong``."""


class LabelsNeeded(BaseModel):
    """With how many labels one method does what another does with its own, by weighted F1.

    The reference's curve over the logarithm of the share, made non-decreasing, is read backwards,
    anew in every resample of patients and draws of labels.
    """

    model_config = DESCRIBED

    method: str
    """What began from a pretext, such as ``hybrid-finetune``."""
    label_fraction: float
    """Its share of the labels."""
    reference: str
    """What is asked how many it needs, such as ``hybrid-scratch``."""
    share: float | None
    """What the reference needs; None where all labels are not enough."""
    ci_low: float | None
    """Lower end of its interval; None beyond all labels."""
    ci_high: float | None
    """Upper end of its interval; None beyond all labels."""
    least: float
    """The smallest share that the reference was tried with: a share of this means "at most"."""


class Importance(BaseModel):
    """What a family of handcrafted features contributes: the fall of ``metric`` without it.

    The family's values are dealt out among the held-back cases, all by the same deal, ``repeats``
    times; ``method`` and ``classifier`` name the trained model, which stays as it is. A fall may
    be negative; None where undefined.
    """

    model_config = DESCRIBED

    grouping: str
    """``class`` of feature or ``filter`` of the image; "" for all features at once."""
    family: str
    """The family's name."""
    features: int
    """How many features it has."""
    method: str
    """Of the trained model."""
    classifier: str
    """Of the trained model."""
    metric: str
    """The metric that falls."""
    mean: float | None
    """The fall, the mean over deals and splits."""
    ci_low: float | None
    """Lower end of its interval."""
    ci_high: float | None
    """Upper end of its interval."""
    n_cases: int
    """Held-back cases, or patients (`unit`)."""
    unit: Unit = "case"
    """As in `rows`."""
    repeats: int
    """Deals."""


class AttentionMap(NamedTuple):
    """Where the encoder looked in one held-back case; ``picture`` and ``overlay`` are PNGs."""

    split: str
    case_id: str
    label: str
    predicted: str
    probability: float
    layer: str
    cells: str
    picture: bytes
    overlay: bytes


class Results(BaseModel):
    """The content of ``results.json``."""

    model_config = DESCRIBED

    task: TaskName = CLASSIFICATION
    """What was predicted: classes, or (``regression``) a number."""
    rows: tuple[Row, ...]
    """One metric of one method each."""
    metrics: tuple[MetricFacts, ...] = ()
    """What the study's own metrics are."""
    comparisons: tuple[Comparison, ...] = ()
    """Paired tests between the methods of each table but the controls'."""
    labels_needed: tuple[LabelsNeeded, ...] = ()
    """With how many labels training from scratch and radiomics do what pretraining does."""
    queries: tuple[BoughtLabels, ...] = ()
    """What strategies gain over random draws in choosing the cases to label."""
    importance: tuple[Importance, ...] = ()
    """What families of handcrafted features contribute."""
    selections: tuple[Selection, ...] = ()
    """Which model inner folds of the training cases chose, on each split, share and draw."""
    headline: Headline | None = None
    """What heads the report, and its comparisons."""
    safeguards: JudgedSafeguards | None = None
    """Prediction sets, operating points and distances of the saved model on the test part."""
    dataset: dict[str, Any]
    """The data in numbers: classes, cases, patients, the parts of each split, every use."""
    failed: tuple[dict[str, Any], ...] = ()
    """Cases that could not be used, each with its reason."""
    missing: tuple[dict[str, Any], ...] = ()
    """Features that some cases do not have: how many, and the commonest reason."""
    remarks: tuple[dict[str, Any], ...] = ()
    """What was done differently for some cases that were measured: ``remark`` and ``cases``."""
    warnings: tuple[str, ...] = ()
    """What a reader of the results should know, in sentences."""
    run: dict[str, Any] = {}
    """How the run went: times, seed, machine, judged variant, convergence."""

    def write(self, path: Path) -> None:
        """Write the results as JSON, whole or not at all."""
        text = json.dumps(self.model_dump(mode="json"), indent=2, allow_nan=False)
        with replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Results:
        """Results as `write` wrote them.

        Raises:
            DataError: If the file is damaged, or of another version.
        """
        try:
            return cls.model_validate_json(within(path, MOST_TEXT).read_text(encoding="utf-8"))
        except ValueError as error:
            raise DataError(
                f"{path} is damaged or of another version of rdfc. Delete it, and run the same "
                "command again: what is trained is kept."
            ) from error

    def to_dataframe(self) -> pd.DataFrame:
        """The rows as a table: one metric of one method each, a column a field of `Row`."""
        import pandas as pd  # here: reading results is quick without it

        fields = list(Row.model_fields)
        return pd.DataFrame([row.model_dump() for row in self.rows], columns=fields)

    def table(self, table: str, metrics: Sequence[str]) -> list[tuple[Row, ...]]:
        """The rows of a table, one tuple a method, with one row for each metric asked for.

        Those with fewer labels come first; otherwise they stand as they were judged.
        """
        found: dict[tuple[str, ...], dict[str, Row]] = {}
        for row in self.rows:
            if row.table == table:
                key = (row.method, row.input, row.layer, row.classifier, str(row.label_fraction))
                found.setdefault(key, {})[row.metric] = row
        rows = [
            tuple(row[m] for m in metrics) for row in found.values() if set(metrics) <= set(row)
        ]
        return sorted(rows, key=lambda one: one[0].label_fraction)


def finite(value: float) -> float | None:
    """The value, or None where it is undefined: JSON knows no NaN."""
    return value if math.isfinite(value) else None
