"""The names that PyRadiomics 3.0.1 knows, in the order in which it computes them.

Kept here so that parameter files can be read, and features named, where PyRadiomics is not
installed; a test holds these tables against PyRadiomics itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rdfc_core.errors import did_you_mean

IMAGE_TYPES = (
    "Original",
    "LoG",
    "Wavelet",
    "Square",
    "SquareRoot",
    "Logarithm",
    "Exponential",
    "Gradient",
    "LBP2D",
    "LBP3D",
)

FEATURES: dict[str, tuple[str, ...]] = {
    "firstorder": (
        *("10Percentile", "90Percentile", "Energy", "Entropy", "InterquartileRange", "Kurtosis"),
        *("Maximum", "MeanAbsoluteDeviation", "Mean", "Median", "Minimum", "Range"),
        *("RobustMeanAbsoluteDeviation", "RootMeanSquared", "Skewness", "TotalEnergy"),
        *("Uniformity", "Variance"),
    ),
    "glcm": (
        *("Autocorrelation", "ClusterProminence", "ClusterShade", "ClusterTendency", "Contrast"),
        *("Correlation", "DifferenceAverage", "DifferenceEntropy", "DifferenceVariance", "Id"),
        *("Idm", "Idmn", "Idn", "Imc1", "Imc2", "InverseVariance", "JointAverage", "JointEnergy"),
        *("JointEntropy", "MCC", "MaximumProbability", "SumAverage", "SumEntropy", "SumSquares"),
    ),
    "gldm": (
        *("DependenceEntropy", "DependenceNonUniformity", "DependenceNonUniformityNormalized"),
        *("DependenceVariance", "GrayLevelNonUniformity", "GrayLevelVariance"),
        *("HighGrayLevelEmphasis", "LargeDependenceEmphasis"),
        *("LargeDependenceHighGrayLevelEmphasis", "LargeDependenceLowGrayLevelEmphasis"),
        *("LowGrayLevelEmphasis", "SmallDependenceEmphasis"),
        *("SmallDependenceHighGrayLevelEmphasis", "SmallDependenceLowGrayLevelEmphasis"),
    ),
    "glrlm": (
        *("GrayLevelNonUniformity", "GrayLevelNonUniformityNormalized", "GrayLevelVariance"),
        *("HighGrayLevelRunEmphasis", "LongRunEmphasis", "LongRunHighGrayLevelEmphasis"),
        *("LongRunLowGrayLevelEmphasis", "LowGrayLevelRunEmphasis", "RunEntropy"),
        *("RunLengthNonUniformity", "RunLengthNonUniformityNormalized", "RunPercentage"),
        *("RunVariance", "ShortRunEmphasis", "ShortRunHighGrayLevelEmphasis"),
        "ShortRunLowGrayLevelEmphasis",
    ),
    "glszm": (
        *("GrayLevelNonUniformity", "GrayLevelNonUniformityNormalized", "GrayLevelVariance"),
        *("HighGrayLevelZoneEmphasis", "LargeAreaEmphasis", "LargeAreaHighGrayLevelEmphasis"),
        *("LargeAreaLowGrayLevelEmphasis", "LowGrayLevelZoneEmphasis", "SizeZoneNonUniformity"),
        *("SizeZoneNonUniformityNormalized", "SmallAreaEmphasis"),
        *("SmallAreaHighGrayLevelEmphasis", "SmallAreaLowGrayLevelEmphasis", "ZoneEntropy"),
        *("ZonePercentage", "ZoneVariance"),
    ),
    "ngtdm": ("Busyness", "Coarseness", "Complexity", "Contrast", "Strength"),
    "shape": (
        *("Elongation", "Flatness", "LeastAxisLength", "MajorAxisLength"),
        *("Maximum2DDiameterColumn", "Maximum2DDiameterRow", "Maximum2DDiameterSlice"),
        *("Maximum3DDiameter", "MeshVolume", "MinorAxisLength", "Sphericity", "SurfaceArea"),
        *("SurfaceVolumeRatio", "VoxelVolume"),
    ),
    "shape2D": (
        *("Elongation", "MajorAxisLength", "MaximumDiameter", "MeshSurface", "MinorAxisLength"),
        *("Perimeter", "PerimeterSurfaceRatio", "PixelSurface", "Sphericity"),
    ),
}
"""What each class gives when its whole class is asked for."""

ON_REQUEST: dict[str, tuple[str, ...]] = {
    "firstorder": ("StandardDeviation",),
    "shape": ("Compactness1", "Compactness2", "SphericalDisproportion"),
    "shape2D": ("SphericalDisproportion",),
}
"""Redundant features that are computed only when named."""

RETIRED: dict[str, dict[str, str]] = {
    "glcm": {
        "Dissimilarity": "it equals DifferenceAverage",
        "Homogeneity1": "it equals Id",
        "Homogeneity2": "it equals Idm",
        "SumVariance": "it equals ClusterTendency",
    },
    "gldm": {
        "DependencePercentage": "it is always 1",
        "GrayLevelNonUniformityNormalized": "it equals Uniformity of firstorder",
    },
}
"""Features that PyRadiomics accepts by name and gives no value for, each with the reason."""

INTERPOLATORS = {
    1: "sitkNearestNeighbor",
    2: "sitkLinear",
    3: "sitkBSpline",
    4: "sitkGaussian",
    5: "sitkLabelGaussian",
    6: "sitkHammingWindowedSinc",
    7: "sitkCosineWindowedSinc",
    8: "sitkWelchWindowedSinc",
    9: "sitkLanczosWindowedSinc",
    10: "sitkBlackmanWindowedSinc",
}
"""By the number that parameter files may use; SimpleITK itself has renumbered its splines."""

_BIORTHOGONAL = (
    *("1.1", "1.3", "1.5", "2.2", "2.4", "2.6", "2.8", "3.1", "3.3", "3.5", "3.7", "3.9"),
    *("4.4", "5.5", "6.8"),
)
WAVELETS = (
    "haar",
    "dmey",
    *(f"coif{n}" for n in range(1, 18)),
    *(f"db{n}" for n in range(1, 39)),
    *(f"sym{n}" for n in range(2, 21)),
    *(f"{family}{n}" for family in ("bior", "rbio") for n in _BIORTHOGONAL),
)
"""The discrete wavelets of PyWavelets; the continuous ones have no stationary transform."""


def features_of(class_name: str, wanted: Any) -> tuple[str, ...]:
    """The features that a parameter file wants of a class, written out: none named means all.

    Raises:
        ValueError: If the class has no such feature, or gives no value for it.
    """
    if wanted in (None, [], ()):
        return FEATURES[class_name]
    if not isinstance(wanted, list | tuple):
        raise ValueError(f"{class_name}: give a list of features, or nothing for all")
    known = (*FEATURES[class_name], *ON_REQUEST.get(class_name, ()))
    for feature in wanted:
        reason = RETIRED.get(class_name, {}).get(str(feature))
        if reason:
            raise ValueError(f"{class_name}: PyRadiomics gives no {feature} any more: {reason}")
        if feature not in known:
            hint = suggestion(str(feature), known)
            raise ValueError(f"{class_name}: no such feature as {feature!r}. {hint}")
    return tuple(dict.fromkeys(wanted))


def suggestion(word: str, known: Iterable[str]) -> str:
    """``Did you mean 'binWidth'?``, or the list of what is known where nothing is near."""
    names = list(known)
    # Names of features are long and much alike: a nearest one is proposed where it is really near.
    return did_you_mean(word, names, cutoff=0.6).lstrip() or f"Known: {', '.join(names)}."
