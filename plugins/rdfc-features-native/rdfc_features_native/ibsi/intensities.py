"""Statistics of intensities, and of grey levels with their histogram.

Source: IBSI reference manual, arXiv:1612.07003, sections 3.3 and 3.4.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Measured = dict[str, float]


def statistics(
    values: NDArray[Any], method: Literal["linear", "inverted_cdf"] = "linear"
) -> Measured:
    """The features that intensities and grey levels have in common, by name.

    Args:
        values: Of the intensity mask's voxels, (N,).
        method: How percentiles are read: between two values, or as values that occur.
    """
    values = np.asarray(values, np.float64)
    low, p10, p25, median, p75, p90, high = np.percentile(
        values, (0, 10, 25, 50, 75, 90, 100), method=method
    )
    mean = values.mean()
    away = values - mean
    variance = (away**2).mean()
    robust = values[(values >= p10) & (values <= p90)]
    flat = low == high
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "Mean": float(mean),
            "Variance": float(variance),
            "Skewness": 0.0 if flat else float((away**3).mean() / variance**1.5),
            "ExcessKurtosis": 0.0 if flat else float((away**4).mean() / variance**2 - 3),
            "Median": float(median),
            "Minimum": float(low),
            "10Percentile": float(p10),
            "90Percentile": float(p90),
            "Maximum": float(high),
            "InterquartileRange": float(p75 - p25),
            "Range": float(high - low),
            "MeanAbsoluteDeviation": float(np.abs(away).mean()),
            "RobustMeanAbsoluteDeviation": float(np.abs(robust - robust.mean()).mean()),
            "MedianAbsoluteDeviation": float(np.abs(values - median).mean()),
            "CoefficientOfVariation": float(np.sqrt(variance) / mean),
            "QuartileCoefficientOfDispersion": float((p75 - p25) / (p75 + p25)),
        }


def intensity_features(values: NDArray[Any]) -> Measured:
    """The family ``firstorder`` of intensities, (N,)."""
    squares = float(np.dot(values.astype(np.float64), values.astype(np.float64)))
    found = statistics(values)
    return {**found, "Energy": squares, "RootMeanSquared": float(np.sqrt(squares / len(values)))}


def histogram_features(levels: NDArray[np.int64]) -> Measured:
    """The family ``histogram`` of grey levels, (N,), which begin at 1."""
    found = statistics(levels, "inverted_cdf")
    counts = np.bincount(levels)[1:].astype(np.float64)
    shares = counts[counts > 0] / counts.sum()
    modes = np.flatnonzero(counts == counts.max()) + 1
    gradient = np.gradient(counts) if len(counts) > 1 else np.zeros(1)
    return {
        **found,
        "Mode": float(modes[np.argmin(np.abs(modes - found["Mean"]))]),
        "Entropy": float(-(shares * np.log2(shares)).sum()),
        "Uniformity": float((shares**2).sum()),
        "MaximumGradient": float(gradient.max()),
        "MaximumGradientLevel": float(gradient.argmax() + 1),
        "MinimumGradient": float(gradient.min()),
        "MinimumGradientLevel": float(gradient.argmin() + 1),
    }
