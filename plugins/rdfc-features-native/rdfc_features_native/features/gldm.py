"""Features of the grey level dependence matrix.

Source: Sun & Wee 1983; definitions as PyRadiomics 3.0.1 documents them.
"""

from __future__ import annotations

NAMES = {
    "small": "SmallDependenceEmphasis",
    "large": "LargeDependenceEmphasis",
    "level_non_uniformity": "GrayLevelNonUniformity",
    "size_non_uniformity": "DependenceNonUniformity",
    "size_non_uniformity_normalized": "DependenceNonUniformityNormalized",
    "level_variance": "GrayLevelVariance",
    "size_variance": "DependenceVariance",
    "entropy": "DependenceEntropy",
    "low": "LowGrayLevelEmphasis",
    "high": "HighGrayLevelEmphasis",
    "small_low": "SmallDependenceLowGrayLevelEmphasis",
    "small_high": "SmallDependenceHighGrayLevelEmphasis",
    "large_low": "LargeDependenceLowGrayLevelEmphasis",
    "large_high": "LargeDependenceHighGrayLevelEmphasis",
}
"""The measure of `features.sizes` → PyRadiomics' name."""
