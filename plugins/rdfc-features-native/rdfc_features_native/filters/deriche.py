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
WAVES = {0: ((1.3530, 1.8151), (-0.3531, 0.0902)), 2: ((-1.3563, 5.2318), (0.3446, -2.2355))}
"""Order of the derivative → amplitudes of the cosine and the sine of both waves."""

NEGLIGIBLE = 1e-8
"""Taps are left out where together they are less than this part of all."""
TAIL_SIGMAS = 16
"""The answer to a single sample is computed up to here."""

Taps = NDArray[np.float64]


@lru_cache(maxsize=1024)
def gaussian_taps(sigma: float) -> tuple[Taps, Taps]:
    """Of the smoothing, and of the second derivative times σ²; odd and equal in length.

    Args:
        sigma: Width of the Gaussian in samples.
    """
    feedback = _feedback(sigma)
    smooth, curve = (_feed(sigma, *WAVES[order]) for order in (0, 2))
    sums = feedback.sum()
    smooth = smooth / (2 * smooth.sum() / sums - smooth[0])
    # As much smoothing as takes the answer to a constant away from the second derivative.
    ratio = (2 * curve.sum() - sums * curve[0]) / (2 * smooth.sum() - sums * smooth[0])
    curve = curve - ratio * smooth
    curve = curve / _second_moment(curve, feedback) * sigma**2
    half = max(8, math.ceil(TAIL_SIGMAS * sigma))
    taps = [_answer(feed, feedback, half) for feed in (smooth, curve)]
    needed = max(_half_width(answer) for answer in taps)
    return taps[0][half - needed : half + needed + 1], taps[1][half - needed : half + needed + 1]


def _feedback(sigma: float) -> Taps:
    """The coefficients of earlier answers: 1, D1 to D4."""
    first, second = (
        np.array([1.0, -2 * math.cos(w / sigma) * math.exp(k / sigma), math.exp(2 * k / sigma)])
        for w, k in zip(FREQUENCIES, DAMPINGS, strict=True)
    )
    return np.convolve(first, second)


def _feed(sigma: float, first: tuple[float, float], second: tuple[float, float]) -> Taps:
    """The coefficients of the samples: N0 to N3, and 0."""
    feed = np.zeros(5)
    for wave, (cosine, sine) in enumerate((first, second)):
        own, other = (FREQUENCIES[k] / sigma for k in (wave, 1 - wave))
        decay, damping = (math.exp(DAMPINGS[k] / sigma) for k in (wave, 1 - wave))
        start = [cosine, decay * (sine * math.sin(own) - cosine * math.cos(own))]
        feed[:4] += np.convolve(start, [1.0, -2 * math.cos(other) * damping, damping**2])
    return feed


def _second_moment(feed: Taps, feedback: Taps) -> float:
    """Half of Σ n² h(n) of the whole answer h, which is 1 for a second derivative."""
    n = np.arange(5)
    sn, dn, en = feed.sum(), n @ feed, n**2 @ feed
    sd, dd, ed = feedback.sum(), n @ feedback, n**2 @ feedback
    return float((en * sd**2 - ed * sn * sd - 2 * dn * dd * sd + 2 * dd**2 * sn) / sd**3)


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


def _half_width(taps: Taps) -> int:
    """How many taps beside the middle one are not negligible."""
    half = len(taps) // 2
    outer = 2 * np.abs(taps[half + 1 :])
    rest = outer[::-1].cumsum()[::-1]  # of this tap and all beyond
    return int(np.count_nonzero(rest > NEGLIGIBLE * np.abs(taps).sum())) or 1
