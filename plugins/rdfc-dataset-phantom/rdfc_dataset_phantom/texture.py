"""Phantoms of the kind ``texture``: the class is in the echo pattern, and in nothing else.

Size, shape, place, edge, background, shadow, gain, depth loss, dynamic range and speckle are drawn
apart from the class. The drawn outline errs from the true one, so that the outline alone does not
measure the picture's own edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from rdfc_dataset_phantom.config import PhantomConfig
from rdfc_dataset_phantom.echo_pattern import EchoPattern, echoes, pattern_of
from rdfc_dataset_phantom.fields import Field, smooth_noise
from rdfc_dataset_phantom.scanner import depth_of, scan, settings_of
from rdfc_dataset_phantom.shape import relative_radius

RADIUS = (0.1875, 0.29)
"""Of the tumour, as a share of the image's shortest side."""
OUTLINE_ERROR = 0.06
"""Standard deviation of the drawn outline's size; half of it again from place to place."""
TUMOUR_DB = -9.0
LAYER_DB = (-4.0, 6.0)
UNDULATION = 0.06
"""Of the layers, as a share of the depth."""


@dataclass(frozen=True)
class Body:
    """All of a tumour but its echo pattern: what the class does not show in.

    Args:
        radius: As a share of the image's shortest side.
        stretch: Length of the axis along x against that along y.
        irregularity: Standard deviation of the radius over the directions, as a share.
        waviness: Waves of the outline in a turn.
        softness: Width of its edge, as a share of the radius.
        level_db: Its mean echogenicity.
        shade_db: Of what lies below it: shadow or enhancement.
    """

    radius: float
    stretch: float
    irregularity: float
    waviness: float
    softness: float
    level_db: float
    shade_db: float


@dataclass(frozen=True)
class TextureTumour:
    """A tumour in its place.

    Args:
        pattern: Tells the class.
        body: Tells nothing of it.
        distance: Of each sample from the centre over the true outline's: below 1 is inside.
        mask: The drawn outline, 1 inside.
    """

    pattern: EchoPattern
    body: Body
    distance: Field
    mask: NDArray[np.uint8]


def tumour_of(
    config: PhantomConfig,
    index: int,
    spacing_mm: tuple[float, ...],
    generator: np.random.Generator,
) -> TextureTumour:
    """The tumour of a case, from the case's own generator."""
    pattern = pattern_of(config, index, generator)
    body = _body(generator)
    distance = relative_radius(body, config.shape, spacing_mm, generator)
    samples = body.radius * min(config.shape)
    from_place_to_place = smooth_noise(config.shape, (0.6 * samples,) * distance.ndim, generator)
    error = generator.standard_normal() + 0.5 * from_place_to_place
    drawn = np.clip(1 + OUTLINE_ERROR * error, 0.75, 1.3)
    return TextureTumour(pattern, body, distance, (distance < drawn).astype(np.uint8))


def image(
    tumour: TextureTumour,
    config: PhantomConfig,
    patient: np.random.Generator,
    generator: np.random.Generator,
) -> NDArray[np.uint8]:
    """The scan of a tumour, (H, W) or (Z, Y, X), 8 bits.

    Args:
        tumour: In its place.
        config: Of the data set; the easier it is, the more alike are the scanner's gains.
        patient: Makes the scanner's settings, which all images of a patient share.
        generator: Makes all else.
    """
    settings = settings_of(min(1.0, 2 * config.difficulty), patient)
    echo_db = _with_tumour(_layers(tumour.distance.shape, generator), tumour, generator)
    return scan(echo_db, settings, generator)


def _body(generator: np.random.Generator) -> Body:
    low = (RADIUS[0], 0.015, 2.5, 0.03, -4.0, -6.0)
    high = (RADIUS[1], 0.075, 6.0, 0.08, 4.0, 5.0)
    radius, irregularity, waviness, softness, level, shade = map(
        float, generator.uniform(low, high)
    )
    stretch = float(np.exp(np.clip(0.3 * generator.standard_normal(), -0.6, 0.6)))
    return Body(radius, stretch, irregularity, waviness, softness, TUMOUR_DB + level, shade)


def _layers(shape: tuple[int, ...], generator: np.random.Generator) -> Field:
    """Echogenicity in dB of layered tissue, each layer its own, with some variation."""
    lateral = (*shape[:-2], 1, shape[-1])
    widths = [0.15 * n for n in lateral]
    widths[-2] = 0.0
    undulation = np.float32(UNDULATION) * smooth_noise(lateral, widths, generator)
    count, offset, variation = generator.uniform((2.5, 0, 0.5), (5, 1, 2.5))
    number = np.floor((depth_of(shape) + undulation) * np.float32(count) + np.float32(offset))
    number = number.astype(int) - int(number.min())
    levels = generator.uniform(*LAYER_DB, int(number.max()) + 1).astype(np.float32)
    grain = [6.0] * len(shape)
    grain[-2] = 2.0
    echo_db = levels[number] + np.float32(variation) * smooth_noise(shape, grain, generator)
    blurred: Field = gaussian_filter1d(echo_db, 1.0, axis=-2, mode="nearest")
    return blurred


def _with_tumour(around_db: Field, tumour: TextureTumour, generator: np.random.Generator) -> Field:
    """The tissue with the tumour in it, and its shadow or enhancement below."""
    body, distance = tumour.body, tumour.distance
    edge = (distance - 1) / np.float32(body.softness)
    inside: Field = 1 / (1 + np.exp(np.clip(edge, -30, 30)))
    inner_db = np.float32(body.level_db) + echoes(tumour.pattern, distance.shape, generator)
    path = np.cumsum(inside, axis=-2) / np.float32(2 * body.radius * min(distance.shape))
    for axis in {*range(distance.ndim)} - {distance.ndim - 2}:
        path = gaussian_filter1d(path, 2.0, axis=axis, mode="nearest")
    below_db = np.float32(body.shade_db) * np.clip(path, 0, 1) * (1 - inside)
    echo_db: Field = around_db + (inner_db - around_db) * inside + below_db
    return echo_db
