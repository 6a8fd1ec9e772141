"""The taps of ITK's recursive Gaussian: its answer to a single bright sample.

The filter is a sum of two damped waves, run forwards and backwards. Here the recursion is run on a
single sample, once; the answer is all there is to know about a linear filter.

Sources: Deriche 1993, "Recursively implementing the Gaussian and its derivatives", INRIA RR-1893;
constants by Farnebäck & Westin 2006, J Math Imaging Vis 26, as in ITK's
RecursiveGaussianImageFilter.
"""

from __future__ import annotations

import math
from functools import lru_cache

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


@lru_cache(maxsize=1024)
def gaussian_taps(sigma: float, negligible: float) -> tuple[Taps, Taps]:
    """Of the smoothing, and of the second derivative times σ²; odd and equal in length.

    Args:
        sigma: Width of the Gaussian in samples.
        negligible: Taps are left out where together they are less than this part of all.
    """
    return _taps(sigma, max(8, math.ceil(TAIL_SIGMAS * sigma)), negligible)


@compiled
def _taps(sigma: float, half: int, negligible: float) -> tuple[Taps, Taps]:
    feedback = _product(*_poles(sigma, 0), *_poles(sigma, 1))
    smooth, curve = _feed(sigma, 0), _feed(sigma, 1)
    total = feedback.sum()
    smooth = smooth / (2 * smooth.sum() / total - smooth[0])
    # As much smoothing as takes the answer to a constant away from the second derivative.
    ratio = (2 * curve.sum() - total * curve[0]) / (2 * smooth.sum() - total * smooth[0])
    curve = curve - ratio * smooth
    curve = curve / _second_moment(curve, feedback) * sigma**2
    smoothing, bending = _answer(smooth, feedback, half), _answer(curve, feedback, half)
    needed = max(_half_width(smoothing, negligible), _half_width(bending, negligible))
    kept = slice(half - needed, half + needed + 1)
    return smoothing[kept].copy(), bending[kept].copy()


@compiled
def _poles(sigma: float, wave: int) -> tuple[float, float, float]:
    """The feedback of one wave alone."""
    decay = math.exp(DAMPINGS[wave] / sigma)
    return 1.0, -2 * math.cos(FREQUENCIES[wave] / sigma) * decay, decay * decay


@compiled
def _product(a0: float, a1: float, a2: float, b0: float, b1: float, b2: float) -> Taps:
    """Coefficients of the product of two polynomials."""
    middle = a0 * b2 + a1 * b1 + a2 * b0
    return np.array([a0 * b0, a0 * b1 + a1 * b0, middle, a1 * b2 + a2 * b1, a2 * b2])


@compiled
def _feed(sigma: float, derivative: int) -> Taps:
    """The coefficients of the samples: N0 to N3, and 0; row ``derivative`` of `WAVES`."""
    feed = np.zeros(5)
    for wave in range(2):
        cosine, sine = WAVES[derivative][wave]
        angle = FREQUENCIES[wave] / sigma
        decay = math.exp(DAMPINGS[wave] / sigma)
        slope = decay * (sine * math.sin(angle) - cosine * math.cos(angle))
        feed += _product(cosine, slope, 0.0, *_poles(sigma, 1 - wave))
    return feed


@compiled
def _second_moment(feed: Taps, feedback: Taps) -> float:
    """Half of Σ n² h(n) of the whole answer h, which is 1 for a second derivative."""
    sn, dn, en, sd, dd, ed = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for n in range(5):
        sn += feed[n]
        dn += n * feed[n]
        en += n * n * feed[n]
        sd += feedback[n]
        dd += n * feedback[n]
        ed += n * n * feedback[n]
    return (en * sd**2 - ed * sn * sd - 2 * dn * dd * sd + 2 * dd**2 * sn) / sd**3


@compiled
def _answer(feed: Taps, feedback: Taps, half: int) -> Taps:
    """The answer from -half to half."""
    answer = np.zeros(2 * half + 1)
    for n in range(half + 1):
        value = feed[n] if n < feed.size else 0.0
        for k in range(1, min(n, 4) + 1):
            value -= feedback[k] * answer[half + n - k]
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
