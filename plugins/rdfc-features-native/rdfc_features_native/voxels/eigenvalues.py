"""The largest eigenvalue, by its size, of small symmetric matrices: LAPACK's calls take too long.

Source: Householder's reduction (Martin, Reinsch & Wilkinson 1968, EISPACK's tred1), and Laguerre's
iteration on the characteristic polynomial, which comes from outside all roots to the outermost one
without passing it (Parlett 1964).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled, compiled_sums

Values = NDArray[np.float64]

MOST_STEPS = 200
"""Of Laguerre's iteration; five are usual, more where eigenvalues are equal."""
SMALLEST_STEP = 1e-14
UNCOUPLED = 1e-30
"""Squares up to this change no eigenvalue by more than 1e-15."""


@compiled
def largest_size(matrix: Values, diagonal: Values, beside: Values) -> float:
    """The largest absolute eigenvalue of a symmetric matrix whose eigenvalues lie in [−1, 1].

    Args:
        matrix: (n, n), overwritten.
        diagonal: Scratch, (n,).
        beside: Scratch, (n,).
    """
    _tridiagonal(matrix, diagonal, beside)
    for k in range(beside.size):
        beside[k] *= beside[k]
    largest = _largest(diagonal, beside, 0.0)
    for k in range(diagonal.size):
        diagonal[k] = -diagonal[k]
    return _largest(diagonal, beside, largest)


@compiled
def _largest(diagonal: Values, squares: Values, least: float) -> float:
    """The largest eigenvalue of a tridiagonal matrix, or ``least`` if that is larger.

    Where nothing couples two neighbours the matrix falls into parts, none of which has equal
    eigenvalues; of equal ones Laguerre's iteration would not find all digits.
    """
    start = 0
    for end in range(1, diagonal.size + 1):
        if end < diagonal.size and squares[end] > UNCOUPLED:
            continue
        part, beside = diagonal[start:end], squares[start:end]
        if not _are_below(part, beside, least):
            least = max(least, _outermost(part, beside))
        start = end
    return least


@compiled
def _tridiagonal(a: Values, diagonal: Values, beside: Values) -> None:
    """Reduce to tridiagonal form; ``beside[0]`` is 0, ``beside[i]`` couples i − 1 and i."""
    n = a.shape[0]
    for i in range(n - 1, 0, -1):
        scale = 0.0
        for k in range(i):
            scale += abs(a[i, k])
        if i == 1 or scale == 0:
            beside[i] = a[i, i - 1]
            continue
        h = 0.0
        for k in range(i):
            a[i, k] /= scale
            h += a[i, k] * a[i, k]
        f = a[i, i - 1]
        g = -np.sqrt(h) if f >= 0 else np.sqrt(h)
        beside[i] = scale * g
        h -= f * g
        a[i, i - 1] = f - g
        f = 0.0
        for j in range(i):
            beside[j] = _dot(a, j, i) / h
            f += beside[j] * a[i, j]
        half = f / (h + h)
        for j in range(i):
            beside[j] -= half * a[i, j]
        for j in range(i):  # both triangles: rows are read faster than columns
            f, g = a[i, j], beside[j]
            for k in range(i):
                a[j, k] -= f * beside[k] + g * a[i, k]
    for i in range(n):
        diagonal[i] = a[i, i]
    beside[0] = 0.0


@compiled_sums
def _dot(a: Values, one: int, other: int) -> float:
    """Of two rows, up to the column that has the second one's number."""
    total = 0.0
    for k in range(other):
        total += a[one, k] * a[other, k]
    return total


@compiled
def _are_below(diagonal: Values, squares: Values, bound: float) -> bool:
    """Whether all eigenvalues of a tridiagonal matrix are (Sturm)."""
    ratio = 1.0
    for k in range(diagonal.size):
        ratio = bound - diagonal[k] - (squares[k] / ratio if k > 0 else 0.0)
        if ratio <= 0:
            return False
    return True


@compiled
def _outermost(diagonal: Values, squares: Values) -> float:
    """The largest eigenvalue of a tridiagonal matrix, none of which lies above 1.

    Args:
        diagonal: Its diagonal, (n,).
        squares: The squares of what stands beside it; the first is not used, (n,).
    """
    n = float(diagonal.size)
    x = 1.0
    for _ in range(MOST_STEPS):
        # Value, first and half the second derivative of the characteristic polynomial.
        p, before = 1.0, 0.0
        slope, slope_before = 0.0, 0.0
        bend, bend_before = 0.0, 0.0
        for k in range(diagonal.size):
            away = x - diagonal[k]
            bend, bend_before = away * bend + slope - squares[k] * bend_before, bend
            slope, slope_before = away * slope + p - squares[k] * slope_before, slope
            p, before = away * p - squares[k] * before, p
        if p <= 0:
            return x
        first = slope / p
        spread = (n - 1) * ((n - 1) * first * first - n * 2 * bend / p)
        step = n / (first + np.sqrt(max(0.0, spread)))
        if not step > SMALLEST_STEP:
            return x
        x -= step
    return x
