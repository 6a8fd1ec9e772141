"""Features of the grey level size zone matrix.

Source: Thibault et al. 2009; definitions as PyRadiomics 3.0.1 documents them.
"""

from __future__ import annotations

NAMES = {
    "small": "SmallAreaEmphasis",
    "large": "LargeAreaEmphasis",
    "level_non_uniformity": "GrayLevelNonUniformity",
    "level_non_uniformity_normalized": "GrayLevelNonUniformityNormalized",
    "size_non_uniformity": "SizeZoneNonUniformity",
    "size_non_uniformity_normalized": "SizeZoneNonUniformityNormalized",
    "percentage": "ZonePercentage",
    "level_variance": "GrayLevelVariance",
    "size_variance": "ZoneVariance",
    "entropy": "ZoneEntropy",
    "low": "LowGrayLevelZoneEmphasis",
    "high": "HighGrayLevelZoneEmphasis",
    "small_low": "SmallAreaLowGrayLevelEmphasis",
    "small_high": "SmallAreaHighGrayLevelEmphasis",
    "large_low": "LargeAreaLowGrayLevelEmphasis",
    "large_high": "LargeAreaHighGrayLevelEmphasis",
}
"""The measure of `features.sizes` → PyRadiomics' name."""
