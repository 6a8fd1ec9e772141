"""Features of the grey level run length matrix.

Source: Galloway 1975; definitions as PyRadiomics 3.0.1 documents them.
"""

from __future__ import annotations

NAMES = {
    "small": "ShortRunEmphasis",
    "large": "LongRunEmphasis",
    "level_non_uniformity": "GrayLevelNonUniformity",
    "level_non_uniformity_normalized": "GrayLevelNonUniformityNormalized",
    "size_non_uniformity": "RunLengthNonUniformity",
    "size_non_uniformity_normalized": "RunLengthNonUniformityNormalized",
    "percentage": "RunPercentage",
    "level_variance": "GrayLevelVariance",
    "size_variance": "RunVariance",
    "entropy": "RunEntropy",
    "low": "LowGrayLevelRunEmphasis",
    "high": "HighGrayLevelRunEmphasis",
    "small_low": "ShortRunLowGrayLevelEmphasis",
    "small_high": "ShortRunHighGrayLevelEmphasis",
    "large_low": "LongRunLowGrayLevelEmphasis",
    "large_high": "LongRunHighGrayLevelEmphasis",
}
"""The measure of `features.sizes` → PyRadiomics' name."""
