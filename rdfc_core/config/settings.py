"""The settings of a study that are core's own: how to pretrain, and how to judge."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rdfc_core.config.selection_settings import SelectionSettings
from rdfc_core.config.training_parts import OptimizerPart, SchedulePart
from rdfc_core.plugin.component import Part, PartOf
from rdfc_core.results.vocabulary import (
    CONTROLS,
    ENSEMBLE,
    FEATURES,
    HYBRID_FINETUNE,
    KNN,
    LOGISTIC,
    METHODS,
    OWN_PRETEXT,
    PROBE,
    SELECTED,
    SHUFFLED_CORRESPONDENCE,
    START,
    Classifier,
    Control,
    Layer,
    Method,
)

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
AnyPrecision = Precision | Literal["auto"]
Compilation = Literal["default", "reduce-overhead", "max-autotune"]
LabelUnit = Literal["patient", "case"]

TUNINGS = ("paper", "paper-frozen", "all", "lp-ft", "frozen")
"""Settings of fine-tuning that have a name; `rdfc_core.models.layer_groups` says what they
are."""

FILE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
"""What names files: of a pretext that is compared, of a setting of fine-tuning."""


class Settings(BaseModel):
    """Frozen, and no option is taken that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TrainingSettings(Settings):
    """How any network is trained."""

    epochs: int = Field(100, ge=0, description="Passes over the training cases.")
    batch_size: int = Field(64, ge=2, description="Cases a step, over all devices.")
    optimizer: OptimizerPart = Field(
        Part(name="sgd"), description="SGD as in the paper, AdamW, or a plugin's optimiser."
    )
    learning_rate: float = Field(3e-3, gt=0, description="Peak learning rate.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD.")
    nesterov: bool = Field(False, description="Nesterov's momentum; of SGD.")
    weight_decay: float = Field(1e-4, ge=0, description="Weight decay.")


class PretrainSettings(TrainingSettings):
    """How the pretext task is trained."""

    steps: int | None = Field(
        None,
        ge=1,
        description="Optimiser steps at most, in whole epochs; the smaller budget counts.",
    )
    warmup_epochs: int = Field(0, ge=0, description="Epochs of linear warm-up.")
    warmup_steps: int = Field(
        0, ge=0, description="Steps of linear warm-up; the longer of the two counts."
    )
    schedule: SchedulePart = Field(
        Part(name="constant"),
        description="Learning rate after the warm-up: constant; falling over the whole budget "
        "(cosine; one-cycle, whose warm-up is a tenth of it); constant until the task is learnt "
        "(patience) and falling after that, so that a longer training begins like a shorter one "
        "(warmup-stable-decay); or another schedule.",
    )
    decay_share: float = Field(
        0.3,
        gt=0,
        lt=1,
        description="Share of the steps over which warmup-stable-decay falls, at the end.",
    )
    held_back: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="Share of the pretext patients on whom the task is measured instead of trained "
        "(256 cases at most): convergence is judged there, without any label.",
    )
    check_steps: int = Field(50, ge=1, description="Steps between two such measurements.")
    patience: int | None = Field(
        None,
        ge=1,
        description="Measurements without progress after which warmup-stable-decay lets the "
        "learning rate fall and ends; null: when the budget ends.",
    )
    precision: AnyPrecision = Field(
        "32-true",
        description="Number format of the forward pass; auto: bf16-mixed where the device "
        "multiplies it, otherwise 32-true. A run keeps what it began with.",
    )
    data_placement: Literal["auto", "device", "memory", "file"] = Field(
        "auto",
        description="Where the cases wait for their batch: on the device, in memory, in a file of "
        "the run folder, or (auto) in the first of these where they take half of the room at most.",
    )
    image_dtype: Literal["float32", "float16"] = Field(
        "float32", description="Number format in which pictures wait; float16 takes half the room."
    )
    channels_last: bool | None = Field(
        None,
        description="The channels of a pixel lie side by side in memory, which suits many "
        "convolutions; null: where it was measured to be quicker, for pictures on a processor.",
    )
    compile: Compilation | None = Field(
        None,
        description="Mode in which torch.compile makes the networks of pictures faster (with CUDA "
        "graphs: reduce-overhead); null: not compiled.",
    )
    checkpoint_every: int = Field(1, ge=1, description="Epochs between checkpoints.")
    checkpoint_steps: int = Field(
        1, ge=1, description="Steps between checkpoints, at least: of short epochs not every one."
    )
    sync_batchnorm: bool = Field(
        True,
        description="In several processes, batch normalisation over the cases of all of them, as "
        "in one; false: over each one's own, which waits less.",
    )


class Tuning(Settings):
    """How labels train the layers that pretraining gave; by group, from input to output.

    A group is ``VIEW.GROUP`` (``image.layer4``), ``VIEW.last`` or ``VIEW.last-K`` (the last K
    groups), ``VIEW`` (all of them), or ``head``.
    """

    name: str = Field(description="How tables call the setting.")
    freeze: tuple[str, ...] = Field((), description="Groups that keep their pretrained weights.")
    reinit: tuple[str, ...] = Field((), description="Groups that begin with fresh weights.")
    lr_scale: dict[str, Annotated[float, Field(gt=0)]] = Field(
        {}, description="Group: factor on the learning rate; of a group named twice the later."
    )
    head_init: Literal["fresh", "probe"] = Field(
        "fresh",
        description="What the head begins with: fresh weights, or those of the linear probe "
        "(logistic regression on the same labelled cases), so that training goes on from it.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _named_or_described(self) -> Tuning:
        described = bool(self.freeze or self.reinit or self.lr_scale or self.head_init == "probe")
        if self.name in TUNINGS and described:
            raise ValueError(f"the name {self.name!r} is taken; call your own setting otherwise")
        if self.name not in TUNINGS and not described:
            raise ValueError(
                f"there is no setting {self.name!r}; use one of {', '.join(TUNINGS)}, or describe "
                "it: {name, freeze, reinit, lr_scale, head_init}"
            )
        if not FILE_NAME.fullmatch(self.name):
            raise ValueError(f"call a setting by letters, digits, _ and -, not {self.name!r}")
        return self


class SupervisedSettings(TrainingSettings):
    """How networks are trained with labels."""

    min_steps: int = Field(
        0, ge=0, description="Steps at least, however few the labels: epochs are added."
    )
    max_steps: int | None = Field(
        None, ge=1, description="Steps at most, however many the labels; null: as epochs say."
    )
    schedule: SchedulePart = Field(
        Part(name="step"),
        description="Learning rate: ÷10 at lr_milestone (step); up for a tenth of the steps and "
        "down to 0 (one-cycle); constant; or another schedule.",
    )
    lr_milestone: float = Field(
        0.7, gt=0, le=1, description="Share of the steps after which schedule step divides by 10."
    )
    precision: Precision | None = Field(
        None, description="Number format of the forward pass; null: as in pretraining."
    )
    head: Layer = Field(
        FEATURES,
        description="The head stands on the towers' features of unit length (each view to 256, "
        "joined, to the classes), or is one layer on the pretext's embeddings.",
    )
    head_scale: float = Field(
        1.0,
        gt=0,
        description="Factor on the rows of unit length that the head stands on: on them alone a "
        "linear layer has logits near 0, which hundreds of steps cannot grow (11.3 is √128).",
    )
    raw_features: bool = Field(
        False,
        description="The head of the hybrid networks also sees the handcrafted features "
        "themselves, scaled, beside what their tower makes of them.",
    )
    seeds: int = Field(
        1,
        ge=0,
        description="Repetitions of every method with all labels, each its own seed; 0: methods "
        "are tried at the shares of label_fractions alone.",
    )
    finetune: Tuning = Field(
        default=Tuning(name="paper"),
        description="The setting of fine-tuning that is judged, named before any result is seen.",
    )
    sweep: tuple[Tuning, ...] = Field(
        (), description="Further settings of fine-tuning, each a row of its own."
    )

    @model_validator(mode="after")
    def _floor_below_ceiling(self) -> SupervisedSettings:
        if self.max_steps is not None and self.min_steps > self.max_steps:
            raise ValueError(
                f"min_steps ({self.min_steps}) is above max_steps ({self.max_steps}): lower it"
            )
        return self

    @field_validator("sweep")
    @classmethod
    def _each_once(cls, sweep: tuple[Tuning, ...]) -> tuple[Tuning, ...]:
        names = [one.name for one in sweep]
        if len(set(names)) < len(names):
            raise ValueError("two settings have one name; give each its own")
        return sweep


class EvaluateSettings(Settings):
    """How the learnt features, and the methods they are compared with, are judged."""

    classifiers: tuple[Classifier, ...] = Field(
        (LOGISTIC, KNN),
        description="Linear probes: logistic regression, the paper's SGD layer, or neighbours.",
    )
    logistic_c: float = Field(1.0, gt=0, description="C of the logistic regression, fixed.")
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
    bootstrap: int = Field(1000, ge=100, description="Patient-level resamples an interval.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Coverage of the intervals.")

    @field_validator("compare", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if isinstance(value, Sequence) and not isinstance(value, str):
            parts = [Part.model_validate(part) for part in value]
            named = {part.name: part for part in parts}
            if len(named) < len(parts):
                raise ValueError("one pretext stands twice; name them: {name: pretext, …}")
            return named
        return value

    @field_validator("compare")
    @classmethod
    def _file_names(cls, compare: Mapping[str, Part]) -> Mapping[str, Part]:
        for name in compare:
            if not FILE_NAME.fullmatch(name):
                raise ValueError(f"call a pretext by letters, digits, _ and -, not {name!r}")
            taken = (
                OWN_PRETEXT,
                "stable",
                SELECTED,
                PROBE,
                ENSEMBLE,
                SHUFFLED_CORRESPONDENCE,
                *METHODS,
            )
            if name in taken or name.startswith(START) or "-from-" in name:
                raise ValueError(f"{name!r} is taken; call the pretext something else")
        return compare

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

    @field_validator("methods", "label_fractions", "radiomics_c")
    @classmethod
    def _no_repeats(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(values))

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
