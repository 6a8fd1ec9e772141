"""The options of the objective, the memory bank and the pretext task."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from rdfc_core.plugin.component import Part, PartOf


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MemoryBankConfig(_Config):
    """Options of the memory stores ``bank`` and ``sharded-bank``."""

    momentum: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Share of the old row that an update keeps; 0 keeps the newest embedding only.",
    )
    update: Literal["epoch", "step"] = Field(
        "epoch",
        description="When new embeddings are taken in: all together as the epoch ends, so that "
        "positives and negatives are of one age on average (a second table of that size waits); or "
        "after every step, as in the paper, where positives are older and the views drift apart.",
    )
    dtype: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="What the rows are kept in. bfloat16 halves the memory; products, sums and "
        "updates are computed in float32 all the same.",
    )

    @model_validator(mode="after")
    def _updates_show(self) -> MemoryBankConfig:
        if self.dtype == "bfloat16" and self.momentum > 0.9:
            raise ValueError(
                f"dtype bfloat16 rounds by up to 0.4 %, in which the updates of momentum "
                f"{self.momentum} are lost: use dtype float32, or a momentum of at most 0.9"
            )
        return self


class InfoNCEConfig(_Config):
    """Options of the objective ``infonce``."""

    variant: Literal["stale-positive", "fresh-positive", "full-bank", "in-batch"] = Field(
        "stale-positive",
        description="Where positive and negatives come from: both from the bank; the positive from "
        "this step; all N cases of the bank; or the batch alone.",
    )
    temperature: float = Field(0.07, gt=0, description="Softmax temperature.")
    negatives: int = Field(
        2048,
        ge=1,
        description="K, the negatives a case (stale-positive, fresh-positive), drawn with "
        "replacement; of no more cases than that all others are taken instead.",
    )
    negatives_per: Literal["auto", "case", "batch"] = Field(
        "auto",
        description="Whether each case has its own draw of negatives or the batch shares one, of K "
        "different cases, which is much quicker where there are many. auto: shared if N > 4 K, "
        "and all other cases, undrawn, if N ≤ K.",
    )
    positive_in_denominator: bool = Field(
        True,
        description="Whether the positive stands in the softmax's sum too; without it the loss is "
        "decoupled, as the sum of the paper's Eq. 1 reads.",
    )
    estimator: Literal["infonce", "nce"] = Field(
        "infonce",
        description="Softmax over positive and negatives, or noise-contrastive estimation with a "
        "constant normaliser taken from the first batch (stale-positive, fresh-positive).",
    )
    hardness: float = Field(
        0.0,
        ge=0,
        le=10,
        description="Weigh negatives by nearness: β of Robinson et al. 2021; 0: all alike.",
    )
    false_negatives: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the other cases that are like a case's own and no negatives, τ⁺ of "
        "Chuang et al. 2020; their expected part is taken out of the sum.",
    )

    @model_validator(mode="after")
    def _nce_needs_noise(self) -> InfoNCEConfig:
        if self.estimator == "nce" and self.variant in ("full-bank", "in-batch"):
            raise ValueError(
                f"estimator nce tells the positive from drawn negatives, and variant {self.variant}"
                " draws none: use estimator infonce, or variant stale-positive"
            )
        if self.estimator == "nce" and not self.positive_in_denominator:
            raise ValueError(
                "positive_in_denominator: false is a choice about the softmax, which estimator nce "
                "does not have: drop it, or use estimator infonce"
            )
        if self.estimator == "nce" and (self.hardness or self.false_negatives):
            raise ValueError(
                "hardness and false_negatives change the softmax's sum, which estimator nce does "
                "not have: drop them, or use estimator infonce"
            )
        return self


def _yaml_true(value: Any) -> Any:
    return "true" if value is True else value  # YAML reads a bare true as a boolean


class PairedViewsConfig(_Config):
    """What every task on pairs of views asks."""

    width: int = Field(128, ge=2, le=16384, description="D, the width of the embeddings.")
    projector: Annotated[Part, PartOf("projector")] = Field(
        Part(name="linear"), description="What makes the embeddings of a tower's features."
    )
    terms: tuple[tuple[str, str], ...] | None = Field(
        None,
        min_length=1,
        description="Pairs of views to contrast, for example [[radiomics, image], [image, image]]; "
        "a pair of one view draws it twice. By default every pair of different views.",
    )
    weights: tuple[Annotated[float, Field(gt=0)], ...] | None = Field(
        None, description="One weight a term; by default 1 each."
    )

    @model_validator(mode="after")
    def _terms_are_distinct(self) -> PairedViewsConfig:
        terms = self.terms or ()
        for place, term in enumerate(terms):
            if sorted(term) in [sorted(earlier) for earlier in terms[:place]]:
                raise ValueError(
                    f"the term {list(term)} stands twice: name it once and give it a weight"
                )
        if self.weights is not None and len(self.weights) != len(terms):
            raise ValueError(
                f"there are {len(self.weights)} weights for {len(terms)} named terms: "
                "give one weight a term, in the order of terms"
            )
        return self


class CorrespondenceConfig(PairedViewsConfig):
    """Options of the pretext task ``correspondence``."""

    objective: Annotated[Part, PartOf("objective")] = Field(
        Part(name="infonce"), description="How the agreement of two views is scored."
    )
    memory: Annotated[Part, PartOf("memory_store")] = Field(
        Part(name="bank"), description="What remembers the embeddings; one is kept for each view."
    )
    memory_start: Literal["embeddings", "random"] = Field(
        "embeddings",
        description="What a memory holds before the first step: what the fresh towers make of each "
        "case, or random rows as in the paper's public code.",
    )
    pairing: Annotated[
        Literal["true", "fixed-shuffle", "reshuffled"], BeforeValidator(_yaml_true)
    ] = Field(
        "true",
        description="Controls: contrast the views of one case (true), of different cases by one "
        "fixed shuffle, or of cases shuffled anew at every step, by chance alone.",
    )


class Variations(_Config):
    """How strongly pictures are varied for a task; what is null is as the view has it."""

    crop_scale: tuple[float, float] | None = Field(
        (0.3, 1.0), description="Area of the random crop, as a share of the picture."
    )
    elastic: float | None = Field(None, ge=0, description="Random elastic deformation.")
    blur: float | None = Field(None, ge=0, description="Random blur: largest sigma in pixels.")
    gamma: float | None = Field(None, ge=0, description="Random gamma: largest logarithm.")
    contrast: float | None = Field(0.35, ge=0, description="Random contrast: largest logarithm.")
    brightness: float | None = Field(0.2, ge=0, description="Random brightness: largest shift.")
    speckle: float | None = Field(None, ge=0, description="Random noise in proportion.")
    noise: float | None = Field(0.03, ge=0, description="Random noise: largest deviation.")

    def named(self) -> dict[str, Any]:
        """Those that are not the view's own."""
        return self.model_dump(exclude_none=True)


IN_BATCH = Part(name="infonce", options={"variant": "in-batch"})
FULL_BANK = Part(name="infonce", options={"variant": "full-bank"})


class CorrespondenceSimCLRConfig(CorrespondenceConfig):
    """Options of the pretext task ``correspondence-simclr``."""

    objective: Annotated[Part, PartOf("objective")] = Field(
        IN_BATCH, description="How the agreement of two different views is scored."
    )
    terms: tuple[tuple[str, str], ...] | None = Field(
        None,
        min_length=1,
        description="Pairs of views to contrast. By default every pair of different views, and "
        "each view of pictures with itself.",
    )
    simclr_temperature: float = Field(
        0.2, gt=0, description="Softmax temperature of the terms of one view with itself."
    )
    corruption: float = Field(
        0.3,
        ge=0,
        lt=1,
        description="Share of handcrafted features replaced by another case's of the batch.",
    )
    variations: Variations = Field(
        Variations(), description="How pictures are varied for this task, more than for others."
    )


class CorrespondenceSimCLRBankConfig(CorrespondenceSimCLRConfig):
    """Options of the pretext task ``correspondence-simclr-bank``."""

    objective: Annotated[Part, PartOf("objective")] = Field(
        FULL_BANK, description="How the agreement of two different views is scored."
    )
    corruption: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of handcrafted features replaced by another case's of the batch.",
    )


class CorrespondenceReconstructionConfig(CorrespondenceSimCLRConfig):
    """Options of the pretext task ``correspondence-reconstruction``."""

    corruption: float = Field(
        0.3,
        gt=0,
        lt=1,
        description="Share of handcrafted features replaced by another case's of the batch.",
    )
    reconstruction: float = Field(
        1.0, gt=0, description="Weight of the squared error of the features that are restored."
    )
    hidden: int = Field(256, ge=1, le=4096, description="Units of the decoder's hidden layer.")


class FifoQueueConfig(_Config):
    """Options of the memory queue ``fifo``."""

    size: int = Field(
        4096,
        ge=2,
        le=1_000_000,
        description="K, the embeddings that are kept; of fewer pretext cases, one a case.",
    )


class MoCoConfig(PairedViewsConfig):
    """Options of the pretext task ``moco``."""

    queue: Annotated[Part, PartOf("memory_queue")] = Field(
        Part(name="fifo"), description="What keeps the newest keys; one for each view."
    )
    temperature: float = Field(0.07, gt=0, description="Softmax temperature.")
    momentum: float = Field(
        0.99,
        ge=0,
        lt=1,
        description="Share of its weights that the teacher keeps at a step; the rest is the "
        "student's. The source has 0.999, for a million steps.",
    )
