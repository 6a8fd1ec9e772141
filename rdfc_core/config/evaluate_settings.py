"""How the learnt features, and the methods they are compared with, are judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from rdfc_core.config import safeguard_settings as safeguards
from rdfc_core.config.query_settings import QueryingSettings
from rdfc_core.config.selection_settings import SelectionSettings
from rdfc_core.config.settings import FILE_NAME, Settings
from rdfc_core.config.supervised_settings import SupervisedSettings
from rdfc_core.plugin.component import Part, PartOf
from rdfc_core.results.vocabulary import (
    CLASSIFICATION,
    CONTROLS,
    ENSEMBLE,
    FINETUNED_SUFFIX,
    HYBRID_FINETUNE,
    KNN,
    LOGISTIC,
    METHODS,
    METRICS,
    NUMBER_METRICS,
    OWN_PRETEXT,
    PROBE,
    RANDOM_QUERIES,
    REGRESSION,
    SELECTED,
    SHUFFLED_CORRESPONDENCE,
    START,
    Classifier,
    Control,
    Method,
    Pooling,
    TaskName,
    Unit,
)

LabelUnit = Literal["patient", "case"]

LISTED = {
    "compare": "pretext",
    "evaluators": "evaluator",
    "metrics": "metric",
    "query_strategies": "query_strategy",
}
"""Option that is a list of components → what they are."""


class EvaluateSettings(Settings):
    """How the learnt features, and the methods they are compared with, are judged."""

    task: SkipJsonSchema[TaskName] = Field(
        CLASSIFICATION, exclude=True, description="That of the study, which says it at its top."
    )
    classifiers: tuple[Classifier, ...] = Field(
        (LOGISTIC, KNN),
        description="Linear probes: logistic regression (of a regression: ridge), the paper's SGD "
        "layer, or neighbours.",
    )
    logistic_c: float = Field(1.0, gt=0, description="C of the logistic regression, fixed.")
    ridge_alpha: float = Field(
        1.0,
        gt=0,
        description="Of the ridge regression on standardised features and labels, fixed: the "
        "penalty on each weight, over the number of features.",
    )
    class_weight: Literal["balanced", "none"] = Field(
        "balanced", description="Weigh classes by their rarity, or not; for every method."
    )
    knn_k: int = Field(15, ge=1, description="k of the nearest neighbours.")
    sgd_epochs: int = Field(100, ge=1, description="Epochs of the SGD layer.")
    sgd_learning_rate: float = Field(3e-3, gt=0, description="Its learning rate, ÷10 at 70 %.")
    controls: tuple[
        Control,
        ...,
    ] = Field(
        tuple(name for name in CONTROLS if name != SHUFFLED_CORRESPONDENCE),
        description="What the learnt features are compared with; all: shuffled-correspondence, "
        "too, for which the pretext is trained once more a split, on views of different cases.",
    )
    compare: dict[str, Annotated[Part, PartOf("pretext")]] = Field(
        default={},
        description="Other pretexts, trained on the same cases with the same budget: a list of "
        "components, or name: component.",
    )
    starts: dict[str, dict[str, Any]] = Field(
        default={},
        description="Other weights for the image encoder to start from, name: its options, such as "
        "{imagenet: {weights: imagenet-efficientnet-lite0}}: each is judged as it is, and after "
        "the study's pretext.",
    )
    compared: Literal["probe", "finetune"] = Field(
        "probe",
        description="How compared pretexts, starts and shuffled-correspondence are judged: by "
        "linear probes, or fine-tuned, too, and at the shares of labels, as the study's pretext.",
    )
    metrics: dict[str, Annotated[Part, PartOf("metric")]] = Field(
        default={},
        description="Metrics beside those that every run has: a list of components, or name: "
        "component, such as {sensitivity: {name: sensitivity, positive: malignant}}.",
    )
    evaluators: dict[str, Annotated[Part, PartOf("evaluator")]] = Field(
        default={},
        description="Methods and controls of plugins, tried like rdfc's own: a list of components, "
        "or name: component, such as {gradient-boosting: {name: gradient-boosting, inputs: "
        "[handcrafted, columns]}}.",
    )
    query_strategies: dict[str, Annotated[Part, PartOf("query_strategy")]] = Field(
        default={},
        description="Strategies that choose which cases to label, tried on training cases beside "
        "random draws: a list of components, or name: component, such as [typiclust, badge].",
    )
    querying: QueryingSettings = QueryingSettings()
    methods: tuple[Method, ...] = Field(
        (), description="Methods that train with labels from the start, or from the pretext."
    )
    radiomics_c: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (0.01, 0.1),
        min_length=1,
        description="C of radiomics-logistic and image-and-radiomics (logistic regression on "
        "handcrafted features, without and with the learnt ones of the image): a row each; the "
        "first is judged.",
    )
    radiomics_alpha: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (0.1, 0.01),
        min_length=1,
        description="The same of radiomics-ridge and image-and-radiomics where the task is "
        "regression, as ridge_alpha.",
    )
    supervised: SupervisedSettings = SupervisedSettings()
    label_fractions: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        (), description="Shares of the training labels at which the methods are tried."
    )
    label_unit: LabelUnit = Field(
        "patient",
        description="What a share of the labels is drawn by: patients with all their cases, or "
        "single cases, where every lesion needs a diagnosis of its own.",
    )
    label_seeds: int = Field(3, ge=1, description="Draws of the labels at each share.")
    inner_folds: int = Field(
        5, ge=2, description="Folds of the training cases that choose options and calibrate."
    )
    temperature_scaling: bool = Field(
        False,
        description="Add, to the judged variants, rows with probabilities that a temperature "
        "calibrates; it is fitted by training inner_folds times more, on training cases alone.",
    )
    selection: SelectionSettings = SelectionSettings()
    conformal: safeguards.ConformalSettings = safeguards.ConformalSettings()
    out_of_distribution: safeguards.OutOfDistributionSettings = (
        safeguards.OutOfDistributionSettings()
    )
    operating_points: safeguards.OperatingPoints = ()
    unit: Unit = Field(
        "case",
        description="What tables, comparisons and intervals judge: cases, or patients by what is "
        "said of all their cases together (whose labels have to be equal).",
    )
    pool: Pooling = Field(
        "mean",
        description="With unit patient: the mean of the probabilities of a patient's cases, or "
        "those of the case that is likeliest of the second of two classes.",
    )
    bootstrap: int = Field(1000, ge=100, description="Patient-level resamples an interval.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Coverage of the intervals.")

    @field_validator("compare", "evaluators", "metrics", "query_strategies", mode="before")
    @classmethod
    def _named(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, Sequence) and not isinstance(value, str):
            parts = [Part.model_validate(part) for part in value]
            named = {part.name: part for part in parts}
            if len(named) < len(parts):
                what = LISTED[str(info.field_name)]
                raise ValueError(f"one {what} stands twice; name them: {{name: {what}, …}}")
            return named
        return value

    @field_validator("metrics")
    @classmethod
    def _metric_names(cls, metrics: Mapping[str, Part]) -> Mapping[str, Part]:
        for name in metrics:
            if not FILE_NAME.fullmatch(name):
                raise ValueError(f"call a metric by letters, digits, _ and -, not {name!r}")
            if name in METRICS:
                raise ValueError(f"{name!r} is in every run already; call the metric otherwise")
            if name in NUMBER_METRICS:
                raise ValueError(f"{name!r} judges every regression; call the metric otherwise")
        return metrics

    @field_validator("compare", "evaluators")
    @classmethod
    def _file_names(cls, parts: Mapping[str, Part], info: ValidationInfo) -> Mapping[str, Part]:
        what = LISTED[str(info.field_name)]
        taken = (
            *(OWN_PRETEXT, "stable", SELECTED, PROBE, ENSEMBLE, SHUFFLED_CORRESPONDENCE),
            *METHODS,
            *(CONTROLS if what == "evaluator" else ()),
        )
        for name in parts:
            if not FILE_NAME.fullmatch(name):
                article = "an" if what == "evaluator" else "a"
                raise ValueError(f"call {article} {what} by letters, digits, _ and -, not {name!r}")
            ends = what == "evaluator" and name.endswith(FINETUNED_SUFFIX)
            if name in taken or name.startswith(START) or "-from-" in name or ends:
                raise ValueError(f"{name!r} is taken; call the {what} something else")
        return parts

    @field_validator("query_strategies")
    @classmethod
    def _beside_random(cls, parts: Mapping[str, Part]) -> Mapping[str, Part]:
        for name, part in parts.items():
            if not FILE_NAME.fullmatch(name):
                raise ValueError(f"call a strategy by letters, digits, _ and -, not {name!r}")
            if name == RANDOM_QUERIES != part.name:
                raise ValueError(f"{name!r} is what strategies are compared with; rename {part}")
        return parts

    @field_validator("starts")
    @classmethod
    def _start_names(cls, starts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name in starts:
            if not FILE_NAME.fullmatch(name):
                raise ValueError(f"call a start by letters, digits, _ and -, not {name!r}")
        return starts

    @field_validator("controls", mode="before")
    @classmethod
    def _all_controls(cls, value: Any) -> Any:
        return CONTROLS if value == "all" else value

    @field_validator("methods", "label_fractions", "radiomics_c", "radiomics_alpha")
    @classmethod
    def _no_repeats(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(values))

    @property
    def penalties(self) -> dict[str, float]:
        """How files and tables call a penalty of the methods on blocks of features → the penalty.

        ``C0.01``, or ``alpha0.1`` where the task is regression; the first is the one judged.
        """
        if self.task == REGRESSION:
            return {f"alpha{alpha:g}": alpha for alpha in self.radiomics_alpha}
        return {f"C{c:g}": c for c in self.radiomics_c}

    @model_validator(mode="before")
    @classmethod
    def _judged_and_not_chosen(cls, value: Any) -> Any:
        """Refuse evaluators as candidates in more words than that they are none of a list."""
        if not isinstance(value, Mapping) or not isinstance(value.get("selection"), Mapping):
            return value
        candidates = value["selection"].get("candidates")
        evaluators = value.get("evaluators")
        for one in evaluators if isinstance(evaluators, Sequence | Mapping) else ():
            name = one.get("name") if isinstance(one, Mapping) else str(one).partition(":")[0]
            if isinstance(candidates, Sequence) and name in candidates:
                raise ValueError(
                    f"selection.candidates: the evaluator {name!r} is judged and not saved; choose "
                    "among rdfc's own methods"
                )
        return value

    @model_validator(mode="after")
    def _called_apart(self) -> EvaluateSettings:
        both = sorted({*self.evaluators} & {*self.compare})
        if both:
            raise ValueError(f"{both[0]!r} names an evaluator and a compared pretext; rename one")
        return self

    @model_validator(mode="after")
    def _tried_at_all(self) -> EvaluateSettings:
        if self.methods and not (self.supervised.seeds or self.label_fractions):
            raise ValueError(
                "methods are tried nowhere: supervised.seeds is 0, and there are no label_fractions"
            )
        return self

    @model_validator(mode="after")
    def _finetuned_like_the_pretext(self) -> EvaluateSettings:
        if self.compared == "finetune" and HYBRID_FINETUNE not in self.methods:
            raise ValueError(
                "compared: finetune does what hybrid-finetune does, which is not among methods: "
                "add it, or use compared: probe"
            )
        return self

    @model_validator(mode="after")
    def _judged_apart_from_the_sweep(self) -> EvaluateSettings:
        if self.supervised.finetune.name in [one.name for one in self.supervised.sweep]:
            judged = self.supervised.finetune.name
            if self.supervised.finetune not in self.supervised.sweep:
                raise ValueError(f"supervised: two settings are called {judged!r}; rename one")
        return self
