"""The echo pattern of a tumour whose class is an interaction: grain and skew of its echoes.

Both have as many levels as there are classes, and the class is the sum of the two level numbers,
modulo the classes (a Latin square). Each grain alone, and each skew alone, is as frequent in one
class as in any other; only both together tell the class. With two classes the four archetypes are
patterns of real lesions: benign fine and dark (spongiform) or coarse and bright (popcorn
calcification), malignant fine and bright (microcalcifications) or coarse and dark (cavities).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rdfc_dataset_phantom.config import PhantomConfig
from rdfc_dataset_phantom.fields import Field, smooth_noise
from rdfc_dataset_phantom.traits import class_of

FINEST, COARSEST = 1.3, 4.0
"""Samples: standard deviation of the Gaussian that the pattern's noise is smoothed by."""
MIDDLE, HALF = np.log(FINEST * COARSEST) / 2, np.log(COARSEST / FINEST) / 2
"""Of the range of log grain."""
GRAIN_STREAM = 2**30
"""Keeps the numbers that are labels apart from all else that is drawn."""
MOST_SKEWED = 1.1
"""Of the logarithm of a log-normal pattern; below 0 its tail is dark, above 0 bright."""
CONTRAST_DB = 9.0
"""Standard deviation of the pattern."""
GRAIN_SPREAD, SKEW_SPREAD, CONTRAST_SPREAD = 0.15, 0.3, 0.25
"""Standard deviations between tumours of one archetype: of log grain, of skew, of log contrast."""
TAIL = 3.5
"""Standard deviations: brighter and darker echoes are cut off, so that contrasts are alike."""
NOT_SKEWED = 0.05


@dataclass(frozen=True)
class EchoPattern:
    """What the inside of a tumour looks like.

    Args:
        grain: Samples; the correlation length of the echoes.
        skew: Below 0: dark spots; above 0: bright spots; 0: neither.
        contrast_db: Standard deviation of the echoes.
    """

    grain: float
    skew: float
    contrast_db: float


def archetype_of(config: PhantomConfig, index: int) -> tuple[int, int]:
    """Level numbers of grain and skew of a case; archetypes of a class take turns."""
    patient, tumour = divmod(index, config.tumours_per_patient)
    grain = (patient // config.classes + tumour) % config.classes
    skew = (class_of(config, index) - grain) % config.classes
    return grain, skew


def grain_of(config: PhantomConfig, index: int) -> float:
    """The grain that is a case's label, where labels are numbers: in samples, a mm each.

    Drawn from its own stream, so that the list needs no image; evenly over its logarithm.
    """
    stream = np.random.SeedSequence([config.seed, index, GRAIN_STREAM])
    place = np.random.default_rng(stream).uniform(-1, 1)
    return float(np.exp(MIDDLE + HALF * place))


def _numbered(config: PhantomConfig, index: int, generator: np.random.Generator) -> EchoPattern:
    """The echo pattern of a case whose grain is a number: its skew and contrast tell nothing.

    Up to difficulty 0.5 the grain that is seen errs the more from the one that is the label; from
    there on it depends on it the less.
    """
    separation = min(1.0, 2 - 2 * config.difficulty)
    spread = min(1.0, 2 * config.difficulty)
    free = generator.standard_normal(3)
    place = (np.log(grain_of(config, index)) - MIDDLE) / HALF
    return EchoPattern(
        grain=float(np.exp(MIDDLE + separation * HALF * place + GRAIN_SPREAD * spread * free[0])),
        skew=float(SKEW_SPREAD * free[1]),
        contrast_db=float(CONTRAST_DB * np.exp(CONTRAST_SPREAD * free[2])),
    )


def pattern_of(config: PhantomConfig, index: int, generator: np.random.Generator) -> EchoPattern:
    """The echo pattern of a case, from the case's own generator.

    Up to difficulty 0.5 tumours of one archetype differ the more; from there on the archetypes
    differ the less, until at 1 there is but one.
    """
    if config.label == "number":
        return _numbered(config, index, generator)
    separation = min(1.0, 2 - 2 * config.difficulty)
    spread = min(1.0, 2 * config.difficulty)
    # −1 to 1 from the first level to the last
    grain, skew = (2 * level / (config.classes - 1) - 1 for level in archetype_of(config, index))
    free = spread * generator.standard_normal(3)
    return EchoPattern(
        grain=float(np.exp(MIDDLE + separation * HALF * grain + GRAIN_SPREAD * free[0])),
        skew=float(separation * MOST_SKEWED * skew + SKEW_SPREAD * free[1]),
        contrast_db=float(CONTRAST_DB * np.exp(CONTRAST_SPREAD * free[2])),
    )


def echoes(pattern: EchoPattern, shape: tuple[int, ...], generator: np.random.Generator) -> Field:
    """The pattern in dB with mean near 0, over a whole image of this shape."""
    field = smooth_noise(shape, (pattern.grain,) * len(shape), generator)
    if abs(pattern.skew) > NOT_SKEWED:  # log-normal, its tail on the side of the skew's sign
        tailed = np.exp(np.clip(np.float32(pattern.skew) * field, -4, 4))
        field = np.sign(np.float32(pattern.skew)) * (tailed - tailed.mean()) / tailed.std()
    scaled: Field = np.float32(pattern.contrast_db) * np.clip(field, -TAIL, TAIL)
    return scaled
