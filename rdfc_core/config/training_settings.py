"""How networks are trained: what pretraining and training with labels share, and pretraining."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rdfc_core.config.settings import Settings
from rdfc_core.config.training_parts import OptimizerPart, SchedulePart

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
AnyPrecision = Precision | Literal["auto"]
Compilation = Literal["default", "reduce-overhead", "max-autotune"]


class TrainingSettings(Settings):
    """How any network is trained."""

    epochs: int = Field(100, ge=0, description="Passes over the training cases.")
    batch_size: int = Field(64, ge=2, description="Cases a step, over all devices.")
    optimizer: OptimizerPart = Field(
        "sgd",
        validate_default=True,
        description="SGD as in the paper (sgd), AdamW (adamw), or a plugin's optimiser.",
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
        description="Optimiser steps, rounded up to whole epochs; the smaller budget counts.",
    )
    warmup_epochs: int = Field(0, ge=0, description="Epochs of linear warm-up.")
    warmup_steps: int = Field(
        0, ge=0, description="Steps of linear warm-up; the longer of the two counts."
    )
    schedule: SchedulePart = Field(
        "constant",
        validate_default=True,
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
