"""How networks are trained with labels, and how pretrained layers are fine-tuned."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from rdfc_core.config.settings import FILE_NAME, Settings
from rdfc_core.config.training_parts import SchedulePart
from rdfc_core.config.training_settings import Precision, TrainingSettings
from rdfc_core.results.vocabulary import FEATURES, Layer

TUNINGS = ("paper", "paper-frozen", "all", "lp-ft", "frozen")
"""Settings of fine-tuning that have a name; `rdfc_core.models.layer_groups` says what they
are."""


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
        "step",
        validate_default=True,
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
