"""ITK's recursive Gaussian: its coefficients, and its answer to a single bright sample.

The filter is a sum of two damped waves, run forwards and backwards along a line. Its answer to one
sample is all there is to know about a linear filter, but for rounding: see `recursion`.

Sources: Deriche 1993, "Recursively implementing the Gaussian and its derivatives", INRIA RR-1893;
constants by Farnebäck & Westin 2006, J Math Imaging Vis 26, as in ITK's
RecursiveGaussianImageFilter. Terms are added in ITK's order, so that they round as there.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled

FREQUENCIES = (0.6681, 2.0787)
DAMPINGS = (-1.3932, -1.3732)
WAVES = (((1.3530, 1.8151), (-0.3531, 0.0902)), ((-1.3563, 5.2318), (0.3446, -2.2355)))
"""Of the Gaussian and of its second derivative: amplitudes of the cosine and sine of both waves."""

TAIL_SIGMAS = 60
"""The answer to a single sample is computed up to here, where it leaves single precision."""

Taps = NDArray[np.float64]


class Coefficients(NamedTuple):
    """Of the recursion, for samples and for results before; all (4,).

    Args:
        forward: Of the sample itself and the three before it.
        feedback: Of the four results before.
        backward: Of the four samples after, on the way back.
        start: In place of the feedback, of the first sample, which is repeated before the line.
        end: In place of the feedback, of the last sample, on the way back.
    """

    forward: Taps
    feedback: Taps
    backward: Taps
    start: Taps
    end: Taps


@lru_cache(maxsize=1024)
def coefficients(sigma: float, derivative: bool, scale: float) -> Coefficients:
    """The recursion of the Gaussian, or of its second derivative.

    Args:
        sigma: Width of the Gaussian in samples.
        derivative: Whether to take the second derivative.
        scale: The results are multiplied with it.
    """
    feedback = _feedback(sigma)
    total = 1.0 + feedback[0] + feedback[1] + feedback[2] + feedback[3]
    smooth = _feed(sigma, WAVES[0])
    sums = _moments(smooth)
    if not derivative:
        norm = scale / (2 * sums[0] / total - smooth[0])
        forward = [value * norm for value in smooth]
    else:
        curve = _feed(sigma, WAVES[1])
        curved = _moments(curve)
        # As much smoothing as takes the answer to a constant away from the second derivative.
        share = -(2 * curved[0] - total * curve[0]) / (2 * sums[0] - total * smooth[0])
        mixed = [bend + share * blur for bend, blur in zip(curve, smooth, strict=True)]
        moments = [bend + share * blur for bend, blur in zip(curved, sums, strict=True)]
        norm = scale / _second_moment(moments, total, feedback)
        forward = [value * norm for value in mixed]
    backward = [n - d * forward[0] for n, d in zip([*forward[1:], 0.0], feedback, strict=True)]
    begun = forward[0] + forward[1] + forward[2] + forward[3]
    ended = backward[0] + backward[1] + backward[2] + backward[3]
    start = [value * begun / total for value in feedback]
    end = [value * ended / total for value in feedback]
    return Coefficients(*map(np.array, (forward, feedback, backward, start, end)))


def _feedback(sigma: float) -> list[float]:
    """The coefficients of the four results before."""
    cos1, cos2 = (math.cos(frequency / sigma) for frequency in FREQUENCIES)
    exp1, exp2 = (math.exp(damping / sigma) for damping in DAMPINGS)
    third = -2 * cos1 * exp1 * exp2 * exp2
    third += -2 * cos2 * exp2 * exp1 * exp1
    second = 4 * cos2 * cos1 * exp1 * exp2
    second += exp1 * exp1 + exp2 * exp2
    return [-2 * (exp2 * cos2 + exp1 * cos1), second, third, exp1 * exp1 * exp2 * exp2]


def _feed(sigma: float, waves: tuple[tuple[float, float], tuple[float, float]]) -> list[float]:
    """The coefficients of a sample and the three before it, not yet normalised."""
    (a1, b1), (a2, b2) = waves
    sin1, sin2 = (math.sin(frequency / sigma) for frequency in FREQUENCIES)
    cos1, cos2 = (math.cos(frequency / sigma) for frequency in FREQUENCIES)
    exp1, exp2 = (math.exp(damping / sigma) for damping in DAMPINGS)
    first = exp2 * (b2 * sin2 - (a2 + 2 * a1) * cos2)
    first += exp1 * (b1 * sin1 - (a1 + 2 * a2) * cos1)
    second = (a1 + a2) * cos2 * cos1
    second -= b1 * cos2 * sin1 + b2 * cos1 * sin2
    second *= 2 * exp1 * exp2
    second += a2 * exp1 * exp1 + a1 * exp2 * exp2
    third = exp2 * exp1 * exp1 * (b2 * sin2 - a2 * cos2)
    third += exp1 * exp2 * exp2 * (b1 * sin1 - a1 * cos1)
    return [a1 + a2, first, second, third]


def _moments(feed: list[float]) -> list[float]:
    """Σ h(n), Σ n h(n) and Σ n² h(n) of the coefficients."""
    n0, n1, n2, n3 = feed
    return [n0 + n1 + n2 + n3, n1 + 2 * n2 + 3 * n3, n1 + 4 * n2 + 9 * n3]


def _second_moment(moments: list[float], total: float, feedback: list[float]) -> float:
    """Half of Σ n² h(n) of the whole answer h, which is 1 for a second derivative."""
    sn, dn, en = moments
    d1, d2, d3, d4 = feedback
    dd = d1 + 2 * d2 + 3 * d3 + 4 * d4
    ed = d1 + 4 * d2 + 9 * d3 + 16 * d4
    whole = en * total * total - ed * sn * total - 2 * dn * dd * total + 2 * dd * dd * sn
    return whole / (total * total * total)


@lru_cache(maxsize=1024)
def gaussian_taps(sigma: float, negligible: float) -> tuple[Taps, Taps]:
    """Of the smoothing, and of the second derivative times σ²; odd and equal in length.

    Args:
        sigma: Width of the Gaussian in samples.
        negligible: Taps are left out where together they are less than this part of all.
    """
    half = max(8, math.ceil(TAIL_SIGMAS * sigma))
    smooth, curve = coefficients(sigma, False, 1.0), coefficients(sigma, True, sigma * sigma)
    return _taps(smooth, curve, half, negligible)


@compiled
def _taps(
    smooth: Coefficients, curve: Coefficients, half: int, negligible: float
) -> tuple[Taps, Taps]:
    smoothing, bending = _answer(*smooth[:2], half), _answer(*curve[:2], half)
    needed = max(_half_width(smoothing, negligible), _half_width(bending, negligible))
    kept = slice(half - needed, half + needed + 1)
    return smoothing[kept].copy(), bending[kept].copy()


@compiled
def _answer(feed: Taps, feedback: Taps, half: int) -> Taps:
    """The answer from -half to half."""
    answer = np.zeros(2 * half + 1)
    for n in range(half + 1):
        value = feed[n] if n < feed.size else 0.0
        for k in range(1, min(n, 4) + 1):
            value -= feedback[k - 1] * answer[half + n - k]
        answer[half + n] = value
    for n in range(1, half + 1):
        answer[half - n] = answer[half + n]
    return answer


@compiled
def _half_width(taps: Taps, negligible: float) -> int:
    """How many taps beside the middle one are not negligible."""
    half = taps.size // 2
    limit = negligible * np.abs(taps).sum()
    rest = 0.0  # of both sides, from the outermost tap inwards
    for n in range(half, 0, -1):
        rest += 2 * abs(taps[half + n])
        if rest > limit:
            return n
    return 1
