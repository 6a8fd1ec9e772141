"""What makes a phantom tumour: its class, and how much of the class shows in shape and texture.

Each tumour has two hidden scores, one that drives its shape and one that drives its texture. Both
are the class's mean plus unit Gaussian noise, independent of each other, so that shape and texture
each tell a part and together more; in some tumours neither tells anything. Size, place and
surroundings are drawn without regard to the class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rdfc_dataset_phantom.config import PhantomConfig

SHAPE_SEPARATION = 2.4
TEXTURE_SEPARATION = 3.2
"""Standard deviations between the mean scores of the first and last class at difficulty 0; the
texture's is larger because speckle and noise hide much of it."""
SILENT_SHARE = 0.1
"""Tumours whose scores do not depend on their class at all."""


@dataclass(frozen=True)
class Traits:
    """The properties of one tumour.

    Args:
        grade: Class number divided by the highest one, 0 to 1.
        irregularity: Standard deviation of the radius over the directions, as a share.
        waviness: Waves of the outline in a turn; more make lobules, then spicules.
        heterogeneity: Strength of the texture inside, 1 on average.
        darkness: How much darker than its surroundings, 1 on average.
        grain: Correlation length of the texture, as a share of the radius.
        radius: As a share of the image's shortest side.
        stretch: Length of the axis along x against that along y.
    """

    grade: float
    irregularity: float
    waviness: float
    heterogeneity: float
    darkness: float
    grain: float
    radius: float
    stretch: float


def class_of(config: PhantomConfig, index: int) -> int:
    """All tumours of a patient have one class; the patients take turns."""
    return index // config.tumours_per_patient % config.classes


def traits_of(config: PhantomConfig, index: int, generator: np.random.Generator) -> Traits:
    """The traits of a case, from the case's own generator."""
    grade = class_of(config, index) / (config.classes - 1)
    silent = generator.random() < SILENT_SHARE
    shows = 0.0 if silent else (1 - config.difficulty) * (grade - 0.5)
    shape = SHAPE_SEPARATION * shows + generator.standard_normal()
    texture = TEXTURE_SEPARATION * shows + generator.standard_normal()
    free = generator.standard_normal(4)
    return Traits(
        grade=grade,
        irregularity=float(np.clip(0.065 * np.exp(0.4 * shape), 0.01, 0.2)),
        waviness=float(np.clip(4.5 + 0.7 * shape + 0.5 * free[0], 2, 9)),
        heterogeneity=float(np.clip(np.exp(0.38 * texture), 0.3, 2.2)),
        darkness=float(np.clip(1 + 0.12 * texture + 0.22 * free[1], 0.3, 2)),
        grain=float(np.clip(0.22 * np.exp(0.25 * free[2]), 0.08, 0.6)),
        radius=float(generator.uniform(0.17, 0.29)),
        stretch=float(np.exp(np.clip(0.18 * free[3] + 0.12, -0.3, 0.5))),
    )
